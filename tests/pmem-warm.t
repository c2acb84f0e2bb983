#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Programs that keep their memory in files on persistent memory go on where they were
# when the machine was killed.

set -euo pipefail
cd "$(dirname "$0")/.."
exec tests/pmem/warm -k "${WARM_KERNEL:-6.12}" -n 2

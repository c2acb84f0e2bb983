#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# pmem-warm-KERNEL.t, both links to this file: programs that keep their memory in files
# on persistent memory go on where they were when the machine was killed

set -euo pipefail
cd "$(dirname "$0")/.."
kernel=$(basename "$0" .t)
exec tests/pmem/warm -k "${kernel#pmem-warm-}" -n 3

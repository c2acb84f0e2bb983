#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# numa-KERNEL.t, links to this file: a guest of two NUMA nodes with that kernel

set -euo pipefail
cd "$(dirname "$0")/.."

IFS=- read -r _ kernel <<<"$(basename "$0" .t)"
exec vm/run --kernel "$kernel" --cpu max --nodes 2 -- tests/guest/run-all numa attach gup races walk

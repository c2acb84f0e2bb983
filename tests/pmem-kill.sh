#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# pmem-kill-KERNEL.t, both links to this file: a machine with a morselfs on persistent
# memory is killed under a load, with 6.12 ten times, with 6.1 three times

set -euo pipefail
cd "$(dirname "$0")/.."
kernel=$(basename "$0" .t)
kernel=${kernel#pmem-kill-}
cycles=10 domain=cpu
[ "$kernel" = 6.12 ] || cycles=3 domain=mem-ctrl
exec tests/pmem/kill -k "$kernel" -n "$cycles" -d "$domain"

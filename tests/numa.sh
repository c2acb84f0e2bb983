#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# numa-KERNEL-LEVELS-PTI.t, all links to this file: a guest of two NUMA nodes
# with that kernel, 4 or 5 levels of page tables, page-table isolation on or off;
# races.sh has the races, on two nodes as well

set -euo pipefail
cd "$(dirname "$0")/.."
. tests/configuration.sh

exec vm/run "${configuration[@]}" --nodes 2 --mem 1G -- \
	tests/guest/run-all numa-place numa-bulk numa-move attach gup walk fragment

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# races-KERNEL-LEVELS-PTI.t, all links to this file: half a minute of each race
# (on 6.1 ten seconds) in a guest of two processors and two NUMA nodes with that
# kernel, 4 or 5 levels of page tables, page-table isolation on or off;
# SECONDS_PER_RACE for longer

set -euo pipefail
cd "$(dirname "$0")/.."
. tests/configuration.sh

[ "$kernel" = 6.1 ] && seconds=10 || seconds=20
exec vm/run "${configuration[@]}" --nodes 2 --mem 1G --timeout 7200 -- \
	tests/guest/run-all -s "${SECONDS_PER_RACE:-$seconds}" -v -t 7200 \
	race-dontneed race-munmap race-mprotect race-mremap race-fork \
	race-spin evict churn race-levels race-kernel race-lazy

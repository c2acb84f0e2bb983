#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fuzz-KERNEL.t, links to this file: the fuzzer for a minute, with 5 levels of
# page tables on one kernel and 4 on the other; first what it found once, then
# the same seeds each time ("make fuzz" draws others)

set -euo pipefail
cd "$(dirname "$0")/.."

IFS=- read -r _ kernel <<<"$(basename "$0" .t)"
case $kernel in
6.12) cpu=max ;;
*) cpu=max,la57=off ;;
esac
# A stock kernel clears all pages that it hands out, whether asked to or not.
exec vm/run --kernel "$kernel" --cpu "$cpu" --append init_on_alloc=0 -- \
	build/tests/guest/fuzz --seeds tests/fuzz-seeds --seed 2 --seconds 60

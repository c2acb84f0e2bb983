#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Memory that nobody points to any more, says kmemleak, after what was tested
# before.  Two scans: an object is reported from the second one on.

. tests/tap.sh

report=/sys/kernel/debug/kmemleak
echo clear >"$report"
build/tests/guest/lifetime >/dev/null
build/tests/guest/punch >/dev/null
for _ in 1 2; do
	sleep 6 # younger objects are left out
	echo scan >"$report"
done
is "nothing of ours is left" "$(grep -c '\[morsel\]' "$report")" 0
finish

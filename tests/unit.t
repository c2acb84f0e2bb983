#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The layers of the module that also build in user space, under sanitizers: one
# point for each program in build/tests/unit.

cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh

for program in build/tests/unit/*; do
	[ -x "$program" ] || continue
	# ThreadSanitizer cannot map its shadow where the kernel randomises more
	# address bits than it expects.
	check "${program##*/}" setarch --addr-no-randomize timeout 600 "$program"
done
[ "$tap_count" -gt 0 ] || fail "build/tests/unit has programs" </dev/null

finish

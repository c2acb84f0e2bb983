#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The judge of tests/pmem-kill-*.t judged, on a file system of this machine: what the
# load left it takes for whole, also when the load was killed, and for nothing else.

cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh

load=build/tests/pmem/load
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/load"

for cycle in {1..20}; do
	"$load" run "$tmp/load" 7 >"$tmp/out" &
	sleep 0.$((RANDOM % 90 + 10))
	pkill -KILL -P $! && wait $!
	check "cycle $cycle: the load was killed, all is there" "$load" verify "$tmp/load" 7
done 2>/dev/null
check "all is there of so many operations" "$load" -n 1000 run "$tmp/load" 7
# Points of its own.
check "what is wrong is found" tests/pmem/wrong.sh "$tmp/load" 7
is "with another seed it is not looked at" \
	"$("$load" verify "$tmp/load" 8 2>&1 | sort | tail -n 1)" "$load: worker 1 had seed 7"

finish

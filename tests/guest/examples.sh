#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The example programs, in TAP: each exits with success and leaves no morsel.
# Runs as root in a guest, from the top of the repository; needs jq.
set -u

examples=(share-by-pipe share-by-descriptor many-readers ephemeral hash-table)
count=0
failed=0

morsels() {
	build/bin/morsel stat --json | jq .morsels
}

start=$(morsels)
echo "1..${#examples[@]}"
for example in "${examples[@]}"; do
	not=
	if ! output=$("build/examples/$example" 2>&1) ||
		[[ $(morsels) != "$start" ]]; then
		not='not '
		failed=1
	fi
	echo "${not}ok $((++count)) - $example"
	echo "# ${output//$'\n'/$'\n'# }"
done
exit $failed

# SPDX-License-Identifier: GPL-2.0-only
# Sourced by what runs tests that speak TAP.
# shellcheck shell=bash

# What is wrong with the TAP in a file, if anything.
tap_problem() {
	local points plan

	grep -q '^not ok' "$1" && echo -n ' (points failed)'
	points=$(grep -cE '^(not )?ok ' "$1")
	plan=$(sed -n 's/^1\.\.//p' "$1")
	[[ $plan == "$points" && $points != 0 ]] || echo -n " ($points points, planned: ${plan:-none})"
}

# SPDX-License-Identifier: GPL-2.0-only
# Sourced by scripts here: test points by a status, or by what there is and should be.
# shellcheck shell=bash

count=0
failed=0

# point STATUS DESCRIPTION: a test point, passed when STATUS is 0
point() {
	local not=
	(($1 == 0)) || { not='not '; ((failed++)); }
	echo "${not}ok $((++count)) - $2"
	return "$1"
}

# is GOT WANT DESCRIPTION
is() {
	[[ $1 == "$2" ]]
	point $? "$3" || printf '# got "%s", not "%s"\n' "$1" "$2"
}

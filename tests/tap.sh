# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the tests beside it: the Test Anything Protocol.
# shellcheck shell=bash

tap_count=0
tap_failed=0

pass() { echo "ok $((++tap_count)) - $1"; }

# fail NAME: standard input is shown as diagnostics.  Not at the end of a pipe,
# where a subshell would do the counting.
fail() {
	echo "not ok $((++tap_count)) - $1"
	((++tap_failed))
	sed 's/^/# /'
}

# check NAME COMMAND...: passes when the command does, else shows its output.
check() {
	local name=$1 output

	shift
	if output=$("$@" 2>&1); then
		pass "$name"
	else
		fail "$name (status $?)" <<<"$output"
	fi
}

# is NAME GOT WANTED
is() {
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" < <(printf 'got    %s\nwanted %s\n' "$2" "$3")
	fi
}

# The last line of a test.
finish() {
	echo "1..$tap_count"
	exit "$((tap_failed > 0))"
}

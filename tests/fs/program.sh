# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the scripts in programs/, with the directory to be tested as first
# argument, at the top of the repository: TAP, and an empty directory in it, $work,
# for them alone.
# shellcheck shell=bash

. tests/tap.sh

set -u
top=$PWD
export top
name=$(basename "$0" .sh)
work=$(mktemp -d "${1:?which directory?}/$name.XXXXXX") || exit 1
log=$(mktemp) || exit 1
started=()

# Ends what was started, in reverse; then the directory can go.
clean_up() {
	local i

	for ((i = ${#started[@]} - 1; i >= 0; i--)); do
		kill -KILL "${started[i]}" 2>/dev/null
		wait "${started[i]}" 2>/dev/null
	done
	cd /
	rm -rf "$work" "$log"
}
trap clean_up EXIT

# until_true COMMAND...: waits for it, at most a minute or so.
until_true() {
	local tries=600

	until "$@" >/dev/null 2>&1; do
		((tries-- > 0)) || return 1
		sleep 0.1
	done
}

# As one who is not root: some programs refuse to be.
# shellcheck disable=SC2034 # used by those who source this file
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)

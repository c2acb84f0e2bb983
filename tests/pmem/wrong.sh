#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# wrong.sh DIRECTORY SEED - what tests/pmem/load has left there is changed a little, in
# many ways: each time verify has to fail, and not any more when it is undone

# shellcheck disable=SC2016,SC2034 # for eval to expand

set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/tap.sh

readonly load=$PWD/build/tests/pmem/load seed=$2
cd "$1" || exit 1

verify() { "$load" verify . "$seed"; }

# wrong NAME CHANGE UNDO, in words of a shell
wrong() {
	local said

	eval "$2" || { fail "wrong: $1: cannot be done" </dev/null; return; }
	if said=$(verify); then
		fail "found: $1" <<<"$said"
	else
		pass "found: $1"
		grep after <<<"$said" | sed 's/^/# /'
	fi
	eval "$3" || fail "wrong: $1: cannot be undone" </dev/null
}

# The first file with what find is asked for, as $file.
first() { file=$(find 0 "$@" | LC_ALL=C sort | head -n 1) && [ -n "$file" ]; }

byte() { printf '%b' "\\x$(printf %x "$1")"; }

# flip FILE OFFSET: the lowest bit of a byte
flip() {
	local byte

	byte=$(od -An -tu1 -j "$2" -N1 "$1")
	byte $((byte ^ 1)) | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# An operation is begun: its number in the witness of worker 0 is one more.
begin() {
	local number i

	number=$(($(od -An -td8 -j 16 -N 8 witness.0) + $1))
	for ((i = 0; i < 8; i++)); do
		byte $((number >> 8 * i & 255))
	done | dd of=witness.0 bs=1 seek=8 conv=notrunc status=none
}

check "all is there" verify
first -type f -size +8 -size -2000 || exit
wrong "a bit of the first byte" 'flip "$file" 0' 'flip "$file" 0'
wrong "a bit of byte 4097" 'flip "$file" 4097' 'flip "$file" 4097'
wrong "a longer file" 'truncate -s +512 "$file"' 'truncate -s -512 "$file"'
mode=$(stat -c %a "$file")
wrong "another mode" 'chmod a+t "$file"' 'chmod "$mode" "$file"'
wrong "an attribute too many" 'setfattr -n user.y "$file"' 'setfattr -x user.y "$file"'
wrong "another name" 'mv "$file" 0/m' 'mv 0/m "$file"'
wrong "a name too many" 'ln "$file" 0/m' 'rm 0/m'
wrong "a file too many" ': >0/m' 'rm 0/m'
wrong "a directory too many" 'mkdir 0/m' 'rmdir 0/m'
wrong "a name too few" 'mv "$file" ./m' 'mv ./m "$file"'
wrong "a copy in its place" 'mv "$file" ./m && cp -a ./m "$file" && flip "$file" 0' \
	'mv ./m "$file"'
begin 1
check "all is there before an operation" verify
wrong "a bit, besides an operation" 'flip "$file" 0' 'flip "$file" 0'
wrong "another mode, besides an operation" 'chmod a+t "$file"' 'chmod "$mode" "$file"'
wrong "another name, besides an operation" 'mv "$file" 0/m' 'mv 0/m "$file"'
begin 2
wrong "two operations at once" true true
begin 0
first -type f -links +1 &&
	wrong "a copy in the place of a link" 'mv "$file" ./m && cp -a ./m "$file"' \
		'mv ./m "$file"'
first -type l && target=$(readlink "$file") &&
	wrong "another target" 'ln -sfn "x$target" "$file"' 'ln -sfn "$target" "$file"'
first -type f -perm /077 && mode=$(stat -c %a "$file") &&
	wrong "a bit of the mode" 'chmod go= "$file"' 'chmod "$mode" "$file"'
check "all is there again" verify
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Pools in files, without a kernel: made by mkfs.morselfs, judged by morsel check.

cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
PATH=$PATH:/usr/sbin:/sbin

bin=$PWD/build/bin
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
image=$tmp/image

mkfs() { "$bin/mkfs.morselfs" "$@"; }
look() { "$bin/morsel" check "$@"; }
# status WANTED COMMAND...
status() {
	"${@:2}"
	local got=$?
	[ "$got" = "$1" ] || { echo "status $got, not $1"; return 1; }
}
# says TEXT WANTED COMMAND...: with that status, and those words.
says() {
	local output
	if ! output=$(status "${@:2}" 2>&1) || ! grep -qF -- "$1" <<<"$output"; then
		echo "$output"
		return 1
	fi
}
# The same, and the image stays as it is.
untouched() {
	local before
	before=$(sha256sum "$image")
	says "$@" && [ "$(sha256sum "$image")" = "$before" ]
}
# poke OFFSET BYTE...: in octal
poke() { printf '%b' "${@:2}" | dd of="$image" bs=1 seek="$(($1))" conv=notrunc status=none; }
# A word of the image.
word() { od -An -t u8 -j "$(($1))" -N 8 "$image" | tr -d ' '; }
# Where in the image an entry at OFFSET leads.
frame() { echo "$((($(word "$1") & 0xffffffffff000) - (1 << 32)))"; }

truncate -s 1M "$image"
uuid=01234567-89ab-4def-8123-456789abcdef
says_it() { says "UUID $uuid, 256 frames, 1 MiB" 0 mkfs -U "$uuid" -m 1777 -u 12 -g 34 "$image"; }
check "mkfs says what it made" says_it
check "it is clean" untouched clean 0 look "$image"
is "check in JSON" "$(look --json "$image" | jq -r '.state, .uuid, .inodes, .free' | xargs)" "clean $uuid 1 251"
is "pool info in JSON" "$("$bin/morsel" pool info --json "$image" | jq -r '.version, .frames, .base' | xargs)" "1 256 0x100000"
check "pool info" untouched "UUID       $uuid" 0 "$bin/morsel" pool info "$image"
table=$(frame 144)
inode=$(($(frame "$table") + 256))
is "mode and owner of the root directory" \
	"$(od -An -t u4 -j $((inode + 16)) -N 16 "$image" | xargs)" "$((041777)) 0 12 34"
is "times are now" "$(($(date +%s) - $(word inode+64) < 60))" 1
check "a pool is not overwritten" untouched "there is a pool" 1 mkfs "$image"
cp "$image" "$tmp/good"
check "with --force it is" mkfs -f -q "$image"
quiet() { [ -z "$(mkfs -q -f "$image")" ]; }
check "--quiet" quiet
differ() { mkfs -f "$image" | cut -d, -f1 >"$tmp/1"; mkfs -f "$image" | cut -d, -f1 >"$tmp/2"; ! cmp -s "$tmp/1" "$tmp/2"; }
check "UUIDs differ" differ

check "no device" status 2 mkfs
check "two devices" status 2 mkfs "$image" "$image"
check "no UUID" says "not a UUID" 2 mkfs -f -U 1234 "$image"
check "no mode" says "not a mode" 2 mkfs -f -m 8 "$image"
check "no user" says "no such user" 2 mkfs -f -u nobody-at-all "$image"
check "not there" says "No such file" 1 mkfs "$tmp/none"
check "a directory" says "neither a block device" 1 mkfs "$tmp"
truncate -s 60K "$tmp/small"
check "too small" says "too small" 1 mkfs "$tmp/small"
truncate -s $((65536 + 1000)) "$tmp/odd"
check "not a multiple of pages" says "16 frames" 0 mkfs "$tmp/odd"
check "the whole pages are used" says clean 0 look "$tmp/odd"
check "check: no device" status 16 look
check "check: not there" says "No such file" 8 look "$tmp/none"
check "pool: another word" says "not a thing to do" 2 "$bin/morsel" pool make "$image"

truncate -s 4M "$tmp/ext4"
mke2fs -q -F -t ext4 "$tmp/ext4"
check "an ext4 is not overwritten" says "there is something" 1 mkfs "$tmp/ext4"
check "nor is it a pool" says "not a pool" 2 look "$tmp/ext4"
check "it still is ext4" e2fsck -fn "$tmp/ext4"
check "with --force it is" mkfs -q -f "$tmp/ext4"
check "and a pool then" says clean 0 look "$tmp/ext4"
gone() { ! dumpe2fs "$tmp/ext4" 2>/dev/null; }
check "and no ext4" gone
truncate -s 1M "$tmp/tail"
printf x | dd of="$tmp/tail" bs=1 seek=1048000 conv=notrunc status=none
check "nor is what is at the end" says "there is something" 1 mkfs "$tmp/tail"

# broken NAME TEXT STATE OFFSET BYTE...
broken() {
	local name=$1 text=$2 state=$3

	cp "$tmp/good" "$image"
	poke "${@:4}"
	check "$name" untouched "$text" 2 look "$image"
	is "$name, in JSON" "$(look --json "$image" | jq -r .state)" "$state"
}
broken "no magic number" "not a pool" none 0 '\0000'
broken "another version" "another version" other 8 '\0002'
broken "an unknown feature" "another version" other 40 '\0001'
broken "another UUID" "super block is damaged" damaged 16 '\0377'
broken "no such base" "no machine has memory" damaged 133 '\0377'
broken "something in an empty table" "table of holes" damaged 4096+800 '\0001'
broken "inodes with no root" "the pool has a root with wrong flags" damaged 144 '\0000'
broken "inodes beyond the pool" "names a frame that is not in the pool" damaged 144+3 '\0001'
broken "wrong flags of a page" "has a page with wrong flags" damaged table '\0001'
broken "a frame twice" "in use elsewhere" damaged table+8 "$(od -An -t o1 -v -j "$table" -N 8 "$tmp/good" | sed 's/ /\\0/g')"
broken "attributes that nobody wrote" "inode 1 has attributes with a wrong checksum" damaged inode+16 '\0001'
broken "no attributes" "inode 1 has no attributes" damaged inode '\0003'
cp "$tmp/good" "$image"
truncate -s 512K "$image"
check "an end that is missing" untouched "larger than the device" 2 look "$image"
truncate -s 0 "$image"
check "nothing at all" untouched "not a pool" 2 look "$image"
check "pool info of that" untouched "not a pool" 1 "$bin/morsel" pool info "$image"
# The entry of the inodes' page: neither accessed nor dirty nor soft-dirty.
cp "$tmp/good" "$image"
poke table '\0007' "\\0$(printf %o $(($(od -An -t u1 -j $((table + 1)) -N 1 "$image") & ~8)))"
check "accessed, dirty and soft-dirty are as processors like" untouched clean 0 look "$image"

# After each store of a rename.
mkdir "$tmp/images"
check "images of a rename" build/tests/tools/image "$tmp/images"
image=$tmp/images/whole.img
check "files are found" untouched clean 0 look "$image"
is "so many" "$(look --json "$image" | jq -r '.inodes, .names, .pages, .tables' | xargs)" "3 3 4 5"
left=()
each() {
	local state
	for image in "$tmp"/images/rename-*.img; do
		before=$(sha256sum "$image")
		state=$(look --json "$image" | jq -r .state)
		case ${PIPESTATUS[0]}$state in
		0*clean) ;;
		*unfinished) look "$image" >/dev/null; [ $? = 1 ] || return 1; left+=("$image") ;;
		*) echo "$image: $state"; return 1 ;;
		esac
		[ "$(sha256sum "$image")" = "$before" ] || return 1
	done
	[ "${#left[@]}" -gt 0 ]
}
check "each of them is clean, or mounting finishes it" each

finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A pool after a crash at any store of any operation, in user space; and that this
# finds bugs: each of tests/crash/planted is put into a copy, which must fail.

cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh

program=build/tests/crash/crash
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# What it prints is points of its own; the figures are worth a line.
explore() {
	"$@" >"$tmp/out" || { grep -A6 '^not ok' "$tmp/out"; return 1; }
	grep '^# .* states' "$tmp/out" || true
}

# A copy with one bug must build, and fail, in what its header says to run.
planted() {
	local patch=$1 copy only
	copy=$tmp/$(basename "$patch" .patch)
	only=$(sed -n 's/^Run: //p' "$patch")

	mkdir "$copy" && cp -r kernel "$copy" && patch -s -d "$copy" -p1 -F0 <"$patch" &&
		make -s -C tests/crash OUT="$copy/out" KERNEL_DIR="$copy/kernel" CFLAGS=-O1 \
			"$copy/out/crash" || return 1
	timeout 60 "$copy/out/crash" -x -o "$only" >"$copy/log" 2>&1
	case $? in
	0 | 124 | 125) tail -3 "$copy/log"; return 1 ;;
	esac
}

check "each state is before or after" explore timeout 300 "$program"
sed 's/^/# /' <"$tmp/out" | grep states, | tail -1
check "the same under sanitizers, caches kept" explore timeout 300 "$program-asan" -k
check "several workers find and mend what one does" explore build/tests/crash/workers-asan
check "and have nothing in common but what is atomic" explore build/tests/crash/workers-tsan
for patch in tests/crash/planted/*.patch; do
	check "found: $(sed -n 's/^Planted: //p' "$patch")" planted "$patch"
done

finish

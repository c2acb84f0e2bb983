#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A crash after each store of a rename over another name, and then after each of mounting
# what that left: before or after.  The same where the machine itself stops, of an
# operation with few stores.  And a bug is found that way.

cd "$(dirname "$0")/../.." || exit 1
. tests/tap.sh

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

check "a module that can stop the machine" make -s -C kernel KERNEL=6.12 CRASH=1
check "before or after" tests/pmem/stop over mount:over
check "before or after, where the machine stops" tests/pmem/stop -r chmod

mkdir "$tmp/build"
cp -a kernel include scripts vm tests VERSION "$tmp"
cp -a build/tests build/bin build/lib build/vm "$tmp/build"
patch -s -d "$tmp" -p1 -F0 <tests/crash/planted/moved.patch
check "the same with a bug" make -s -C "$tmp/kernel" KERNEL=6.12 CRASH=1
planted() {
	cd "$tmp" && tests/pmem/stop over >out 2>&1
	[ $? = 1 ]
}
check "is found" planted
is "by the look at the medium" "$(grep -c 'the medium is not whole' "$tmp/out")" 1
finish

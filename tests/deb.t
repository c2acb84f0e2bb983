#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The Debian packages: built, judged by lintian, and lived with in a clean root
# on each stock kernel.

cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
PATH=$PATH:/usr/sbin:/sbin

mkdir -p build
tmp=$(mktemp -d "$PWD/build/deb-test.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
version=$(<VERSION)

others() { git ls-files --others | grep -v ^build/; }
before=$(others)
check "make deb builds packages that lintian has nothing to say of" make deb
is "the packages" "$(cd build/deb && printf '%s\n' *)" \
"libmorsel-dev_${version}_amd64.deb
libmorsel0_${version}_amd64.deb
morsel-dkms_${version}_all.deb
morsel-tools_${version}_amd64.deb"
is "nothing else is left in the tree" "$(others)" "$before"

# Each line of an overrides file has a comment above it.
unreasoned() { awk '/^[^#]/ && last !~ /^#/ { print FILENAME ": " $0 } { last = $0 }' debian/*lintian-overrides 2>/dev/null; }
is "every override has a reason" "$(unreasoned)" ""

mismatch() {
	cp -r debian "$tmp" && echo 99 >"$tmp/VERSION" &&
		! make -C "$tmp" -f debian/rules clean >"$tmp/log" 2>&1 &&
		grep "changelog is of version $version, VERSION has 99" "$tmp/log"
}
check "another version in VERSION fails the build" mismatch

# kernel SERIES: what its packages have, less the drivers: nothing uses them, but
# depmod would read them all.
kernel() {
	local dir modules tree=$tmp/tree-$1

	dir=$(scripts/kernel "$1") || return
	modules=lib/modules/$(<"$dir/release")
	mkdir -p "$tree/usr/$modules" "$tree/boot" &&
		cp -a "$dir"/boot/config-* "$tree/boot" &&
		cp -a "$dir/$modules"/{build,source,modules.builtin*,modules.order} "$tree/usr/$modules" &&
		cp -a "$dir/usr" "$tree" &&
		depmod -b "$tree/usr" "${modules##*/}" &&
		truncate -s 1G "$tmp/$1.ext4" &&
		mke2fs -q -t ext4 -O ^has_journal -d "$tree" "$tmp/$1.ext4" &&
		rm -rf "$tree"
}

root=$(scripts/clean-root)
check "there is a clean root" test -e "$root"

# Most of the time goes to a compiler under emulation: both at once.
live() {
	vm/run --kernel "$1" --no-module --timeout 900 -- tests/deb/guest "$root" "$tmp/$1.ext4" \
		"$PWD"/build/deb/*.deb >"$tmp/$1.out" 2>"$tmp/$1.err"
	echo $? >"$tmp/$1.status"
}
for kernel in 6.12 6.1; do
	check "$kernel: its packages become a file system" kernel "$kernel"
	live "$kernel" &
done
wait

# The points of tests/deb/life become ours.
ended() { cat "$tmp/$1.err" && [ "$(<"$tmp/$1.status")" = 0 ] && grep -qx '# the end of life' "$tmp/$1.out"; }
for kernel in 6.12 6.1; do
	while read -r line; do
		case $line in
		'ok '*) pass "$kernel: ${line#ok * - }" ;;
		'not ok '*) fail "$kernel: ${line#not ok * - }" </dev/null ;;
		*) echo "# ${line#\# }" ;;
		esac
	done <"$tmp/$kernel.out"
	check "$kernel: the guest came to its end" ended "$kernel"
done

finish

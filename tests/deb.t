#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The Debian packages: built, judged by lintian, and lived with in a clean root
# on a stock kernel, DEB_KERNEL: 6.12, or what tests/debug/deb.t says.

cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
PATH=$PATH:/usr/sbin:/sbin

mkdir -p build
tmp=$(mktemp -d "$PWD/build/deb-test.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
version=$(<VERSION)
kernel=${DEB_KERNEL:-6.12}

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

# What the packages of the kernel have, less the drivers: nothing uses them, but
# depmod would read them all.
image() {
	local dir modules tree=$tmp/tree

	dir=$(scripts/kernel "$kernel") || return
	modules=lib/modules/$(<"$dir/release")
	mkdir -p "$tree/usr/$modules" "$tree/boot" &&
		cp -a "$dir"/boot/config-* "$tree/boot" &&
		cp -a "$dir/$modules"/{build,source,modules.builtin*,modules.order} "$tree/usr/$modules" &&
		cp -a "$dir/usr" "$tree" &&
		depmod -b "$tree/usr" "${modules##*/}" &&
		truncate -s 1G "$tmp/kernel.ext4" &&
		mke2fs -q -t ext4 -O ^has_journal -d "$tree" "$tmp/kernel.ext4" &&
		rm -rf "$tree"
}

root=$(scripts/clean-root)
check "there is a clean root" test -e "$root"
check "the packages of kernel $kernel become a file system" image

# Most of the time goes to a compiler under emulation.
vm/run --kernel "$kernel" --no-module --timeout 1800 -- tests/deb/guest "$root" "$tmp/kernel.ext4" \
	"$PWD"/build/deb/*.deb >"$tmp/out" 2>"$tmp/err"
status=$?

# The points of tests/deb/life become ours.
while read -r line; do
	case $line in
	'ok '*) pass "$kernel: ${line#ok * - }" ;;
	'not ok '*) fail "$kernel: ${line#not ok * - }" </dev/null ;;
	*) echo "# ${line#\# }" ;;
	esac
done <"$tmp/out"
ended() { cat "$tmp/err" && [ "$status" = 0 ] && grep -qx '# the end of life' "$tmp/out"; }
check "$kernel: the guest came to its end" ended

finish

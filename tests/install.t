#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# "make install", seen as a program that uses the library and as a user.

cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
root=$tmp/root
usr=$root/usr

check "make install" make install DESTDIR="$root" prefix=/usr

export PKG_CONFIG_LIBDIR=$usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root
is "pkg-config knows the version" "$(pkg-config --modversion libmorsel)" "$(<VERSION)"

cat >"$tmp/user.c" <<'END'
#include <morsel.h>
#include <stdio.h>

int main(void)
{
	return printf("%d\n", morsel_order_for(4097)) < 0;
}
END
# shellcheck disable=SC2046 # flags are words
compile() { gcc -Wall -Werror -o "$tmp/user" "$tmp/user.c" $(pkg-config --cflags --libs "$@" libmorsel); }
check "a program compiles and links" compile
is "it runs" "$(LD_LIBRARY_PATH=$usr/lib "$tmp/user")" 1
is "it needs the soname" \
	"$(readelf -d "$tmp/user" | sed -n 's/.*NEEDED.*\[\(libmorsel.*\)\]/\1/p')" libmorsel.so.0
check "it links statically" compile -static
check "the tool runs" "$usr/bin/morsel" --help
check "so does mkfs" "$usr/sbin/mkfs.morselfs" --help
check "so does the benchmark" "$usr/bin/morsel-bench" --list


# What was released stays: programs that were linked with it look for it.
symbols() { readelf --dyn-syms --wide "$usr/lib/libmorsel.so" | grep -o "[^ ]*@@$1" | sed 's/@@.*//' | sort | xargs; }
is "symbols of version 0.1" "$(symbols LIBMORSEL_0.1)" \
	"morsel_create morsel_destroy morsel_device_open morsel_fd_recv morsel_fd_send morsel_id_order \
morsel_info morsel_map morsel_next morsel_open morsel_order_for morsel_stats morsel_unmap"
is "symbols of version 0.2" "$(symbols LIBMORSEL_0.2)" \
	"morsel_create_at morsel_map_range morsel_populate morsel_punch"
is "symbols of version 0.3" "$(symbols LIBMORSEL_0.3)" morsel_next_table
for symbol in $(symbols 'LIBMORSEL_.*'); do
	check "$symbol(3) is there" test -e "$usr/share/man/man3/$symbol.3"
done

for file in lib/libmorsel.a lib/libmorsel.so.0 include/linux/morsel.h \
	lib/udev/rules.d/60-morsel.rules share/man/man1/morsel.1 share/man/man1/morsel-bench.1 \
	share/man/man8/mkfs.morselfs.8 share/bash-completion/completions/mkfs.morselfs; do
	check "usr/$file is there" test -e "$usr/$file"
done

pages() { find "$usr/share/man" -type f -print0 | xargs -0 mandoc -T lint -W warning; }
check "manual pages are clean" pages

completion=$usr/share/bash-completion/completions/morsel
check "bash completion loads" bash -ec ". '$completion'; complete -p morsel"

# As dkms(8) does it: a copy of the installed sources, built on its own.
dkms() {
	cp -r "$usr/src/morsel-$(<VERSION)" "$tmp/build" &&
		make -C "$(scripts/kernel 6.12)/build" M="$tmp/build/kernel" \
			CONFIG_DEBUG_INFO_BTF_MODULES= modules &&
		test -e "$tmp/build/kernel/morsel.ko"
}
check "the DKMS source tree builds" dkms
is "dkms.conf knows the version" \
	"$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)" "$(<VERSION)"

finish

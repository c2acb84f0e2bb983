#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What is on a device stays there, whichever kernel mounts it, and wherever the machine
# has the device; and what is no pool, or a damaged one, is refused and left as it is.

cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# guest KERNEL MEMORY DOMAIN COMMAND: with the device mounted
guest() {
	vm/run --kernel "$1" --mem "$2" --timeout 300 --share "$tmp" --nvdimm-domain "$3" --nvdimm "$tmp/device" -- \
		bash -ec "mkdir /run/pool; mount -t morselfs /dev/pmem0 /run/pool
			$4
			umount /run/pool"
}

truncate -s 256M "$tmp/device"
check "a device is made a pool" vm/run --timeout 120 --mem 2G --nvdimm "$tmp/device" -- \
	build/bin/mkfs.morselfs /dev/pmem0
check "and filled" guest 6.12 2G cpu "
	tests/pmem/keep make /run/pool
	grep ' /run/pool .*persistence_domain=cpu_cache' /proc/mounts
	tests/pmem/keep show /run/pool >'$tmp/first'
	! mount -t morselfs /dev/pmem0 /mnt
	df --output=used,iused /run/pool | tail -n 1 >'$tmp/used'"
for machine in "6.1 3G cpu" "6.12 4G mem-ctrl" "6.1 2G mem-ctrl" "6.12 2G cpu full"; do
	read -r kernel memory domain full <<<"$machine"
	check "mounted by $kernel with $memory of memory, $domain" guest "$kernel" "$memory" "$domain" "
		tests/pmem/keep show /run/pool >'$tmp/again'
		df --output=used,iused /run/pool | tail -n 1 >'$tmp/used-again'
		${full:+MORSEL_POOL=1 build/tests/fs/full /run/pool}"
	check "all is there" diff "$tmp/first" "$tmp/again"
	check "and takes as much" diff "$tmp/used" "$tmp/used-again"
done

# Each of these is refused, with a line in the log that says why, and stays as it is.
cp --sparse=always "$tmp/device" "$tmp/whole"
# The first two MiB of the file are the driver's.
damage() { printf %b "$2" | dd of="$tmp/device" bs=1 seek=$((2097152 + $1)) conv=notrunc status=none; }
refused() {
	local what=$1
	check "$what: refused, and says why" vm/run --timeout 120 --mem 2G --nvdimm "$tmp/device" -- bash -c "
		before=\$(md5sum </dev/pmem0)
		! mount -t morselfs /dev/pmem0 /mnt && dmesg | grep 'morsel: /dev/pmem0: $2' &&
			[ \"\$(md5sum </dev/pmem0)\" = \"\$before\" ]"
	cp --sparse=always "$tmp/whole" "$tmp/device"
}
damage 0 x
refused "another magic number" "not a pool"
damage 20 x
refused "a damaged super block" "the super block is damaged"
# Of the first table of the tree of inodes, an entry that is none of the pool.
damage 12288 '\x67\xf8\xff\xff\xff\x7f\x00\x80'
refused "a tree that leads out of the pool" "names a frame that is not in the pool"
finish

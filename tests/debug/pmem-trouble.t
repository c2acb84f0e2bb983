#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What goes wrong with a device while it is mounted, or has before.

cd "$(dirname "$0")/../.." || exit 1
. tests/tap.sh

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# With something in it.
make="build/bin/mkfs.morselfs -q /dev/pmem0 && mkdir /run/pool && mount -t morselfs /dev/pmem0 /run/pool &&
	tests/pmem/keep make /run/pool && umount /run/pool"
truncate -s 128M "$tmp/before"
check "a device is made a pool" vm/run --timeout 240 --mem 2G --nvdimm "$tmp/before" -- bash -c "$make"
for machine in "6.12 cpu" "6.1 mem-ctrl"; do
	read -r kernel domain <<<"$machine"
	cp --sparse=always "$tmp/before" "$tmp/device"
	check "failed memory, no room, read-only, forced, taken away, bad blocks: $kernel, $domain" \
		vm/run --kernel "$kernel" --mem 2G --timeout 400 --nvdimm-domain "$domain" --nvdimm "$tmp/device" -- \
		tests/pmem/trouble
done
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What goes wrong with a device while it is mounted.

cd "$(dirname "$0")/../.." || exit 1
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

truncate -s 128M "$tmp/device"
check "a device is made a pool" vm/run --timeout 120 --mem 2G --nvdimm "$tmp/device" -- \
	build/bin/mkfs.morselfs /dev/pmem0
cat >"$tmp/trouble" <<'END'
set -ex
mount -t debugfs none /sys/kernel/debug || true
modprobe hwpoison-inject
tests/pmem/failed /run/pool
# Full, and not any more.
MORSEL_POOL=1 build/tests/fs/full /run/pool
avail() { df --output=avail /run/pool | tail -n 1 | tr -d ' '; }
free=$(avail)
! cat /dev/zero >/run/pool/zero
[ "$(avail)" = 0 ]
! mkdir -p /run/pool/more/{1..2000}
rm -r /run/pool/zero /run/pool/more
left=$(avail)
((free - left < 1024))
# Read-only, and what is on a device is the device's to say.
mount -o remount,ro /run/pool
! touch /run/pool/file
! mount -o remount,rw,size=1G /run/pool
mount -o remount,rw /run/pool
# The device is taken away: the kernel waits until it is unmounted.
driver=/sys/bus/nd/drivers/nd_pmem
for device in "$driver"/pfn*; do
	echo "${device##*/}" >"$driver/unbind" &
done
sleep 2
[ -e /dev/pmem0 ] && touch /run/pool/file
umount /run/pool
wait
[ ! -e /dev/pmem0 ]
mkdir /run/pool/none && mount --bind /run/pool/none /run/pool
END
cp --sparse=always "$tmp/device" "$tmp/before"
for kernel in 6.12 6.1; do
	check "failed memory, no room, read-only, taken away: $kernel" guest "$kernel" 2G cpu "bash '$tmp/trouble'"
	cp --sparse=always "$tmp/before" "$tmp/device"
done
rm "$tmp/before"
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fio: random writes by each of its engines, two jobs at a time, all verified; and
# one job that reads by a mapping what another one writes by calls.

. tests/fs/program.sh
cd "$work" || exit

common=(--directory="$work" --size=6M --numjobs=2 --group_reporting --verify=crc32c --verify_fatal=1
	--verify_backlog=256 --randseed=1 --fallocate=none)

for engine in mmap psync sync vsync pvsync2 libaio io_uring posixaio; do
	depth=1
	case $engine in
	libaio | io_uring | posixaio) depth=8 ;;
	esac
	for sizes in 4k-4k 512-68k; do
		check "$engine, $sizes" fio "${common[@]}" --name="$engine" --ioengine=$engine \
			--iodepth=$depth --rw=randwrite --bsrange=$sizes
		rm -f "$work"/*
	done
done
check "mmap, sequential, with msync" fio "${common[@]}" --name=fsync --ioengine=mmap --rw=write --bs=4k --fsync=32
check "mmap, mixed" fio "${common[@]}" --name=mixed --ioengine=mmap --rw=randrw --bs=4k
rm -f "$work"/*
check "written by calls" fio --directory="$work" --name=cross --filename=cross --size=8M --ioengine=psync --rw=randwrite \
	--bs=4k --randseed=2 --verify=crc32c --do_verify=0
check "and verified by a mapping" fio --directory="$work" --name=cross --filename=cross --size=8M --ioengine=mmap \
	--rw=randwrite --bs=4k --randseed=2 --verify=crc32c --verify_only
finish

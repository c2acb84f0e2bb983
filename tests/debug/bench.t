#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Those measurements that take a while even when they are small: flame graphs,
# contention of many processors, memcached, instructions one by one, and
# persistent memory, whose guests are killed.

cd "$(dirname "$0")/../.." || exit 1
. tests/tap.sh

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

check "flame graphs are drawn" vm/run --cpus 1 --share "$tmp" -- bench/flame 1 "$tmp"
check "of what the morsel does" grep -q "morsel_vm_fault" "$tmp/faults-flame-morsel-1.svg"
check "and of what shared anonymous memory does" grep -q "shmem_fault" "$tmp/faults-flame-anonymous-1.svg"

# A status of 1 says that a bar is missed.
contention() { bench/contention/run --quick --out "$tmp/contention.json" || [ $? = 1 ]; }
check "contention runs" contention
check "contention: well-formed" jq -e '.format == 1 and .quick and all(.series[]; .samples | length > 0)
	and ([.series[].peer] | unique == ["morsel", "shared anonymous"])' "$tmp/contention.json"

check "memcached runs" vm/run --share "$tmp" -- bench/memcached --quick --rounds 1 --output "$tmp/memcached.json"
check "memcached: well-formed" jq -e '.format == 1 and .benchmark == "memcached" and .quick
	and all(.series[]; (.samples | length > 0) and all(.samples[]; . > 0))
	and ([.series[] | select(.metric == "throughput").peer] == ["memcached on a morsel", "memcached"])' "$tmp/memcached.json"

check "instructions are counted" bench/instructions/run "$tmp/instructions.json"
# A page that an earlier fault took along costs nothing.
check "instructions: well-formed" jq -e '.format == 1
	and all(.series[]; (.samples | length > 0) and (.samples | add / length > 500) and (.functions | length > 0)
		and ((.peer | contains("MADV_SEQUENTIAL")) or all(.samples[]; . > 500)))
	and ([.series[] | select(.metric == "instructions, page fault").peer]
		| index("morsel") and index("shared anonymous"))' "$tmp/instructions.json"

check "files on persistent memory run" bench/pmem/run -q "$tmp/results/pmem.json"
check "pmem: well-formed" jq -e '.format == 1 and .benchmark == "pmem" and .quick
	and all(.series[]; (.samples | length > 1) and all(.samples[]; . > 0))
	and ([.series[] | select(.metric == "mount after a crash").peer]
		| sort == ["ext4", "morselfs, persistent", "xfs"])' "$tmp/results/pmem.json"
# Each bar finds what it needs, and none is met by a quick run.
check "its bars find their numbers" bash -c "bench/report --bars '$tmp/results' | grep -E 'pmem|persistent|crash' >'$tmp/bars'
	[ \$(wc -l <'$tmp/bars') = 6 ] && ! grep -v 'a quick run' '$tmp/bars'"
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Those measurements that take a while even when they are small: flame graphs, and
# contention of many processors.

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
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The benchmarks of morsel-bench run, with everything small, and leave results that
# are whole: nothing is said of times.  tests/debug/bench.t has those that take longer.

cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# METRIC/PEER that the document of NAME is to have, one a line.
wanted() {
	sed -n "s/^$1: //p" <<'END'
faults: population by faults/morsel
faults: population by faults/shared anonymous
populate: explicit population/morsel, ioctl
populate: explicit population/shared anonymous, MAP_POPULATE
populate: explicit population/memset of the same memory
map: map + touch + unmap/morsel
map: map/POSIX shm, MAP_POPULATE
map: unmap/ext4 file
attach: map + unmap of a populated object/morsel
growth: attach against order/morsel
growth: detach against processors/morsel
growth: tables against density/morsel
transfer: time per 32-MiB packet/morsel
transfer: time per 32-MiB packet/filling alone
model: time until every page is mapped/morsel, order 3
model: time until every page is mapped/ext4 file
processes: page-table memory/morsel
processes: page-table memory/POSIX shm
fork: fork/morsel
fork: fork/private anonymous
files: map + touch + unmap/morselfs
files: map + touch + unmap/tmpfs
files: open + map + close + unmap/morselfs
files: open + map + close + touch of one page + unmap/morselfs
files: read of a file/morselfs
files: read of a file/tmpfs
files: write over a file/morselfs
files: write over a file/tmpfs
files: write of a new file/morselfs
files: read of a sparse file/morselfs
build: git clone/morselfs
build: git clone/tmpfs
build: make/morselfs
build: make/tmpfs
END
}

# shellcheck disable=SC2016 # for jq
well_formed='
	.format == 1 and .benchmark == $name and .quick
	and (.machine.kernel | startswith("6.12"))
	and (.machine.cpus == 2) and (.machine.pti | type == "boolean")
	and (.missing | length == 0)
	and (.series | length > 0)
	and all(.series[];
		(.samples | length > 0) and all(.samples[]; type == "number")
		and (.unit == "s" or .unit == "bytes")
		and ((.unit == "s" | not) or all(.samples[]; . > 0))
		and ((.axis == null) == (.x == null)))
	and ([.series[] | [.metric, .peer, .x]] | (unique | length) == length)'

mapfile -t names < <(build/bench/morsel-bench --list | cut -d ' ' -f 1)
is "there are benchmarks" "$((${#names[@]} >= 11))" 1

# One guest for all of them.
for name in "${names[@]}"; do
	echo "build/bench/morsel-bench $name --quick --dir /run/disk --morselfs /run/morselfs --tmpfs /run/tmpfs" \
		"--repository /run/repository --output '$tmp/$name.json' || exit"
done >"$tmp/all"
check "all of them run" vm/run --disk 1G --share "$tmp" -- bash -c "
	mkfs.ext4 -q /dev/vda && mkdir /run/disk && mount /dev/vda /run/disk || exit
	mkdir /run/morselfs /run/tmpfs && bench/repository -q /run/repository || exit
	mount -t morselfs none /run/morselfs && mount -t tmpfs -o huge=never none /run/tmpfs || exit
	bash '$tmp/all' && ! find /run/morselfs /run/tmpfs -mindepth 1 | grep . && umount /run/disk /run/morselfs /run/tmpfs"
for name in "${names[@]}"; do
	check "$name: well-formed" jq -e --arg name "$name" "$well_formed" "$tmp/$name.json"
	check "$name: the report needs something of it" [ -n "$(wanted "$name")" ]
	is "$name: has what the report needs" \
		"$(comm -13 <(jq -r '.series[] | "\(.metric)/\(.peer)"' "$tmp/$name.json" | sort -u) <(wanted "$name" | sort))" ""
done

check "an unknown benchmark is refused" bash -c "! build/bench/morsel-bench nothing"
check "so is a senseless number of rounds" bash -c "! build/bench/morsel-bench -r 0 faults"
finish

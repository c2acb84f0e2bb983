#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# morsel tree of morsels without a name, in TAP: against what debugfs has of every
# table, and /proc of every mapping.  Runs as root in a guest, from the top of the
# repository; needs jq.
set -u

. tests/tap.sh
morsel=build/bin/morsel
trees=/sys/kernel/debug/morsel/trees
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mountpoint -q /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug

# Both as lines of what debugfs has.
by_debugfs() {
	awk -v id="id=$1" '/^morsel/ { on = $2 == id } on && /^ table/' "$trees"
}
by_tree() {
	$morsel tree --json "$1" | jq -r '.tables[] |
		" table rights=\(.rights) level=\(.level) first=\(.offset / 4096) used=\(.used)"'
}
# Lines of the drawing, with single blanks.
drawn() {
	$morsel tree "$1" | tr -s ' ' | sed 's/^ //'
}

page=$($morsel create -o 0)
is "a page: no tables" "$(drawn "$page")" "$page: 4K, order 0, data frames 1, table frames 0
no tables
mappings 0, attached entries 0"
$morsel rm "$page"

full=$($morsel create -o 2)
$morsel populate "$full"
is "full: a gigabyte is a few lines" "$(drawn "$full")" \
	"$full: 1G, order 2, data frames 262144, table frames 513
rw level 2 1 table 512 of 512 used, 100.0 %
level 1 512 tables 262144 of 262144 used, 100.0 %
0-1G level 2 512/512
0-2M level 1 512/512 and 511 like it up to 1G
mappings 0, attached entries 0"
is "full: JSON has every table" "$($morsel tree --json "$full" | jq -c \
	'[(.tables | length), .info.table_frames, .tables[-1].offset + .tables[-1].bytes == .info.size]')" "[513,513,true]"
is "full: as debugfs has them" "$(by_tree "$full")" "$(by_debugfs "$full")"
$morsel rm "$full"

sparse=$($morsel create -o 3)
for ((i = 0; i < 8; i++)); do
	$morsel populate -o $((5 + i * 4))G -n 12K "$sparse"
done
$morsel populate -o 511G -n 1M "$sparse"
$morsel get --offset 5G -n 4K "$sparse" - | cmp -n 4096 - /dev/zero
is "sparse: as debugfs has them, for two sets of rights" "$(by_tree "$sparse")" "$(by_debugfs "$sparse")"
is "sparse: of which there are" "$(by_tree "$sparse" | cut -d' ' -f3,4 | sort | uniq -c | tr -s ' \n' ' ')" \
	" 1 rights=r level=1 1 rights=r level=2 1 rights=r level=3 9 rights=rw level=1 9 rights=rw level=2 1 rights=rw level=3 "
is "sparse: what is alike is one line" "$(drawn "$sparse" | sed -n '2,/^511G/p')" \
	"rw level 3 1 table 9 of 512 used, 1.8 %
level 2 9 tables 9 of 4608 used, 0.2 %
level 1 9 tables 280 of 4608 used, 6.1 %
0-512G level 3 9/512
5G-6G level 2 1/512 and 7 like it, every 4G, up to 34G
5G-5122M level 1 3/512
511G-512G level 2 1/512"
$morsel rm "$sparse"

many=$($morsel create -o 2)
for ((i = 0; i < 20; i++)); do
	$morsel populate -o $((2 * i))M -n $((4 * (1 + i * 7 % 20)))K "$many"
done
is "many that differ: what would be too many lines is one" "$(drawn "$many" | tail -n 2 | head -n 1)" \
	"24M-40M level 1 8 more, 5/512 to 20/512"
is "many that differ: JSON has all of them" "$($morsel tree --json "$many" | jq '.tables | length')" 21
$morsel rm "$many"

# put waits for its input with the morsel mapped.
id=$($morsel create -o 2)
mkfifo "$tmp/fifo"
$morsel put --into "$id" "$tmp/fifo" >/dev/null &
pid=$!
exec 3>"$tmp/fifo"
head -c 4096 /dev/urandom >&3
until (($($morsel info --json "$id" | jq .attachments))); do sleep 0.1; done
range=$(awk '$2 == "rw-s" && /morsel/ { print $1 }' "/proc/$pid/maps")
is "mapped: who has it, where, and at which level" "$(drawn "$id" | tail -n 3)" \
	"mappings 1, attached entries 1
PID COMMAND ADDRESSES OFFSET RIGHTS ATTACHED AT
$pid morsel $range 0 rw-s level 2 (1G)"
is "mapped: the same as JSON" "$($morsel tree --json "$id" | jq -c '[.mappings[0][]], .unread_processes')" \
	"[$pid,\"morsel\",\"0x${range%-*}\",\"0x${range#*-}\",0,\"rw-s\",2]
0"
mode=$(stat -c %a /dev/morsel)
chmod 666 /dev/morsel
$morsel chmod 644 "$id"
is "mapped: who may not look there is told so" "$(setpriv --reuid=65534 --regid=65534 --clear-groups \
	$morsel tree "$id" | tail -n 3 | sed 's/read: [1-9].*/read: some/')" \
	"mappings 1, attached entries 1
mappings not to be seen here: 1
processes that could not be read: some"
chmod "$mode" /dev/morsel
exec 3>&-
wait $pid
is "unmapped" "$($morsel tree --json "$id" | jq -c .mappings)" "[]"
$morsel rm "$id"

# wrong STATUS MESSAGE ARGUMENT...
wrong() {
	local status=$1 message=$2
	shift 2
	$morsel tree "$@" >/dev/null 2>"$tmp/err"
	is "status $status: $message" "$? $(head -n 1 "$tmp/err")" "$status $message"
}
wrong 1 "morsel: $id: no living morsel has this ID" "$id"
wrong 1 "morsel: 0x0000000000000005: no living morsel has this ID" 5
wrong 2 "morsel tree: which morsel? give its ID, or a file"
wrong 2 "morsel tree: one morsel at a time" 1 2
$morsel tree 1 --json >/dev/full 2>"$tmp/err"
is "an error wins over the output" $? 1
finish

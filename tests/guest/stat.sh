#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Watching morsels: morsel stat, morsel top and debugfs, in TAP.  Runs as root
# in a guest, from the top of the repository; needs jq.
set -u

morsel=build/bin/morsel
debugfs=/sys/kernel/debug
trees=$debugfs/morsel/trees
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
. tests/guest/points.sh

# counter ID NAME: a line of morsel stat
counter() {
	$morsel stat "$1" | awk -v name="$2" '{ sub(/^ */, "") } index($0, name) == 1 { sub(name, ""); print $1 }'
}

# lines ID [PATTERN]: of the morsel's own part of the trees
lines() {
	awk -v id="id=$1" '/^morsel/ { on = $2 == id } on' "$trees" | grep -E "${2-}"
}

mountpoint -q $debugfs || mount -t debugfs debugfs $debugfs

# Counters
id=$($morsel create -o 2)
$morsel populate -n 64K "$id"
$morsel punch -o 0 -n 32K "$id"
is "$(counter "$id" 'data frames')" 8 "data frames"
is "$(counter "$id" allocated)" 16 "of so many that were taken"
is "$(counter "$id" freed)" 8 "so many are given back"
is "$(counter "$id" 'level 1') $(counter "$id" 'level 2') $(counter "$id" 'level 3')" "1 1 0" "tables by level"
$morsel get -n 2M "$id" - | wc -c >/dev/null
is "$(counter "$id" attached) $(counter "$id" detached)" "1 1" "an entry came and went"
is "$($morsel stat --json "$id" | jq -c '[.data_frames, .allocated, .attached, .tables]')" \
	"[512,520,1,[2,2,0,0]]" "the same as JSON, with the tables for another set of rights"

# Again and again
"$morsel" stat -i 0.3 -c 3 "$id" >"$tmp/rates"
is $? 0 "stat three times"
is "$(wc -l <"$tmp/rates")" 4 "prints a title and three lines"
is "$(awk 'NR > 1 { sum += $(NF - 3) + $(NF - 2) + $(NF - 1) + $NF } END { print sum + 0 }' "$tmp/rates")" 0 \
	"nothing happened meanwhile"
$morsel stat -i 0.2 "$id" >"$tmp/rates" 2>"$tmp/err" &
pid=$!
while (($(wc -l <"$tmp/rates") < 3)); do sleep 0.1; done
$morsel populate -o 4M -n 1M "$id"
while (($(awk 'NR > 1 { n += $(NF - 3) > 0 } END { print n + 0 }' "$tmp/rates") < 1)); do sleep 0.1; done
point 0 "and sees what happens"
$morsel rm "$id"
point $? "what is watched can be destroyed"
wait $pid
is $? 1 "that ends it"
is "$(cat "$tmp/err")" "morsel: $id: no living morsel has this ID" "and it says so"

# top
small=$($morsel create -o 1)
large=$($morsel create -o 1)
$morsel populate -n 4K "$small"
$morsel populate -n 400K "$large"
is "$($morsel top -i 0.1 -c 1 -s data | awk -v a="$small" -v b="$large" '$1 == a || $1 == b { print $1 }' | tr '\n' ' ')" \
	"$large $small " "top: the larger one first"
(while sleep 0.05; do $morsel punch -o 0 -n 4K "$small" && $morsel populate -n 4K "$small"; done) &
busy=$!
# In one second of a top what is busy may be held up for longer than that.
for ((try = 0; try < 10; try++)); do
	order=$($morsel top -i 1 -c 2 | awk -v a="$small" -v b="$large" '$1 == a || $1 == b { print $1 }' | tail -n 2 | tr '\n' ' ')
	[[ $order != "$small $large " ]] || break
done
is "$order" "$small $large " "top: the busy one first"
kill $busy
wait $busy 2>/dev/null
for args in "stat -i 0 $small" "stat -i x $small" "stat -i 1" "stat -c 1 $small" "stat -c 0 -i 1 $small" \
	"stat --json -i 1 $small" "stat $small $large" "top -s size" "top -i -1" "top -c x" "top x"; do
	# shellcheck disable=SC2086
	$morsel $args >/dev/null 2>"$tmp/err" </dev/null
	is $? 2 "no such thing: $args"
	grep -q ^morsel "$tmp/err" || point 1 "  and says why"
done
$morsel stat 1 2>"$tmp/err"
is "$?, $(cat "$tmp/err")" "1, morsel: 0x0000000000000001: no living morsel has this ID" "stat: an ID that names nothing"
$morsel stat x 2>"$tmp/err"
is "$?, $(cat "$tmp/err")" "1, morsel: x: no such file, nor an ID (\`morsel ls' has them)" "stat: neither"
while $morsel rm "$small" "$large" 2>/dev/null; (($($morsel ls -q | grep -cxE "$small|$large"))); do sleep 0.1; done

# Every table
is "$(stat -c %a "$trees")" 400 "the trees are for root"
id=$($morsel create -o 3)
$morsel populate -n 12K "$id"
$morsel populate -o 1G -n 8K "$id"
$morsel populate -o 5T -n 4K "$id" 2>/dev/null
is "$(lines "$id" ^morsel)" "morsel id=$id order=3 flags=0x0 data=5 tables=5 reserve=0 allocated=5 mappings=0 attachments=0 attached=0" \
	"a morsel"
is "$(lines "$id" "^ table")" " table rights=rw level=3 first=0 used=2
 table rights=rw level=2 first=0 used=1
 table rights=rw level=1 first=0 used=3
 table rights=rw level=2 first=262144 used=1
 table rights=rw level=1 first=262144 used=2" "its tables"
$morsel get -n 2M "$id" - | wc -c >/dev/null
is "$(lines "$id" 'rights=r ')" " table rights=r level=3 first=0 used=1
 table rights=r level=2 first=0 used=1
 table rights=r level=1 first=0 used=512" "and those for other rights"
page=$($morsel create -o 0)
is "$(lines "$page" | wc -l)" 1 "a page has none"
$morsel rm "$id" "$page"

# While they come and go
(while :; do
	id=$($morsel create -o 3)
	$morsel populate -n 4K "$id"
	$morsel populate -o 1G -n 4K "$id"
	until $morsel rm "$id" 2>/dev/null; do :; done
	echo >>"$tmp/gone"
	[[ -e $tmp/stop ]] && break
done) &
busy=$!
wrong=0 seen=0
: >"$tmp/gone"
while ((SECONDS < 120 && (seen < 30 || $(wc -l <"$tmp/gone") < 10))); do
	# A part that is read is about one morsel, as it was then.
	awk '/^morsel/ { if (!match($0, /id=0x[0-9a-f]* order=/)) bad++; n++ }
		/^ table/ { if (!n) bad++ } !/^( table|morsel)/ { bad++ }
		END { exit bad > 0 }' "$trees" || ((wrong++))
	((seen++))
done
touch "$tmp/stop"
wait $busy
is "$wrong" 0 "read $seen times while $(wc -l <"$tmp/gone") morsels came and went"

echo "1..$count"
((!failed))

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# morsel(1) from end to end, in TAP.  Runs as root in a guest, from the top of
# the repository; needs jq.
set -u

morsel=build/bin/morsel
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
. tests/guest/points.sh

# fails STATUS MESSAGE COMMAND...: exits so, and MESSAGE is in its first error line
fails() {
	local want=$1 message=$2 status lines
	shift 2
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	status=$?
	mapfile -t lines <"$tmp/err"
	[[ $status == "$want" && ${lines[0]-} == "morsel"*"$message"* ]]
	point $? "status $want: $message" ||
		printf '# status %s, "%s"\n' "$status" "${lines[*]}"
	if ((want == 1)); then
		is "${#lines[@]}" 1 "  in one line"
	fi
}

# Error lines on purpose, at the end of a pipe or in the background.
quietly() {
	"$@" 2>"$tmp/err"
}

morsels() {
	$morsel stat --json | jq .morsels
}

fact() { # ID FACT
	$morsel info --json "$1" | jq -r ".$2"
}

facts() { # ID FACT...: all in one line
	local id=$1 IFS=,
	shift
	$morsel info --json "$id" | jq -c "[${*/#/.}]"
}

id_re='^0x[0-9a-f]{16}$'
start=$(morsels)
head -c 100000 /dev/urandom >"$tmp/small"
head -c 5000000 /dev/urandom >"$tmp/large"
printf 'short' >"$tmp/short"
: >"$tmp/empty"

# create
id=$($morsel create)
[[ $id =~ $id_re ]]
point $? "create prints an ID" || echo "# $id"
is "$(fact "$id" order)" 2 "create: order 2 by default"
is "$(fact "$id" mode)" 0600 "create: mode 0600 by default"
is "$(fact "$id" table_frames)" 1 "create: one frame"
is "$(fact "$id" descriptors)" 0 "info does not count its own descriptor"
sized=$($morsel create -s 513G -m 640 2>/dev/null || $morsel create -s 2M -m 640)
is "$(fact "$sized" mode)" 0640 "create: -m"
(($(fact "$sized" size) >= 2 << 20))
point $? "create: -s"
one=$($morsel create --json -o 1 | jq -r 'select(.order == 1 and .size == 2097152).id')
[[ $one =~ $id_re ]]
point $? "create --json"

# ls, info, stat
is "$($morsel ls -q | grep -cxE "$id|$sized|$one")" 3 "ls -q prints the IDs"
is "$($morsel ls | wc -l)" $((start + 4)) "ls prints a header and a line each"
is "$($morsel ls --json | jq -r ".[] | select(.id == \"$one\").size")" 2097152 "ls --json"
is "$($morsel info $((id)) | awk '$1 == "ID" { print $2 }')" "$id" "info takes a decimal ID"
$morsel stat | grep -q "^morsels *$((start + 3))$"
point $? "stat"
$morsel rm "$id" "$sized" "$one"
point $? "rm of several"
is "$(morsels)" "$start" "they are gone"
is "$($morsel ls --json | jq 'type')" '"array"' "ls --json of whatever is left"

# put and get
id=$($morsel put "$tmp/small")
is "$(fact "$id" order)" 1 "put: smallest order that fits"
$morsel get -n 100000 "$id" "$tmp/back"
cmp "$tmp/small" "$tmp/back"
point $? "get into a file gives it back"
cp "$tmp/small" "$tmp/padded"
truncate -s 2M "$tmp/padded"
$morsel get "$id" | cmp - "$tmp/padded"
point $? "get to standard output: zeroes behind the content"
tail -c 10 "$tmp/small" >"$tmp/tail"
$morsel get --offset 99990 -n 10 "$id" - | cmp - "$tmp/tail"
point $? "get --offset"
is "$($morsel put --into "$id" --offset 4K "$tmp/short")" "$id" "put --into prints the ID"
is "$($morsel get --offset 4K -n 5 "$id")" short "put --into --offset"
$morsel get -n 4K "$id" | cmp -n 4096 - "$tmp/small"
point $? "put --offset leaves the rest"
$morsel rm "$id"

id=$($morsel put - <"$tmp/large")
is "$(fact "$id" order)" 2 "put: standard input that is a file has a length"
$morsel get -n 5000000 "$id" | cmp - "$tmp/large"
point $? "and comes back"
$morsel rm "$id"
# shellcheck disable=SC2002
json=$(cat "$tmp/large" | $morsel put -o 3 -m 600 --json)
id=$(jq -r .id <<<"$json")
is "$(jq -c '[.order, .bytes]' <<<"$json")" '[3,5000000]' "put --json of a pipe"
$morsel get -n 5000000 "$id" | cmp - "$tmp/large"
point $? "and comes back"
fails 2 "say how much with -n" $morsel get "$id"
$morsel rm "$id"
id=$($morsel put "$tmp/empty")
is "$(fact "$id" order)" 0 "put of an empty file: order 0"
$morsel get "$id" | cmp -n 4096 - /dev/zero
point $? "and reads as zero"
fails 1 "has only 4096 bytes" $morsel get -n 4097 "$id"
fails 1 "has only 4096 bytes" $morsel get --offset 4097 "$id"
fails 1 "$tmp/small: does not fit in a morsel of order 0 (4 KiB)" \
	$morsel put --into "$id" "$tmp/small"
$morsel rm "$id"
id=$($morsel put --offset 2M "$tmp/short")
is "$(fact "$id" order)" 2 "put --offset counts for the order"
is "$($morsel get --offset 2M -n 5 "$id")" short "and comes back"
$morsel rm "$id"
truncate -s 64M "$tmp/shrinks"
$morsel put "$tmp/shrinks" >"$tmp/id" &
sleep 0.2
truncate -s 5000 "$tmp/shrinks"
wait $!
point $? "put of a file that shrinks"
$morsel rm "$(<"$tmp/id")"
is "$(morsels)" "$start" "all are gone"

# fixed addresses
address=0x110000000000
id=$($morsel create --address $address -m 640)
[[ $id =~ $id_re ]]
point $? "create --address prints an ID" || echo "# $id"
is "$(facts "$id" order size mode)" "[2,$((1 << 30)),\"0640\"]" \
	"create --address: order 2 by default, the size of the data, -m"
is "$(facts "$id" address flags)" "[\"$address\",[\"meta\"]]" "info --json: address and flags"
is "$($morsel info "$id" | awk '$1 == "address" || $1 == "flags" { print $2 }' | xargs)" \
	"$address meta" "info: address and flags"
is "$($morsel ls | awk -v id="$id" '$1 == id { print $NF, $(NF - 1) }')" \
	"meta $address" "ls: address and flags"
is "$($morsel ls --json | jq -r ".[] | select(.id == \"$id\").address")" "$address" \
	"ls --json: the address"
json=$($morsel put --into "$id" --json "$tmp/large")
is "$(jq -c '[.order, .bytes]' <<<"$json")" '[2,5000000]' "put --into prints the order of the data"
$morsel get -n 5000000 "$id" | cmp - "$tmp/large"
point $? "get of it"
$morsel rm "$id"
json=$($morsel create --json -o 3 --address 17T)
id=$(jq -r .id <<<"$json")
is "$(jq -c '[.order, .size]' <<<"$json")" '[3,549755813888]' "create --json --address"
is "$(fact "$id" address)" $address "an address with a suffix"
fails 2 "say how much with -n" $morsel get "$id"
$morsel rm "$id"
id=$($morsel create -o 0)
is "$(facts "$id" address flags)" '[null,[]]' "info --json: neither address nor flags"
is "$($morsel info "$id" | awk '$1 == "address" || $1 == "flags" { print $2 }' | xargs)" \
	"any none" "info: neither"
is "$($morsel ls | awk -v id="$id" '$1 == id { print $NF, $(NF - 1) }')" "- -" "ls: neither"
$morsel rm "$id"
# Where the stack begins when nothing is left to chance.
id=$($morsel create -o 0 --address 0x7fffffffe000)
fails 1 "$id: something else is at its fixed address in this process" \
	setarch --addr-no-randomize $morsel get "$id"
$morsel rm "$id"

# An ephemeral morsel lives as long as somebody has it, which no command is for:
# perl creates it (struct morsel_create) and prints its ID and its descriptor.
for what in "1 0 ephemeral" "3 $address ephemeral,meta"; do
	read -r flags at names <<<"$what"
	# shellcheck disable=SC2016 # for perl
	coproc perl -e '
		my ($flags, $at) = map { hex } @ARGV;
		my $arg = pack "L3 l Q3", 1, $flags, 0640, -1, 0, $at, 0;
		open my $dev, "+<", "/dev/morsel" or die "/dev/morsel: $!";
		ioctl $dev, 0xc028d300, $arg or die "MORSEL_IOC_CREATE: $!";
		my (undef, undef, undef, $fd, $id) = unpack "L3 l Q", $arg;
		$| = 1;
		printf "0x%016x %d\n", $id, $fd;
		sleep' "$flags" "$at"
	holder=$COPROC_PID
	read -r id fd <&"${COPROC[0]}"
	$morsel populate -n 8K "$id"
	is "$(facts "$id" flags descriptors)" "[[\"${names/,/\",\"}\"],1]" "info --json: $names"
	is "$($morsel info "$id" | sed -n 's/^flags *//p')" "${names/,/, }" "info: $names"
	is "$($morsel ls | awk -v id="$id" '$1 == id { print $NF }')" "$names" "ls: $names"
	tables=$(fact "$id" table_frames)
	is "$(grep ^morsel- "/proc/$holder/fdinfo/$fd")" "$(printf 'morsel-%s:\t%s\n' \
		id "$id" order 1 flags "0x$flags" address "0x${at#0x}" data-frames 2 \
		table-frames "$tables" reserve-frames 0 allocated 2 mappings 0 attachments 0 attached 0)" "fdinfo: $names"
	kill "$holder"
	wait "$holder" 2>/dev/null
	is "$(morsels)" "$start" "$names: gone with who had it"
done

# populate and punch
id=$($morsel create -o 1)
$morsel populate "$id"
is "$(fact "$id" data_frames)" 512 "populate: all of it"
$morsel populate "$id"
is "$(fact "$id" data_frames)" 512 "populate: what is there stays"
$morsel rm "$id"
id=$($morsel create)
$morsel populate -o 4K -n 8K "$id"
is "$(fact "$id" data_frames)" 2 "populate -o -n: two pages"
$morsel populate --offset 1023M --bytes 1M "$id"
is "$(fact "$id" data_frames)" 258 "populate --offset --bytes: to the end"
fails 1 "$id: has only 1073741824 bytes" $morsel populate -o 1G -n 4K "$id"
fails 1 "$id: has only 1073741824 bytes" $morsel populate -n 1028M "$id"
fails 1 "$id: has only 1073741824 bytes" $morsel populate -o 2G "$id"
is "$(fact "$id" data_frames)" 258 "populate: a wrong range populates nothing"
$morsel put --into "$id" "$tmp/large" >/dev/null
frames=$(fact "$id" data_frames)
tables=$(fact "$id" table_frames)
$morsel punch -o 1M -n 2M "$id"
is "$(fact "$id" data_frames)" $((frames - 512)) "punch frees the pages"
is "$(fact "$id" table_frames)" "$tables" "punch leaves the tables"
{
	head -c 1M "$tmp/large"
	head -c 2M /dev/zero
	tail -c +$((3 << 20 | 1)) "$tmp/large"
} >"$tmp/punched"
$morsel get -n 5000000 "$id" | cmp - "$tmp/punched"
point $? "punch: zeroes there, the rest in place"
$morsel punch -o 0 -n 1G "$id"
is "$(fact "$id" data_frames)" 0 "punch of all of it"
fails 1 "$id: has only 1073741824 bytes" $morsel punch -o 4K -n 1G "$id"
$morsel rm "$id"
id=$($morsel create -o 3)
fails 2 "$id: too large as a whole; say how much with -n" $morsel populate "$id"
$morsel populate -o 511G -n 4M "$id"
is "$(fact "$id" data_frames)" 1024 "populate of order 3"
$morsel punch -o 0 -n 512G "$id"
is "$(fact "$id" data_frames)" 0 "punch of order 3"
$morsel rm "$id"
id=$($morsel create -o 0 --address 17T)
$morsel populate "$id" && $morsel punch -o 0 -n 4K "$id"
point $? "populate and punch of order 0 with a fixed address"
$morsel rm "$id"

# chmod and chown
id=$($morsel create)
$morsel chmod 640 "$id"
is "$(fact "$id" mode)" 0640 "chmod"
$morsel chmod 0 "$id"
is "$(fact "$id" mode)" 0000 "chmod 0"
$morsel chmod 0777 "$id"
is "$(fact "$id" mode)" 0777 "chmod 0777"
is "$(facts "$id" uid gid)" "[0,0]" "chown: root's at first"
$morsel chown nobody "$id"
is "$(facts "$id" uid gid)" "[65534,0]" "chown NAME"
$morsel chown :nogroup "$id"
is "$(facts "$id" uid gid)" "[65534,65534]" "chown :GROUP"
$morsel chown 12:34 "$id"
is "$(facts "$id" uid gid)" "[12,34]" "chown of numbers"
$morsel chown 0 "$id"
is "$(facts "$id" uid gid)" "[0,34]" "chown OWNER leaves the group"
$morsel chown root:root "$id"
is "$(facts "$id" uid gid)" "[0,0]" "chown OWNER:GROUP"
$morsel rm "$id"
is "$(morsels)" "$start" "all are gone"

# errors of the command line
fails 2 "no command given" $morsel
fails 2 "fly: no such command" $morsel fly
fails 2 "unrecognized option '--fly'" $morsel ls --fly
fails 2 "5: not an order (0 to 4)" $morsel create -o 5
fails 2 "-1: not an order (0 to 4)" $morsel create -o -1
fails 2 "1X: not a size" $morsel create -s 1X
fails 2 "257T: more than the largest order holds" $morsel create -s 257T
fails 2 "give the order or the size once, not both" $morsel create -o 1 -s 1
fails 2 "1000: not a mode" $morsel create -m 1000
fails 2 "0: not an address" $morsel create --address 0
fails 2 "-1G: not an address" $morsel create --address -1G
fails 2 "home: not an address" $morsel create --address home
fails 2 "0x40001000: not a multiple of the size of order 2, 1 GiB" \
	$morsel create --address 0x40001000
fails 2 "0x40000001: not a multiple of the size of order 0, 4 KiB" \
	$morsel create --address 0x40000001 -o 0
fails 1 "cannot create: its address is beyond the address space" \
	$morsel create --address 0xffff800000000000
fails 2 "5: not a multiple of 4096, the page size" $morsel populate -n 5 1
fails 2 "5K: not a multiple of 4096, the page size" $morsel populate -o 5K 1
fails 2 "-4K: not a size" $morsel punch -o 0 -n -4K 1
fails 2 "which morsel?" $morsel populate
fails 2 "one morsel at a time" $morsel populate 1 2
fails 2 "say what to free with -o and -n" $morsel punch 1
fails 2 "say what to free with -o and -n" $morsel punch -o 0 1
fails 2 "say what to free with -o and -n" $morsel punch -n 4K 1
fails 2 "which morsel?" $morsel punch -o 0 -n 4K
fails 2 "1000: not a mode" $morsel chmod 1000 1
fails 2 "u+x: not a mode" $morsel chmod u+x 1
fails 2 "which morsel?" $morsel chmod
fails 2 "which morsel?" $morsel chmod 600
fails 2 "one ID at a time" $morsel chmod 600 1 2
fails 2 "nosuch: no such user" $morsel chown nosuch 1
fails 2 "nosuch: no such group" $morsel chown root:nosuch 1
fails 2 ": no such group" $morsel chown root: 1
fails 2 "4294967295: no such user" $morsel chown 4294967295 1
fails 2 ":: not an owner" $morsel chown : 1
fails 2 ": not an owner" $morsel chown '' 1
fails 2 "which morsel?" $morsel chown root
fails 1 "0xyz: no such file, nor an ID" $morsel info 0xyz
fails 1 "0x10000000000000000: no such file, nor an ID" $morsel info 0x10000000000000000
fails 1 "./1: no such file, nor an ID" $morsel info ./1
fails 2 "file: not an ID; for a file there is rm(1)" $morsel rm file
fails 2 "file: not an ID; for a file there is chmod(1)" $morsel chmod 600 file
fails 2 "file: not an ID; for a file there is chown(1)" $morsel chown root file
fails 2 "which morsel?" $morsel info
fails 2 "which morsel?" $morsel get
fails 2 "which morsel?" $morsel rm
fails 2 "one morsel at a time" $morsel info 1 2
fails 2 "one file at a time" $morsel put a b
fails 2 "one file at a time" $morsel get 1 a b
fails 2 "257T: beyond the largest order" $morsel put --offset 257T a
fails 2 "--into excludes -o, -s and -m" $morsel put --into 1 -o 1
fails 2 "--json and --quiet exclude each other" $morsel ls --json -q
$morsel --help >/dev/null && $morsel put --help >/dev/null && $morsel --version >/dev/null
point $? "--help and --version"

# errors of the object
id=$($morsel put "$tmp/small")
stale=$($morsel create -o 0)
$morsel rm "$stale"
for command in info get rm "put --into" populate "punch -o 0 -n 4K" "chmod 600" "chown root"; do
	# shellcheck disable=SC2086
	fails 1 "$stale: no living morsel has this ID" $morsel $command "$stale"
done
fails 1 "0x0000000000000000: no living morsel has this ID" $morsel info 0
mkfifo "$tmp/fifo"
$morsel put --into "$id" "$tmp/fifo" >/dev/null &
exec 3>"$tmp/fifo"
fails 1 "$id: still mapped or open elsewhere" $morsel rm "$id"
exec 3>&-
wait $!
if (($($morsel stat --json | jq .max_order) < 4)); then
	fails 1 "order 4 needs 5-level paging" $morsel create -o 4
else
	four=$($morsel put -o 4 "$tmp/short")
	is "$($morsel get -n 5 "$four")" short "order 4"
	$morsel rm "$four"
fi

# another user: setpriv(1) is of util-linux
as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}
mode=$(stat -c %a /dev/morsel)
chmod 600 /dev/morsel
fails 1 "/dev/morsel: permission denied; are you in group morsel?" as_nobody $morsel ls
chmod 666 /dev/morsel
fails 1 "$id: its mode does not permit this" as_nobody $morsel get "$id"
is "$(as_nobody $morsel ls -q)" "" "ls hides what may not be read"
shared=$($morsel put -m 644 "$tmp/short")
is "$(as_nobody $morsel ls -q)" "$shared" "ls shows what may be read, and nothing else"
is "$(as_nobody $morsel ls --json | jq -c '[.[] | [.id, .uid, .mode]]')" \
	"[[\"$shared\",0,\"0644\"]]" "ls --json: whose it is"
is "$($morsel ls -q | grep -cxE "$id|$shared")" 2 "ls shows both to root"
is "$(as_nobody $morsel get -n 5 "$shared")" short "get of a readable one"
fails 1 "$shared: its mode does not permit this" as_nobody $morsel rm "$shared"
theirs=$($morsel put -m 666 "$tmp/short")
fails 1 "$theirs: only its owner may destroy it" as_nobody $morsel rm "$theirs"
fails 1 "$theirs: only its owner may change its mode" as_nobody $morsel chmod 600 "$theirs"
fails 1 "$theirs: only root may change its owner" as_nobody $morsel chown nobody "$theirs"
fails 1 "$theirs: only root may change its owner" as_nobody $morsel chown :nogroup "$theirs"
is "$(facts "$theirs" mode uid gid)" '["0666",0,0]' "and nothing has changed"
fails 1 "$shared: its mode does not permit this" as_nobody $morsel punch -o 0 -n 4K "$shared"
as_nobody $morsel populate "$shared"
point $? "populate of a readable one"
$morsel chown nobody "$shared"
as_nobody $morsel chmod 400 "$shared"
is "$(fact "$shared" mode)" 0400 "chmod by the owner"
as_nobody $morsel chown :nogroup "$shared"
is "$(fact "$shared" gid)" 65534 "chown to a group of the owner"
fails 1 "$shared: only root may change its owner" as_nobody $morsel chown :root "$shared"
fails 1 "$shared: only root may change its owner" as_nobody $morsel chown root "$shared"
chmod "$mode" /dev/morsel
$morsel rm "$shared" "$theirs"

# errors of files
fails 1 "$tmp/none: No such file or directory" $morsel put "$tmp/none"
fails 1 "$tmp: Is a directory" $morsel put "$tmp"
fails 1 "$tmp/small: does not fit in a morsel of order 0 (4 KiB); choose a larger one" \
	$morsel put -o 0 "$tmp/small"
# shellcheck disable=SC2002
cat "$tmp/small" | quietly $morsel put -o 0
is "${PIPESTATUS[1]}" 1 "put of a pipe that holds more than the morsel"
grep -q 'standard input: does not fit in a morsel of order 0' "$tmp/err"
point $? "  and says so"
fails 1 "/dev/full: No space left on device" $morsel get "$id" /dev/full
fails 1 "$tmp/none/file: No such file or directory" $morsel get "$id" "$tmp/none/file"
quietly $morsel get "$id" | true
is "${PIPESTATUS[0]}" 1 "get into a pipe whose reader left"
grep -q 'standard output: Broken pipe' "$tmp/err"
point $? "  and says so"
for command in create "create --address 17T" "put $tmp/small" ls stat "info $id"; do
	# shellcheck disable=SC2086
	quietly $morsel $command >/dev/full
	is $? 1 "${command%% *}: standard output is full"
done
$morsel put "$tmp/fifo" >/dev/null 2>"$tmp/err" &
pid=$!
exec 3>"$tmp/fifo"
head -c 9000 "$tmp/small" >&3
while (($(morsels) < start + 2)); do
	sleep 0.1
done
kill -TERM $pid
wait $pid 2>/dev/null
is $? 143 "put ended by a signal"
grep -q 'fifo: interrupted by a signal' "$tmp/err"
point $? "  and says so"
exec 3>&-
$morsel rm "$id"
is "$(morsels)" "$start" "a failing put leaves nothing behind"

echo "1..$count"
exit $((failed != 0))

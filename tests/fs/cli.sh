#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# morsel(1) with files in place of IDs: what it says and does against what stat(1),
# du(1) and cmp(1) say.  Run by run-all on a directory of a morselfs.

. tests/fs/program.sh
cd "$work" || exit
chmod 755 .
morsel=$top/build/bin/morsel
umask 022

fact() { # FILE FACT...: all in one line
	local file=$1 IFS=,
	shift
	"$morsel" info --json "$file" | jq -c "[${*/#/.}]"
}
frames() { fact "$1" data_frames | tr -d '[]'; }
# What du(1) counts, and what the tool does, in bytes.
du_bytes() { echo $(($(du -k "$1" | cut -f1) * 1024)); }
frame_bytes() { "$morsel" info --json "$1" | jq '(.data_frames + .table_frames) * 4096'; }

# wrong STATUS MESSAGE ARGUMENT...: exits so, with that line and no other
wrong() {
	local status=$1 message=$2 got
	shift 2
	got=$("$morsel" "$@" 2>&1 >/dev/null </dev/null)
	is "$1: $message" "$? $got" "$status morsel: $message"
}

head -c 5000000 /dev/urandom >in
touch empty
truncate -s $(((1 << 20) + 1)) hole

# info
is "info: the length" "$(fact in size)" "[$(stat -c %s in)]"
is "info: the inode number" "$(fact in id)" "[\"$(printf '0x%016x' "$(stat -c %i in)")\"]"
is "info: mode and owner" "$(fact in mode uid gid)" "$(stat -c '["0%a",%u,%g]' in)"
is "info: what it takes up" "$(frame_bytes in)" "$(du_bytes in)"
is "info: an empty file" "$(fact empty size data_frames table_frames)" "[0,0,0]"
is "info: for people" "$("$morsel" info in | sed -n 's/^size *//p')" "4.8 MiB (5000000 bytes)"
is "info: nobody is counted who asks" "$(fact in descriptors)" "[0]"
ln -s in link
is "info: a link to it" "$(fact link id)" "$(fact in id)"
cp in 0x5
is "info: a file whose name is a number" "$(fact ./0x5 size)" "[5000000]"

# get
check "get: to standard output" cmp <("$morsel" get in) in
"$morsel" get in out
check "get: into a file, to the byte" cmp in out
"$morsel" get --offset 4999990 in end
check "get: up to the end" cmp end <(tail -c 10 in)
check "get: a part" cmp <("$morsel" get --offset 12345 -n 70000 in) <(tail -c +12346 in | head -c 70000)
"$morsel" get empty out
is "get: nothing" "$? $(stat -c %s out)" "0 0"
wrong 1 "in: has only 5000000 bytes" get -n 5000001 in
wrong 1 "in: has only 5000000 bytes" get --offset 5000001 in
truncate -s 3G large
printf 'far' | dd of=large bs=1 seek=2G conv=notrunc status=none
is "get: far into a large one" "$("$morsel" get --offset 2G -n 3 large)" far
check "get: a hole" cmp <("$morsel" get --offset 1G -n 64M large) <(head -c 64M /dev/zero)
is "get: it is still one" "$(frames large)" 1
ln in hard
for other in in ./in hard link; do
	wrong 1 "$other: is what is to be copied" get in "$other"
done
check "get: and it is as it was" cmp in 0x5
cp 0x5 placed
# Where the command itself is.
setfattr -n user.morsel.address -v '"0x555555400000"' placed
check "get: wherever it is to be mapped" cmp 0x5 \
	<(setarch --addr-no-randomize "$morsel" get placed)

# populate and punch
"$morsel" populate hole
is "populate: up to the end" "$(frames hole)" 257
is "populate: what it takes up" "$(frame_bytes hole)" "$(du_bytes hole)"
check "populate: it still reads as zero" cmp -n $(((1 << 20) + 1)) hole /dev/zero
is "populate: it is as long as it was" "$(stat -c %s hole)" $(((1 << 20) + 1))
"$morsel" populate -o 1G -n 8K large
is "populate: a part of a large one" "$(frames large)" 3
check "populate: nothing of an empty one" "$morsel" populate empty
wrong 1 "hole: has only 1052672 bytes" populate -o 1M -n 8K hole
before=$(frames in)
"$morsel" punch -o 4K -n 8K in
is "punch: the pages are gone" "$(frames in)" $((before - 2))
is "punch: what it takes up" "$(frame_bytes in)" "$(du_bytes in)"
check "punch: zeroes there, the rest in place" cmp in \
	<(head -c 4096 0x5; head -c 8192 /dev/zero; tail -c +12289 0x5)
# 1220 pages and a part of one more
"$morsel" punch -o 4096K -n 788K in
check "punch: the last page as a whole" cmp -n 805696 <(tail -c 805696 in) /dev/zero

# put
is "put --into: prints nothing" "$("$morsel" put --into new 0x5)" ""
check "put --into: a new file" cmp new 0x5
is "put --into: its mode is that of any other" "$(stat -c %a new)" 644
printf 'short' | "$morsel" put --into new
is "put --into: it ends where the input ends" "$(<new)" short
is "put --into: and gives back the rest" "$(frames new)" 1
printf 'PAT' | "$morsel" put --into new --offset 1
is "put --into --offset: the rest stays" "$(<new)" sPATt
printf 'end' | "$morsel" put --into new --offset 8190
is "put --into --offset: it gets longer" "$(stat -c %s new) $("$morsel" get --offset 8190 new)" "8193 end"
is "put --into --json" "$("$morsel" put --json --into new 0x5 | jq -c '[.order, .size, .bytes]')" "[2,5000000,5000000]"
"$morsel" put --into new empty
is "put --into: nothing" "$(stat -c %s new)" 0
wrong 1 "new: is what is to be copied" put --into new new
cp 0x5 drop
chmod 222 drop
"${nobody[@]}" "$morsel" put --into drop <empty
is "put --into: who may only write" "$? $(stat -c %s drop)" "0 0"
# Starts what follows with a standard input that read(2) does not wait for.
impatient() {
	perl -MFcntl -e 'fcntl STDIN, F_SETFL, O_NONBLOCK or die; exec @ARGV' "$@"
}
{ echo first; sleep 0.5; echo second; } | impatient "$morsel" put --into new
is "put --into: it waits for the input" "$(<new)" $'first\nsecond'
mkdir small
mount -t morselfs -o size=1m none small
wrong 1 "small/new: No space left on device" put --into small/new 0x5
umount small

# stat
"$morsel" populate hole
is "stat: the counters" "$("$morsel" stat hole | awk '$1 == "data" || $1 == "table" || $1 == "ID" { print $NF }' | head -n 1)" \
	"$(printf '0x%016x' "$(stat -c %i hole)")"
is "stat --json" "$("$morsel" stat --json hole | jq -c '[.size, .data_frames, .tables]')" \
	"[$(((1 << 20) + 1)),257,[1,0,0,0]]"
is "stat: again and again" "$("$morsel" stat -i 0.1 -c 3 hole | wc -l)" 4
cp 0x5 watched
used() { stat -f -c '%b %f' . | awk '{ print $1 - $2 }'; }
with=$(used)
"$morsel" stat -i 0.1 watched >"$log" 2>&1 &
started+=($!)
watcher=$!
two_lines() { (($(wc -l <"$log") > 1)); }
until_true two_lines
rm watched
wait $watcher
is "stat: ends when the file is gone" "$? $(tail -n 1 "$log")" \
	"1 morsel: watched: no such file, nor an ID (\`morsel ls' has them)"
(($(used) < with))
is "stat: and it does not keep it" $? 0

# tree

# holder FILE LENGTH OFFSET FLAGS [vfork]: maps it to read, touches it, prints where,
# and waits, with a child that has the same address space
holder() {
	# shellcheck disable=SC2016 # for perl
	exec perl -e '
		my ($name, $length, $offset, $flags, $vfork) = @ARGV;
		open my $file, "<", $name or die "$name: $!";
		my $at = syscall 9, 0, 0 + $length, 1, 0 + $flags, fileno $file, 0 + $offset;
		die "mmap: $!" if $at == -1;
		unpack "P1", pack "Q", $at;
		$| = 1;
		printf "0x%x\n", $at;
		syscall 58 if $vfork;
		sleep' "$@"
}
# let_go PID: of a holder
let_go() {
	kill "$1"
	wait "$1" 2>/dev/null
}

# Those who read get tables of their own once they have it mapped.
coproc holder large $((1 << 30)) $((2 << 30)) 1
started+=("$COPROC_PID")
read -r _ <&"${COPROC[0]}"
let_go "$COPROC_PID"

is "tree: an empty file" "$("$morsel" tree empty | tr -s ' ')" "empty: 0, order 0, data frames 0, table frames 0
no tables
mappings 0, attached entries 0"
is "tree: a large one" "$("$morsel" tree large | tr -s ' ')" "large: 3G, order 3, data frames 3, table frames 8
rw level 3 1 table 2 of 512 used, 0.4 %
 level 2 2 tables 2 of 1024 used, 0.2 %
 level 1 2 tables 3 of 1024 used, 0.3 %
 0-512G level 3 2/512
 1G-2G level 2 1/512
 1G-1026M level 1 2/512
 2G-3G level 2 1/512
 2G-2050M level 1 1/512
r level 3 1 table 1 of 512 used, 0.2 %
 level 2 1 table 1 of 512 used, 0.2 %
 level 1 1 table 1 of 512 used, 0.2 %
 0-512G level 3 1/512
 2G-3G level 2 1/512
 2G-2050M level 1 1/512
mappings 0, attached entries 0"
is "tree: as many tables as info says" \
	"$("$morsel" tree --json in | jq -c '[.tables[].level] | [index(1) != null, length]')" \
	"[true,$(fact in table_frames | tr -d '[]')]"

# mapped LEVEL LENGTH OFFSET FLAGS RIGHTS
mapped() {
	local at pid

	coproc holder large "$2" "$3" "$4"
	pid=$COPROC_PID
	started+=("$pid")
	read -r at <&"${COPROC[0]}"
	is "tree: mapped $5, $2 bytes at $3: level $1" \
		"$("$morsel" tree --json large | jq -c --argjson pid "$pid" '.mappings[] | select(.pid == $pid) | del(.pid)')" \
		"$(printf '{"command":"perl","start":"%s","end":"0x%x","offset":%u,"rights":"%s","level":%u}' \
			"$at" $((at + $2)) "$3" "$5" "$1")"
	let_go "$pid"
}
mapped 2 $((1 << 30)) $((1 << 30)) 1 r--s
mapped 1 $((4 << 20)) $((2 << 20)) 1 r--s
mapped 0 8192 0 1 r--s
mapped 0 $((4 << 20)) 0 2 r--p
is "tree: with tables for those who read, wherever" \
	"$("$morsel" tree --json large | jq -c '[.tables[] | select(.rights == "r").level]')" "[3,2,1,2,1,2,1]"

coproc holder "in" 5000000 0 1
pid=$COPROC_PID
started+=("$pid")
read -r _ <&"${COPROC[0]}"
is "tree: who may not look there is told so" \
	"$("${nobody[@]}" "$morsel" tree in | tail -n 2 | sed 's/read: [1-9].*/read: some/')" \
	"mappings not to be seen here: 1
processes that could not be read: some"
let_go "$pid"

coproc holder "in" 5000000 0 1 vfork
pid=$COPROC_PID
started+=("$pid")
read -r _ <&"${COPROC[0]}"
child=
# No line: read(1) fails whatever it reads.
has_child() { read -r child <"/proc/$pid/task/$pid/children"; [ "$child" ]; }
until_true has_child
started+=("$child")
is "tree: it is listed once" "$("$morsel" tree --json in | jq '.mappings | length')" 1
kill -KILL "$pid" "$child"
wait "$pid" 2>/dev/null
gone() { [ ! -e "/proc/$child" ]; }
until_true gone
is "tree: nobody has it mapped" "$("$morsel" tree --json in | jq -c '[.info.mappings, .mappings]')" "[0,[]]"

is "tree: too few descriptors" \
	"$( (ulimit -n 5; exec "$morsel" tree in 3>&- 4>&- 2>&1) )" "morsel: /proc: Too many open files"
esc=$'a\e[31mb' umlaut=$'\xc3\xa4'
wrong 1 "a?[31mb: no such file, nor an ID (\`morsel ls' has them)" tree "$esc"
touch "$esc" "$umlaut"
is "tree: a name is not for the terminal to obey" "$("$morsel" tree "$esc" | head -n 1)" \
	"a?[31mb: 0, order 0, data frames 0, table frames 0"
is "tree: but in the language of whoever asks" \
	"$(LC_ALL=C.UTF-8 "$morsel" tree "$umlaut" | head -n 1)" \
	"$umlaut: 0, order 0, data frames 0, table frames 0"

# What is no morsel, and what may not be opened.
mkdir dir
mkfifo fifo
: >fifo &
started+=($!)
ln -s none dangling
nothing="no such file, nor an ID (\`morsel ls' has them)"
for command in info get populate "punch -o 0 -n 4K" stat "stat -i 1" tree; do
	read -ra words <<<"$command"
	wrong 1 "fifo: not a regular file" "${words[@]}" fifo
done
for command in info "punch -o 0 -n 4K"; do
	read -ra words <<<"$command"
	for file in dir /dev/null /dev/morsel; do
		wrong 1 "$file: not a regular file" "${words[@]}" "$file"
	done
	wrong 1 "$log: not a morsel (is it on a morselfs?)" "${words[@]}" "$log"
	for file in none dangling 0x5x; do
		wrong 1 "$file: $nothing" "${words[@]}" "$file"
	done
done
wrong 1 "dir: not a regular file" put --into dir in
wrong 1 "fifo: not a regular file" put --into fifo in
sleep 0.2
check "a fifo: who waits for a reader still does" kill -0 "${started[-1]}"
: <fifo
wrong 1 "dangling: No such file or directory" put --into dangling in
wrong 1 "none/new: No such file or directory" put --into none/new in
wrong 1 "$log: not a morsel (is it on a morselfs?)" put --into "$log" in
wrong 1 "$log.new: not a morsel (is it on a morselfs?)" put --into "$log.new" in
[ ! -e "$log.new" ]
is "put --into: nothing is left there" $? 0
for command in "rm" "chmod 600" "chown root"; do
	read -ra words <<<"$command"
	got=$("$morsel" "${words[@]}" in 2>&1)
	is "$command: what serves" "$? $got" "2 morsel ${words[0]}: in: not an ID; for a file there is ${words[0]}(1)"
done
denied() {
	local file=$1
	shift
	got=$("${nobody[@]}" "$morsel" "$@" 2>&1 >/dev/null)
	is "$1: not for everybody" "$? $got" "1 morsel: $file: Permission denied"
}
chmod 600 0x5
for command in info get tree; do
	denied ./0x5 $command ./0x5
done
denied in punch -o 0 -n 4K in
denied in put --into in empty
denied theirs put --into theirs empty
check "get: whoever may read" "${nobody[@]}" "$morsel" get -n 10 in
finish

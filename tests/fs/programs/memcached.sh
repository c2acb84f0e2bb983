#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# memcached with its memory in a file (-e): what it knew before it was ended, it
# knows when it is started again.

. tests/fs/program.sh
chmod 755 "$work"
mkdir "$work/own"
chown 65534:65534 "$work/own"
cd "$work/own" || exit

# Less does not do for -e, which takes all of it at once.
readonly port=21212 keys=300 mib=64

start() {
	"${nobody[@]}" memcached -e memory -m "$mib" -l 127.0.0.1 -p "$port" -U 0 >"$log" 2>&1 &
	started+=($!)
	until_true connect
}

later() { (($(date +%s) > $1)); }

connect() { exec 3<>/dev/tcp/127.0.0.1/"$port"; }

# text KEY: into $text, of a length of its own.
text() {
	printf -v text '%*s' $(($1 * 37 % 900 + 1)) "$1"
	text=${text// /v}
}

# Requests go out at once: one by one each would wait for the network's timer.
put_all() {
	local key reply stored=0

	for ((key = 0; key < keys; key++)); do
		text $key
		printf 'set key%d %d 0 %d\r\n%s\r\n' "$key" "$key" ${#text} "$text"
	done >requests
	cat requests >&3
	for ((key = 0; key < keys; key++)); do
		read -r reply <&3
		[[ $reply == STORED* ]] && ((stored++))
	done
	echo $stored
}

get_all() {
	local key got reply found=0

	for ((key = 0; key < keys; key++)); do
		printf 'get key%d\r\n' "$key"
	done >requests
	cat requests >&3
	for ((key = 0; key < keys; key++)); do
		text $key
		read -r reply <&3
		[[ $reply == VALUE* ]] || continue
		read -r got <&3
		read -r <&3
		[[ $reply == "VALUE key$key $key "* && ${got%$'\r'} == "$text" ]] && ((found++))
	done
	echo $found
}

start
is "started" $? 0
is "its memory is a file" "$(stat -c %s memory)" $((mib << 20))
is "$keys values are stored" "$(put_all)" $keys
is "and read" "$(get_all)" $keys
for round in 1 2; do
	exec 3>&-
	kill -USR1 "${started[-1]}"
	wait "${started[-1]}"
	is "round $round: ended" $? 0
	is "what it must know is there" "$(test -s memory.meta; echo $?)" 0
	# It believes what it left only in a later second.
	printf -v ended '%(%s)T'
	until_true later "$ended"
	start
	is "started again" $? 0
	is "all is there" "$(get_all)" $keys
done
finish

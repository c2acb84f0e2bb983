# SPDX-License-Identifier: GPL-2.0-only
# Sourced: memcached with its memory in the file "memory" of the working directory, what
# is put into it and must be there.  Needs what tests/fs/program.sh has: nobody, log,
# started, until_true.
# shellcheck shell=bash disable=SC2154 # what is named above

# Less does not do for -e, which takes all of it at once.
readonly port=21212 keys=300 mib=64

memcached_start() {
	"${nobody[@]}" memcached -e memory -m "$mib" -l 127.0.0.1 -p "$port" -U 0 >"$log" 2>&1 &
	started+=($!)
	until_true connect
}

# Ends it so that it can go on from there.
memcached_stop() {
	local ended status

	exec 3>&-
	kill -USR1 "${started[-1]}"
	wait "${started[-1]}"
	status=$?
	# It believes what it left only in a later second.
	printf -v ended '%(%s)T'
	until_true later "$ended"
	return $status
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

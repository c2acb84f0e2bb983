#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# memcached with its memory in a file (-e): what it knew before it was ended, it
# knows when it is started again.

. tests/fs/program.sh
. tests/fs/memcached.sh
chmod 755 "$work"
mkdir "$work/own"
chown 65534:65534 "$work/own"
cd "$work/own" || exit

memcached_start
is "started" $? 0
is "its memory is a file" "$(stat -c %s memory)" $((mib << 20))
is "$keys values are stored" "$(put_all)" $keys
is "and read" "$(get_all)" $keys
for round in 1 2; do
	memcached_stop
	is "round $round: ended" $? 0
	is "what it must know is there" "$(test -s memory.meta; echo $?)" 0
	memcached_start
	is "started again" $? 0
	is "all is there" "$(get_all)" $keys
done
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# LMDB: several processes write and read a database, one is killed; and its own
# tools find it whole.

. tests/fs/program.sh
cd "$work" || exit

check "the load is compiled" gcc -O2 -o load "$top/tests/fs/programs/lmdb.c" -llmdb

for how in plain writemap; do
	mkdir $how
	check "$how: a database" ./load $how $how make 0 0
	pids=()
	for seed in 1 2 3; do
		./load $how $how write 150 $seed &
		pids+=($!)
	done
	for seed in 4 5; do
		./load $how $how read 40 $seed &
		pids+=($!)
	done
	failed=0
	for pid in "${pids[@]}"; do wait "$pid" || ((failed++)); done
	is "$how: three processes write, two read" $failed 0

	# One that dies in the midst of it; the next one goes on where it was.
	./load $how $how write 1000000 6 &
	started+=($!)
	before=$(mdb_stat -e $how | awk '/Last transaction/ { print $NF }')
	until_true eval "((\$(mdb_stat -e $how | awk '/Last transaction/ { print \$NF }') > $before + 20))"
	is "$how: one more writes" $? 0
	kill -KILL "${started[-1]}"
	wait "${started[-1]}" 2>/dev/null
	check "$how: killed, the sum is right" ./load $how $how read 1 0
	check "$how: and others write" ./load $how $how write 20 7
	is "$how: all entries are there" "$(mdb_stat $how | awk '/Entries/ { print $NF }')" 300

	mkdir copy
	check "$how: mdb_copy -c" mdb_copy -c $how copy
	check "$how: the copy has the sum" ./load copy plain read 1 0
	is "$how: and the same content" "$(mdb_dump copy | grep '^ ' | sha256sum)" "$(mdb_dump $how | grep '^ ' | sha256sum)"
	rm -r copy
done
finish

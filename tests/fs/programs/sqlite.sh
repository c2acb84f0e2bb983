#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# SQLite with its database mapped (mmap_size) and, as WAL, with an index that its
# processes share by a mapping: several of them move money between accounts, some
# are killed meanwhile.  The sum stays, and so does every transfer that was told to
# have been done.

. tests/fs/program.sh
cd "$work" || exit

readonly writers=3 transfers=40 accounts=100

sql() { sqlite3 -batch -noheader -cmd '.timeout 60000' -cmd 'PRAGMA mmap_size=67108864' "$@" | tail -n +2; }

# transfers WRITER N: as SQL; each is noted, and printed when it is done.  Ends when
# nobody reads it any more.
transfers() {
	local i

	for ((i = 0; i < $2; i++)); do
		cat <<-END 2>/dev/null || return
			BEGIN IMMEDIATE;
			UPDATE account SET money = money - $i WHERE id = $(((i * 7 + $1) % accounts));
			UPDATE account SET money = money + $i WHERE id = $(((i * 13 + $1) % accounts));
			INSERT INTO transfer VALUES ($1, $i, hex(randomblob(300)));
			COMMIT;
			SELECT $i;
		END
	done
}

consistent() {
	is "$1: integrity" "$(sql db 'PRAGMA integrity_check')" ok
	is "$1: the sum" "$(sql db 'SELECT sum(money) FROM account')" $((accounts * 1000))
}

for mode in wal delete truncate; do
	is "$mode: journal" "$(sql db "PRAGMA journal_mode=$mode")" $mode
	sql db "CREATE TABLE account (id INTEGER PRIMARY KEY, money INTEGER);
		CREATE TABLE transfer (writer, n, filler, UNIQUE (writer, n));
		WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < $accounts - 1)
		INSERT INTO account SELECT i, 1000 FROM n;"
	pids=()
	for ((w = 0; w < writers; w++)); do
		transfers $w $transfers | sql db >"done.$w" 2>"error.$w" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
	is "$mode: $writers processes, $transfers transfers each" "$(sql db 'SELECT count(*) FROM transfer')" \
		$((writers * transfers))
	is "$mode: all were told" "$(cat done.* | wc -l)" $((writers * transfers))
	is "$mode: no errors" "$(cat error.*)" ""
	consistent $mode

	# Endless, and killed at some time.
	for ((w = 10; w < 13; w++)); do
		stdbuf -oL sqlite3 -batch -cmd '.timeout 60000' -cmd 'PRAGMA mmap_size=67108864' db \
			< <(transfers $w 100000) >told.$w 2>/dev/null &
		started+=($!)
		until_true eval "((\$(wc -l <told.$w) > 20))"
		kill -KILL "${started[-1]}"
		wait "${started[-1]}" 2>/dev/null
	done
	consistent "$mode, killed"
	for ((w = 10; w < 13; w++)); do
		told=$(($(wc -l <told.$w) - 1))
		found=$(sql db "SELECT count(*) FROM transfer WHERE writer = $w")
		((found >= told))
		is "$mode, killed: $found transfers are at least the $told that were told" $? 0
	done

	sql db "VACUUM INTO 'copy'"
	is "$mode: a copy is the same" "$(sql copy 'SELECT sum(money), (SELECT count(*) FROM transfer) FROM account')" \
		"$(sql db 'SELECT sum(money), (SELECT count(*) FROM transfer) FROM account')"
	sql db 'DELETE FROM transfer; VACUUM'
	consistent "$mode, shrunk"
	rm -f db* copy* told.*
done
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# PostgreSQL with its data and its dynamic shared memory (files that it maps) there:
# initdb, pgbench, a crash, and after each the sums that pgbench keeps.

. tests/fs/program.sh
chmod 755 "$work"
mkdir "$work/own"
chown 65534:65534 "$work/own"
cd "$work/own" || exit

bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
export PGHOST=$work/own PGUSER=test PGDATABASE=postgres PGDATA=$work/own/data LC_ALL=C

pg() { "${nobody[@]}" "$bin/$1" "${@:2}"; }
query() { pg psql -AtXqc "$1"; }

start() {
	"${nobody[@]}" "$bin/postgres" -c listen_addresses= -c unix_socket_directories="$PGHOST" -c shared_buffers=8MB -c fsync=on \
		-c dynamic_shared_memory_type=mmap -c min_parallel_table_scan_size=0 -c parallel_setup_cost=0 \
		-c parallel_tuple_cost=0 -c max_parallel_workers_per_gather=2 -c autovacuum_naptime=1 >>"$log" 2>&1 &
	started+=($!)
	until_true pg pg_isready
}

# Each transaction adds the same to an account, a teller, a branch and the history.
consistent() {
	is "$1: sums" "$(query "SELECT (SELECT sum(abalance) FROM pgbench_accounts) = d AND
		(SELECT sum(bbalance) FROM pgbench_branches) = d AND (SELECT sum(tbalance) FROM pgbench_tellers) = d
		FROM (SELECT sum(delta) AS d FROM pgbench_history) AS h")" t
	check "$1: amcheck" pg pg_amcheck --heapallindexed --install-missing
}

check "initdb" pg initdb -k -U test -A trust --no-locale
start
is "started" $? 0
check "pgbench -i" pg pgbench -i -q -s 1
check "pgbench" pg pgbench -n -c 4 -j 2 -t 50
is "all transactions" "$(query 'SELECT count(*) FROM pgbench_history')" 200
consistent "pgbench"
is "a query of several processes" "$(query 'EXPLAIN SELECT count(*) FROM pgbench_accounts' | grep -c Parallel)" 1
is "counts all" "$(query 'SELECT count(*) FROM pgbench_accounts')" 100000

# Killed while it works.
"${nobody[@]}" "$bin/pgbench" -n -c 4 -T 60 >/dev/null 2>&1 &
load=$!
before=$(query 'SELECT count(*) FROM pgbench_history')
until_true eval "((\$(query 'SELECT count(*) FROM pgbench_history') > $before + 50))"
is "more transactions" $? 0
kill -KILL "${started[-1]}"
wait "${started[-1]}" "$load" 2>/dev/null
# The others end when they see that it is gone; until then it does not start.
until_true eval '! pgrep -u 65534 -x postgres'
rm -f data/postmaster.pid
start
is "started after a crash" $? 0
consistent "recovered"
check "VACUUM FULL" query 'VACUUM FULL'
consistent "vacuumed"
kill -INT "${started[-1]}"
wait "${started[-1]}"
is "ended" $? 0
check "checksums of all pages" pg pg_checksums --check -D "$PGDATA"
finish

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A load for LMDB, which reads by a shared mapping of its file, writes by calls or
 * (writemap) by the mapping, and keeps locks and readers in a second file.  Each
 * transaction moves a unit between two of the accounts, so the sum in any snapshot
 * is the same.
 *
 *     lmdb DIRECTORY plain|writemap make|write|read COUNT SEED
 */
#define _GNU_SOURCE
#include <lmdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACCOUNTS 300
#define START 1000
#define FILLER 500 /* bytes of a value, so that pages are used up */

struct account {
	uint64_t money, seed;
	unsigned char filler[FILLER];
};

static MDB_env *env;
static MDB_dbi dbi;

static void must(int err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "%s: %s\n", what, mdb_strerror(err));
	exit(1);
}

static void put(MDB_txn *txn, uint32_t id, uint64_t money, uint64_t seed)
{
	struct account a = { money, seed, { 0 } };
	MDB_val key = { sizeof(id), &id }, value = { sizeof(a), &a };

	memset(a.filler, (unsigned char)seed, FILLER);
	must(mdb_put(txn, dbi, &key, &value, 0), "put");
}

static struct account get(MDB_txn *txn, uint32_t id)
{
	MDB_val key = { sizeof(id), &id }, value;
	struct account a;

	must(mdb_get(txn, dbi, &key, &value), "get");
	memcpy(&a, value.mv_data, sizeof(a));
	for (int i = 0; i < FILLER; i++)
		if (a.filler[i] != (unsigned char)a.seed) {
			fprintf(stderr, "account %u is damaged\n", id);
			exit(1);
		}
	return a;
}

static void transfer(uint64_t seed)
{
	uint32_t from = seed * 7919 % ACCOUNTS, to = seed * 104729 % ACCOUNTS;
	struct account a, b;
	MDB_txn *txn;

	must(mdb_txn_begin(env, NULL, 0, &txn), "begin");
	a = get(txn, from);
	b = get(txn, to);
	if (from != to && a.money) {
		put(txn, from, a.money - 1, seed);
		put(txn, to, b.money + 1, seed + 1);
	}
	must(mdb_txn_commit(txn), "commit");
}

static void check(void)
{
	uint64_t sum = 0;
	MDB_txn *txn;

	must(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), "begin");
	for (uint32_t id = 0; id < ACCOUNTS; id++)
		sum += get(txn, id).money;
	mdb_txn_abort(txn);
	if (sum != (uint64_t)ACCOUNTS * START) {
		fprintf(stderr, "the sum is %llu\n", (unsigned long long)sum);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	unsigned int flags;
	uint64_t count, seed;
	MDB_txn *txn;

	if (argc != 6)
		return 2;
	flags = strcmp(argv[2], "writemap") ? 0 : MDB_WRITEMAP;
	count = strtoull(argv[4], NULL, 0);
	seed = strtoull(argv[5], NULL, 0);
	must(mdb_env_create(&env), "create");
	must(mdb_env_set_mapsize(env, 256ul << 20), "mapsize");
	must(mdb_env_open(env, argv[1], flags, 0600), "open");
	must(mdb_txn_begin(env, NULL, 0, &txn), "begin");
	must(mdb_dbi_open(txn, NULL, MDB_INTEGERKEY, &dbi), "dbi");
	if (!strcmp(argv[3], "make"))
		for (uint32_t id = 0; id < ACCOUNTS; id++)
			put(txn, id, START, id);
	must(mdb_txn_commit(txn), "commit");
	for (uint64_t i = 0; i < count; i++) {
		if (!strcmp(argv[3], "write"))
			transfer(seed * 1000003 + i);
		else
			check();
	}
	mdb_env_close(env);
	return 0;
}

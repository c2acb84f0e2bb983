// SPDX-License-Identifier: GPL-2.0-only
/* arena.c - a source of frames for tests, which knows the state of each frame */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"

enum { FREE, DATA = 1, TABLE = 2 /* + level */ };

#define EMPTY_PMD	1ull
#define EMPTY_PUD	2ull
#define FIRST		3ull

u64 *morsel_arena;

static int state[ARENA_FRAMES];
static long next_frame, data, tables;
static bool killed;
static u64 limit;
static long budget;	/* allocations left, or negative: unlimited */
static pthread_rwlock_t hold = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t leaves = PTHREAD_MUTEX_INITIALIZER;

static void die(const char *what, u64 pfn)
{
	fprintf(stderr, "arena: %s frame %llu\n", what,
		(unsigned long long)pfn);
	abort();
}

/* Next fit over an array of states, each taken by compare-and-swap. */
static u64 take(int kind)
{
	unsigned int tries;

	if (__atomic_load_n(&budget, __ATOMIC_RELAXED) >= 0 &&
	    __atomic_fetch_sub(&budget, 1, __ATOMIC_RELAXED) <= 0) {
		__atomic_store_n(&budget, 0, __ATOMIC_RELAXED);
		return MORSEL_PFN_NONE;
	}
	for (tries = 0; tries < ARENA_FRAMES; tries++) {
		u64 pfn = (u64)__atomic_fetch_add(&next_frame, 1,
						  __ATOMIC_RELAXED);
		int was = FREE;

		pfn = FIRST + pfn % (ARENA_FRAMES - FIRST);
		if (__atomic_compare_exchange_n(&state[pfn], &was, kind, false,
						__ATOMIC_ACQ_REL,
						__ATOMIC_RELAXED)) {
			memset(morsel_frame_table(pfn), 0, 4096);
			return pfn;
		}
	}
	return MORSEL_PFN_NONE;
}

static void give(int kind, u64 pfn)
{
	if (pfn < FIRST || pfn >= ARENA_FRAMES)
		die("freeing what is no", pfn);
	if (!__atomic_compare_exchange_n(&state[pfn], &kind, FREE, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		die("freeing the wrong kind of", pfn);
}

static int table_alloc(struct morsel_source *source, unsigned int level, u64 *pfn)
{
	*pfn = take(TABLE + (int)level);
	if (*pfn == MORSEL_PFN_NONE)
		return -ENOMEM;
	__atomic_fetch_add(&tables, 1, __ATOMIC_RELAXED);
	return 0;
}

static void table_free(struct morsel_source *source, unsigned int level,
		       u64 pfn)
{
	u64 *table = morsel_frame_table(pfn);
	unsigned int i;

	for (i = 0; i < MORSEL_ENTRIES; i++)
		if (table[i] != source->hole[level])
			die("freeing a table that is not empty:", pfn);
	give(TABLE + (int)level, pfn);
	__atomic_fetch_sub(&tables, 1, __ATOMIC_RELAXED);
}

static int pages_alloc(struct morsel_source *source, u64 index, void *hint,
		       u64 *pfns, unsigned int count)
{
	unsigned int i;

	if (!count || count > MORSEL_BATCH)
		die("asked for so many pages beside", count);
	for (i = 0; i < count; i++) {
		pfns[i] = take(DATA);
		if (pfns[i] == MORSEL_PFN_NONE)
			break;
	}
	__atomic_fetch_add(&data, i, __ATOMIC_RELAXED);
	return i ? (int)i : -ENOMEM;
}

static void page_free(struct morsel_source *source, u64 pfn)
{
	give(DATA, pfn);
	__atomic_fetch_sub(&data, 1, __ATOMIC_RELAXED);
}

static int fill_begin(struct morsel_source *source, u64 first, u64 *last)
{
	pthread_rwlock_rdlock(&hold);
	if (killed)
		return -EINTR;
	if (first >= limit)
		return -ERANGE;
	if (*last >= limit)
		*last = limit - 1;
	return 0;
}

void arena_set_limit(u64 first)
{
	pthread_rwlock_wrlock(&hold);
	limit = first;
	pthread_rwlock_unlock(&hold);
}

static void fill_end(struct morsel_source *source)
{
	pthread_rwlock_unlock(&hold);
}

void arena_hold(void)
{
	pthread_rwlock_wrlock(&hold);
}

void arena_release(void)
{
	pthread_rwlock_unlock(&hold);
}

void arena_take(void *unused, u64 pfn)
{
	page_free(&arena, pfn);
}

static void leaves_lock(struct morsel_source *source, u64 table)
{
	pthread_mutex_lock(&leaves);
}

static void leaves_unlock(struct morsel_source *source, u64 table)
{
	pthread_mutex_unlock(&leaves);
}

static const struct morsel_source_ops ops = {
	.table_alloc = table_alloc,
	.table_free = table_free,
	.pages_alloc = pages_alloc,
	.page_free = page_free,
	.fill_begin = fill_begin,
	.fill_end = fill_end,
	.leaves_lock = leaves_lock,
	.leaves_unlock = leaves_unlock,
};

struct morsel_source arena = {
	.ops = &ops,
	.table_flags = ARENA_TABLE,
	.leaf_flags = ARENA_LEAF,
};

void arena_reset(void)
{
	u64 *pud;
	unsigned int i;

	if (!morsel_arena)
		morsel_arena = aligned_alloc(4096, ARENA_FRAMES * 4096ul);
	memset(state, 0, sizeof(state));
	next_frame = data = tables = 0;
	budget = -1;
	limit = ~0ull;

	arena.hole[3] = morsel_entry_make(EMPTY_PMD, ARENA_TABLE);
	arena.hole[4] = morsel_entry_make(EMPTY_PUD, ARENA_TABLE);
	memset(morsel_frame_table(EMPTY_PMD), 0, 4096);
	pud = morsel_frame_table(EMPTY_PUD);
	for (i = 0; i < MORSEL_ENTRIES; i++)
		pud[i] = arena.hole[3];
}

bool arena_empties_intact(void)
{
	u64 *pmd = morsel_frame_table(EMPTY_PMD);
	u64 *pud = morsel_frame_table(EMPTY_PUD);
	unsigned int i;

	for (i = 0; i < MORSEL_ENTRIES; i++)
		if (pmd[i] || pud[i] != arena.hole[3])
			return false;
	return true;
}

long arena_data(void)
{
	return __atomic_load_n(&data, __ATOMIC_RELAXED);
}

long arena_tables(void)
{
	return __atomic_load_n(&tables, __ATOMIC_RELAXED);
}

void arena_kill(bool kill)
{
	killed = kill;
}

void arena_fail_after(long n)
{
	__atomic_store_n(&budget, n ? n - 1 : -1, __ATOMIC_RELAXED);
}

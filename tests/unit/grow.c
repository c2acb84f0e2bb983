// SPDX-License-Identifier: GPL-2.0-only
/*
 * grow.c - trees that grow: what was in them stays where it is, for those, too,
 * who use them meanwhile
 */
#include <pthread.h>

#include "arena.h"
#include "tap.h"
#include "tree.h"

#define TOP	(MORSEL_LEVELS - 1)
#define THREADS	4
#define PAGES	512u
#define ROUNDS	32

static void from_nothing(unsigned int order)
{
	u64 index = morsel_level_pages(order) - 1, last = morsel_level_pages(TOP) - 1;
	struct morsel_table_place place = { 0 };
	struct morsel_tree tree;
	u64 pfn;

	arena_reset();
	morsel_tree_init_rootless(&tree, &arena);
	ok(!arena_data() && !arena_tables(), "no root: no frame");
	ok(morsel_tree_lookup(&tree, 0) == MORSEL_PFN_NONE &&
	   morsel_tree_lookup(&tree, last) == MORSEL_PFN_NONE &&
	   morsel_tree_next(&tree, 0, last) == last + 1 &&
	   !morsel_tree_next_table(&tree, &place), "no root: nothing is found");
	morsel_tree_take(&tree, 0, last, arena_take, NULL);
	morsel_tree_empty(&tree);
	morsel_tree_destroy(&tree);
	ok(!arena_data() && !arena_tables(), "no root: nothing is destroyed");

	morsel_tree_init_rootless(&tree, &arena);
	ok(arena_populate(&tree, index, &pfn) == 1 && pfn != MORSEL_PFN_NONE &&
	   morsel_tree_order(&tree) == order && arena_tables() == (long)order,
	   "no root: the first page makes it one of order %u", order);
	ok(morsel_tree_lookup(&tree, index + 1) == MORSEL_PFN_NONE &&
	   morsel_tree_next(&tree, 0, last) == index &&
	   morsel_tree_next(&tree, index + 1, last) == last + 1,
	   "order %u: nothing behind its end", order);
	morsel_tree_destroy(&tree);
	ok(!arena_data() && !arena_tables(), "order %u: destroyed", order);
}

/* From an order to each that is greater, by asking for its last page. */
static void keeps_what_it_has(unsigned int order, unsigned int to)
{
	u64 end = morsel_level_pages(order), last = morsel_level_pages(to) - 1;
	struct morsel_tree tree;
	u64 a, b, c, root, table;
	long tables;

	arena_reset();
	morsel_tree_init(&tree, &arena, order);
	root = morsel_tree_root(&tree);
	arena_populate(&tree, 0, &a);
	arena_populate(&tree, end - 1, &b);
	tables = arena_tables();
	ok(!morsel_tree_grow(&tree, order ? order : 1) &&
	   arena_tables() == tables + !order, "order %u: has that order", order);
	ok(arena_populate(&tree, last, &c) == 1 && morsel_tree_order(&tree) == to,
	   "order %u: grows to %u", order, to);
	ok(arena_tables() == tables + (long)(to - order) + (long)(to - 1),
	   "order %u to %u: a root each, and a path", order, to);
	ok(morsel_tree_lookup(&tree, 0) == a && morsel_tree_lookup(&tree, end - 1) == b &&
	   morsel_tree_lookup(&tree, last) == c, "order %u to %u: all found again",
	   order, to);
	ok(!order || (!morsel_tree_table(&tree, 0, order, &table) && table == root),
	   "order %u to %u: the old root is the first table of its level", order, to);
	ok(morsel_tree_next(&tree, end, last) == last,
	   "order %u to %u: nothing in between", order, to);
	ok(arena_empties_intact(), "order %u to %u: shared tables untouched", order, to);
	morsel_tree_destroy(&tree);
	ok(!arena_data() && !arena_tables(), "order %u to %u: destroyed", order, to);
}

/* A table of a level that the tree has not grown to yet. */
static void table_above(void)
{
	struct morsel_tree tree;
	u64 pfn, table;

	arena_reset();
	morsel_tree_init_rootless(&tree, &arena);
	arena_populate(&tree, 5, &pfn);
	ok(!morsel_tree_table(&tree, 5, 3, &table) && morsel_tree_order(&tree) == 3 &&
	   table == morsel_tree_root(&tree) && morsel_tree_lookup(&tree, 5) == pfn,
	   "a table above the root is a root");
	morsel_tree_destroy(&tree);
	ok(!arena_data() && !arena_tables(), "and destroyed");
}

static void out_of_memory(void)
{
	u64 last = morsel_level_pages(TOP) - 1, kept, page;
	struct morsel_tree tree;
	bool intact = true;
	long n = 0;

	arena_reset();
	morsel_tree_init_rootless(&tree, &arena);
	arena_populate(&tree, 0, &kept);
	do {
		arena_fail_after(++n);
		intact &= morsel_tree_lookup(&tree, 0) == kept &&
			  morsel_tree_lookup(&tree, last) == MORSEL_PFN_NONE;
	} while (morsel_tree_populate(&tree, last, last, NULL) == -ENOMEM);
	arena_fail_after(0);
	ok(n > 1 && intact, "%ld failures, each leaves all as it was", n - 1);
	ok(arena_populate(&tree, last, &page) == 0 && page != MORSEL_PFN_NONE,
	   "and then it has grown");
	morsel_tree_destroy(&tree);
	ok(!arena_data() && !arena_tables(), "nothing lost");
}

static struct morsel_tree shared;
static pthread_barrier_t barrier;
static bool agree;

/*
 * Each thread populates, in an order of its own, pages that grow the tree; what
 * it has seen once it must always see again.
 */
static void *grow(void *arg)
{
	unsigned int me = (long)arg, i;
	u64 seen[PAGES];

	pthread_barrier_wait(&barrier);
	for (i = 0; i < PAGES; i++) {
		u64 index = morsel_level_pages(i * TOP / PAGES) + i * (me + 1);
		unsigned int old = i / 2;

		if (arena_populate(&shared, index, &seen[i]) < 0)
			abort();
		if (seen[i] == MORSEL_PFN_NONE ||
		    morsel_tree_lookup(&shared, morsel_level_pages(old * TOP / PAGES) +
				       old * (me + 1)) != seen[old])
			__atomic_store_n(&agree, false, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void races(void)
{
	pthread_t thread[THREADS];
	bool lost = false;
	int round;
	long t;

	agree = true;
	for (round = 0; round < ROUNDS; round++) {
		arena_reset();
		morsel_tree_init_rootless(&shared, &arena);
		pthread_barrier_init(&barrier, NULL, THREADS);
		for (t = 0; t < THREADS; t++)
			pthread_create(&thread[t], NULL, grow, (void *)t);
		for (t = 0; t < THREADS; t++)
			pthread_join(thread[t], NULL);
		pthread_barrier_destroy(&barrier);
		lost |= !arena_empties_intact();
		morsel_tree_destroy(&shared);
		lost |= arena_data() || arena_tables();
	}
	ok(agree, "pages stay while others have the tree grow");
	ok(!lost, "no frame of a loser is lost");
}

/* A walk that goes on from a place of another tree, or from nowhere, ends. */
static void walk_from_anywhere(unsigned int order)
{
	struct morsel_tree tree;
	unsigned int level, steps, most = 0;
	u64 pfn;

	arena_reset();
	morsel_tree_init(&tree, &arena, order);
	arena_populate(&tree, 0, &pfn);
	for (level = 0; level < MORSEL_LEVELS; level++) {
		u64 stride = morsel_level_pages(level);

		for (unsigned int i = 0; i < 3; i++) {
			struct morsel_table_place place = {
				.level = level,
				.first = level ? i * stride : 0,
			};

			for (steps = 0; steps < 100 && morsel_tree_next_table(&tree, &place);)
				steps++;
			most = steps > most ? steps : most;
		}
	}
	ok(most <= order, "order %u: from any place no more than %u tables", order, order);
	morsel_tree_destroy(&tree);
}

int main(void)
{
	unsigned int order, to;

	for (order = 1; order <= TOP; order++)
		from_nothing(order);
	for (order = 0; order < TOP; order++)
		for (to = order + 1; to <= TOP; to++)
			keeps_what_it_has(order, to);
	for (order = 0; order <= TOP; order++)
		walk_from_anywhere(order);
	table_above();
	out_of_memory();
	races();
	return done();
}

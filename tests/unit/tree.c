// SPDX-License-Identifier: GPL-2.0-only
/* tree.c - population, lookup, taking out and destruction by one thread */
#include "arena.h"
#include "tap.h"
#include "tree.h"

static void root_is_one_frame(unsigned int order)
{
	struct morsel_tree tree;

	arena_reset();
	ok(!morsel_tree_init(&tree, &arena, order), "order %u: init", order);
	ok(arena_data() + arena_tables() == 1, "order %u: root is one frame",
	   order);
	ok(arena_data() == (order == 0), "order %u: of the right kind", order);
	morsel_tree_destroy(&tree);
	ok(!arena_data() && !arena_tables(), "order %u: destroyed", order);
}

static void first_and_last_page(unsigned int order)
{
	u64 last = morsel_level_pages(order) - 1, a = 0, b = 0, c = 0;
	struct morsel_tree tree;

	arena_reset();
	morsel_tree_init(&tree, &arena, order);
	ok(morsel_tree_lookup(&tree, 0) == MORSEL_PFN_NONE &&
	   morsel_tree_lookup(&tree, last) == MORSEL_PFN_NONE,
	   "order %u: nothing there at first", order);
	ok(arena_populate(&tree, 0, &a) == 1 &&
	   arena_populate(&tree, last, &b) == 1,
	   "order %u: two pages added", order);
	ok(arena_populate(&tree, last, &c) == 0 && c == b,
	   "order %u: the second time it is there", order);
	ok(morsel_tree_lookup(&tree, 0) == a &&
	   morsel_tree_lookup(&tree, last) == b && a != b,
	   "order %u: found again", order);
	ok(arena_data() == 2 && arena_tables() == 2 * (int)order - 1,
	   "order %u: two paths of tables and one root", order);
	ok(arena_empties_intact(), "order %u: shared tables untouched", order);
	morsel_tree_destroy(&tree);
	ok(!arena_data() && !arena_tables(), "order %u: destroyed", order);
}

/* The table of each level is the one that the page's path goes through. */
static void tables_lie_on_the_path(unsigned int order)
{
	u64 index = morsel_level_pages(order) / 3, above, page;
	struct morsel_tree tree;
	unsigned int level;
	bool on_path = true;

	arena_reset();
	morsel_tree_init(&tree, &arena, order);
	ok(!morsel_tree_table(&tree, index, order, &above) &&
	   above == morsel_tree_root(&tree), "order %u: the top table is the root", order);
	for (level = order - 1; level; level--) {
		u64 *entry = morsel_frame_table(above) +
			     morsel_level_slot(level + 1, index);
		u64 table;

		on_path &= !morsel_tree_table(&tree, index, level, &table) &&
			   *entry == morsel_entry_make(table, ARENA_TABLE);
		above = table;
	}
	ok(on_path, "order %u: tables of all levels on the path", order);
	ok(arena_data() == 0, "order %u: no page was added", order);
	arena_populate(&tree, index, &page);
	ok(morsel_frame_table(above)[morsel_level_slot(1, index)] ==
	   morsel_entry_make(page, ARENA_LEAF), "order %u: leaf", order);
	morsel_tree_destroy(&tree);
}

/* Every allocation of a populate fails once; the object stays intact. */
static void out_of_memory(unsigned int order)
{
	u64 index = morsel_level_pages(order) - 1, page, kept;
	struct morsel_tree tree;
	long n, failed = 0;
	bool intact = true;

	arena_reset();
	morsel_tree_init(&tree, &arena, order);
	arena_populate(&tree, 0, &kept);
	for (n = 1; n <= (int)order + 1; n++) {
		arena_fail_after(n);
		if (arena_populate(&tree, index, &page) == -ENOMEM)
			failed++;
		else
			break;
		arena_fail_after(0);
		intact &= morsel_tree_lookup(&tree, 0) == kept &&
			  morsel_tree_lookup(&tree, index) == MORSEL_PFN_NONE;
	}
	arena_fail_after(0);
	ok(failed > 0 && intact, "order %u: %ld failures, tree intact", order,
	   failed);
	ok(arena_populate(&tree, index, &page) >= 0 &&
	   morsel_tree_lookup(&tree, index) == page,
	   "order %u: goes on from the partial path", order);
	morsel_tree_destroy(&tree);
	ok(!arena_data() && !arena_tables(), "order %u: nothing lost", order);
	arena_fail_after(1);
	ok(morsel_tree_init(&tree, &arena, order) == -ENOMEM &&
	   !arena_data() && !arena_tables(), "order %u: init fails clean",
	   order);
}

static int all_there(struct morsel_tree *tree, u64 first, u64 last)
{
	for (; first <= last; first++)
		if (morsel_tree_lookup(tree, first) == MORSEL_PFN_NONE)
			return 0;
	return 1;
}

/* By batches, around what is there already; and what memory is left for. */
static void ranges(unsigned int order)
{
	u64 base = morsel_level_pages(order) - 512, pfn;
	struct morsel_tree tree;

	arena_reset();
	morsel_tree_init(&tree, &arena, order);
	arena_populate(&tree, base + 7, &pfn);
	arena_populate(&tree, base + 200, &pfn);
	ok(morsel_tree_populate(&tree, base + 5, base + 300, NULL) == 294 &&
	   all_there(&tree, base + 5, base + 300) && arena_data() == 296,
	   "order %u: a range around pages that are there", order);
	ok(morsel_tree_populate(&tree, base + 5, base + 300, NULL) == 0,
	   "order %u: and again", order);
	arena_fail_after(51);
	ok(morsel_tree_populate(&tree, base + 301, base + 400, NULL) == -ENOMEM,
	   "order %u: out of memory on the way", order);
	arena_fail_after(0);
	ok(all_there(&tree, base + 301, base + 350) && arena_data() == 346,
	   "order %u: what there was memory for stays", order);
	arena_kill(true);
	ok(morsel_tree_populate(&tree, base + 351, base + 511, NULL) == -EINTR &&
	   arena_data() == 346, "order %u: killed while it was held off", order);
	arena_kill(false);
	ok(morsel_tree_populate(&tree, base + 301, base + 511, NULL) == 161,
	   "order %u: the rest later", order);
	morsel_tree_destroy(&tree);
	ok(!arena_data() && !arena_tables(), "order %u: nothing lost", order);
}

/* Holes between pages; and pages that the caller brings. */
static void holes_and_insertion(unsigned int order)
{
	u64 last = morsel_level_pages(order) - 1, pfn, other;
	struct morsel_tree tree;

	arena_reset();
	morsel_tree_init_rootless(&tree, &arena);
	ok(morsel_tree_next_hole(&tree, 0, last) == 0 &&
	   morsel_tree_next_hole(&tree, last, last) == last, "order %u: one hole", order);
	arena.ops->pages_alloc(&arena, last, NULL, &pfn, 1);
	ok(morsel_tree_insert(&tree, last, pfn) == 1 &&
	   morsel_tree_lookup(&tree, last) == pfn, "order %u: a page is inserted", order);
	arena.ops->pages_alloc(&arena, last, NULL, &other, 1);
	ok(morsel_tree_insert(&tree, last, other) == 0 && arena_data() == 1 &&
	   morsel_tree_lookup(&tree, last) == pfn, "order %u: another one is freed", order);
	morsel_tree_populate(&tree, 0, 511, NULL);
	morsel_tree_take(&tree, 40, 40, arena_take, NULL);
	ok(morsel_tree_next_hole(&tree, 0, last) == 40 &&
	   morsel_tree_next_hole(&tree, 41, last) == (order > 1 ? 512 : last + 1) &&
	   morsel_tree_next_hole(&tree, 0, 39) == 40 &&
	   morsel_tree_next_hole(&tree, last, last) == last + 1,
	   "order %u: the holes around pages", order);
	arena.ops->pages_alloc(&arena, 40, NULL, &pfn, 1);
	arena_set_limit(40);
	ok(morsel_tree_insert(&tree, 40, pfn) == -ERANGE &&
	   morsel_tree_lookup(&tree, 40) == MORSEL_PFN_NONE,
	   "order %u: behind the limit none is inserted", order);
	arena_set_limit(last + 1);
	morsel_tree_destroy(&tree);
	ok(!arena_data() && !arena_tables(), "order %u: nothing lost", order);

	morsel_tree_init_rootless(&tree, &arena);
	arena.ops->pages_alloc(&arena, last, NULL, &pfn, 1);
	arena_fail_after(1);
	ok(morsel_tree_insert(&tree, last, pfn) == -ENOMEM && !arena_data(),
	   "order %u: no memory for its table", order);
	arena_fail_after(0);
	morsel_tree_destroy(&tree);
}

/* Nobody fills behind a limit; what is there stays. */
static void limited(unsigned int order)
{
	u64 base = morsel_level_pages(order) - 512, pfn;
	struct morsel_tree tree;

	arena_reset();
	morsel_tree_init(&tree, &arena, order);
	arena_populate(&tree, base + 70, &pfn);
	arena_set_limit(base + 40);
	ok(morsel_tree_populate(&tree, base + 40, base + 40, NULL) == -ERANGE &&
	   morsel_tree_populate(&tree, base + 20, base + 20, NULL) == 1 &&
	   arena_data() == 2, "order %u: a page before it and the one behind it", order);
	ok(morsel_tree_populate(&tree, base, base + 50, NULL) >= 0 &&
	   all_there(&tree, base, base + 39) && arena_data() == 41,
	   "order %u: a batch ends at the limit", order);
	ok(morsel_tree_populate(&tree, base, base + 500, NULL) == -ERANGE &&
	   arena_data() == 41, "order %u: others lie behind it", order);
	ok(morsel_tree_lookup(&tree, base + 70) == pfn, "order %u: what is there stays",
	   order);
	arena_set_limit(base + 512);
	ok(morsel_tree_populate(&tree, base + 40, base + 511, NULL) == 471,
	   "order %u: until the limit moves on", order);
	morsel_tree_destroy(&tree);
	ok(!arena_data() && !arena_tables(), "order %u: nothing lost", order);
}

static void taking(unsigned int order)
{
	u64 last = morsel_level_pages(order) - 1, mid = (last + 1) / 2, pfn;
	struct morsel_tree tree;
	long tables;

	arena_reset();
	morsel_tree_init(&tree, &arena, order);
	ok(morsel_tree_next(&tree, 0, last) == last + 1,
	   "order %u: no next page in an empty tree", order);
	arena_populate(&tree, 3, &pfn);
	arena_populate(&tree, mid, &pfn);
	arena_populate(&tree, last, &pfn);
	tables = arena_tables();
	ok(morsel_tree_next(&tree, 0, last) == 3 &&
	   morsel_tree_next(&tree, 3, last) == 3 &&
	   morsel_tree_next(&tree, 4, last) == mid &&
	   morsel_tree_next(&tree, mid + 1, last) == last &&
	   morsel_tree_next(&tree, mid + 1, last - 1) == last,
	   "order %u: one page after the other", order);

	morsel_tree_take(&tree, 4, last - 1, arena_take, NULL);
	ok(morsel_tree_lookup(&tree, 3) != MORSEL_PFN_NONE &&
	   morsel_tree_lookup(&tree, mid) == MORSEL_PFN_NONE &&
	   morsel_tree_lookup(&tree, last) != MORSEL_PFN_NONE &&
	   arena_data() == 2, "order %u: just the range is taken", order);
	ok(arena_tables() == tables, "order %u: tables stay", order);
	ok(arena_populate(&tree, mid, &pfn) == 1, "order %u: and is filled again",
	   order);
	morsel_tree_take(&tree, 0, last, arena_take, NULL);
	ok(!arena_data() && morsel_tree_next(&tree, 0, last) == last + 1,
	   "order %u: all of it is taken", order);
	ok(arena_empties_intact(), "order %u: shared tables untouched", order);
	arena_populate(&tree, 0, &pfn);
	morsel_tree_empty(&tree);
	ok(!arena_data() && arena_tables() == 1, "order %u: the root is last",
	   order);
	morsel_tree_destroy(&tree);
	ok(!arena_data() && !arena_tables(), "order %u: destroyed", order);
}

/*
 * Pages at random, and the tables that were visited: each one once, a parent
 * just before what is below it, and with as many entries as it has.
 */
static void visits_each_table(unsigned int order)
{
	struct morsel_table_place place = { 0 }, parents[MORSEL_LEVELS + 1] = { 0 };
	long tables[MORSEL_LEVELS + 1] = { 0 }, used[MORSEL_LEVELS + 1] = { 0 };
	u64 last = morsel_level_pages(order) - 1, page, before = 0;
	struct morsel_tree tree;
	bool below = true, onward = true;
	long sum = 0;

	arena_reset();
	morsel_tree_init(&tree, &arena, order);
	for (u64 i = 0, x = 1; i < 300; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		arena_populate(&tree, (x >> (i % 4 * 9 + 13)) & last, &page);
	}
	arena_populate(&tree, 0, &page);
	arena_populate(&tree, last, &page);
	while (morsel_tree_next_table(&tree, &place)) {
		const struct morsel_table_place *parent = &parents[place.level + 1];

		if (place.level == order)
			below &= place.pfn == morsel_tree_root(&tree);
		else
			below &= parent->first <= place.first &&
				 place.first - parent->first <
					 morsel_level_pages(place.level + 1);
		onward &= place.first >= before;
		before = place.first;
		parents[place.level] = place;
		tables[place.level]++;
		used[place.level] += morsel_tree_used(&tree, &place);
		sum++;
	}
	ok(sum == arena_tables(), "order %u: visits as many as there are", order);
	ok(tables[order] == 1 && below && onward,
	   "order %u: each after its parent", order);
	ok(used[1] == arena_data(), "order %u: an entry for each page", order);
	for (unsigned int level = 2; level <= order; level++)
		ok(used[level] == tables[level - 1],
		   "order %u: and for each table of level %u", order, level - 1);
	morsel_tree_destroy(&tree);
}

int main(void)
{
	unsigned int order;

	for (order = 0; order < MORSEL_LEVELS; order++)
		root_is_one_frame(order);
	for (order = 1; order < MORSEL_LEVELS; order++) {
		first_and_last_page(order);
		tables_lie_on_the_path(order);
		out_of_memory(order);
		ranges(order);
		holes_and_insertion(order);
		limited(order);
		taking(order);
		visits_each_table(order);
	}
	return done();
}

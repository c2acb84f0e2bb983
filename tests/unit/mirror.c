// SPDX-License-Identifier: GPL-2.0-only
/* mirror.c - the same pages under other rights, by one thread and by several */
#include <pthread.h>

#include "arena.h"
#include "mirror.h"
#include "tap.h"

#define READ_LEAF	0x8000000000000025ull
#define PAGES		1024u

static struct morsel_tree tree;
static struct morsel_mirror mirror;

static u64 leaf(struct morsel_tree *t, u64 index)
{
	u64 table;

	morsel_tree_table(t, index, 1, &table);
	return morsel_frame_table(table)[morsel_level_slot(1, index)];
}

static void begin(unsigned int order)
{
	arena_reset();
	morsel_tree_init(&tree, &arena, order);
	morsel_mirror_init(&mirror, &tree, READ_LEAF);
}

static void ignore(void *unused, u64 pfn)
{
}

static int mirror_populate(u64 index)
{
	return morsel_mirror_populate(&mirror, index, index, NULL);
}

static void end(unsigned int order)
{
	morsel_mirror_destroy(&mirror);
	ok(morsel_tree_lookup(&tree, 0) != MORSEL_PFN_NONE,
	   "order %u: the page outlives the mirror", order);
	morsel_tree_destroy(&tree);
	ok(!arena_data() && !arena_tables(), "order %u: nothing left", order);
	ok(arena_empties_intact(), "order %u: shared tables untouched", order);
}

static void same_page_other_rights(unsigned int order)
{
	u64 pfn, last = morsel_level_pages(order) - 1;

	begin(order);
	ok(mirror_populate(0) == 1 && arena_data() == 1,
	   "order %u: a fault in the mirror populates the original", order);
	pfn = morsel_tree_lookup(&tree, 0);
	ok(leaf(&tree, 0) == morsel_entry_make(pfn, ARENA_LEAF) &&
	   leaf(&mirror.tree, 0) == morsel_entry_make(pfn, READ_LEAF),
	   "order %u: one page, each leaf with its own rights", order);

	arena_populate(&tree, last, &pfn);
	arena_populate(&tree, last - 1, &pfn);
	ok(morsel_tree_lookup(&mirror.tree, last) == MORSEL_PFN_NONE,
	   "order %u: the mirror is filled when it is used", order);
	mirror_populate(last);
	ok(morsel_tree_lookup(&mirror.tree, last - 1) == pfn,
	   "order %u: and then with all that is around", order);
	ok(morsel_tree_lookup(&mirror.tree, last - 2) == MORSEL_PFN_NONE,
	   "order %u: but with nothing that is not there", order);
	end(order);
}

static void out_of_memory(unsigned int order)
{
	u64 last = morsel_level_pages(order) - 1;
	long n, failed = 0;

	begin(order);
	mirror_populate(0);
	for (n = 1; n < 16; n++) {
		arena_fail_after(n);
		if (mirror_populate(last) >= 0)
			break;
		failed++;
	}
	arena_fail_after(0);
	arena_kill(true);
	ok(morsel_mirror_populate(&mirror, last - 1, last - 1, NULL) == -EINTR &&
	   morsel_tree_lookup(&mirror.tree, last - 1) == MORSEL_PFN_NONE,
	   "order %u: killed while it was held off", order);
	arena_kill(false);
	ok(failed && morsel_tree_lookup(&mirror.tree, last) ==
	   morsel_tree_lookup(&tree, last),
	   "order %u: intact after %ld failures", order, failed);
	end(order);
}

/* A whole PTE table by one call, then a part of it taken out of both. */
static void batches(unsigned int order)
{
	bool same = true;
	u64 i;

	begin(order);
	ok(morsel_mirror_populate(&mirror, 3, 511, NULL) == 509 &&
	   arena_data() == 509, "order %u: a range through the mirror", order);
	ok(!morsel_mirror_populate(&mirror, 3, 511, NULL),
	   "order %u: which is there then", order);
	arena_hold();
	morsel_tree_take(&tree, 100, 299, arena_take, NULL);
	morsel_tree_take(&mirror.tree, 100, 299, ignore, NULL);
	arena_release();
	for (i = 0; i < 512; i++)
		same &= morsel_tree_lookup(&mirror.tree, i) ==
			morsel_tree_lookup(&tree, i);
	ok(same && arena_data() == 309 &&
	   morsel_tree_lookup(&mirror.tree, 100) == MORSEL_PFN_NONE,
	   "order %u: taken out of both", order);
	mirror_populate(0);
	end(order);
}

static void *through_mirror(void *unused)
{
	u64 i;

	for (i = 0; i < PAGES; i++)
		mirror_populate(i);
	return NULL;
}

static void *through_tree(void *unused)
{
	u64 i, pfn;

	for (i = PAGES; i-- > 0; )
		arena_populate(&tree, i, &pfn);
	return NULL;
}

static void *take(void *unused)
{
	u64 i;

	for (i = 0; i < PAGES; i += 64) {
		arena_hold();
		morsel_tree_take(&tree, i, i + 63, arena_take, NULL);
		morsel_tree_take(&mirror.tree, i, i + 63, ignore, NULL);
		arena_release();
	}
	return NULL;
}

static void race(unsigned int order, bool taking)
{
	void *(*const body[])(void *) = { through_mirror, through_tree,
					  through_mirror,
					  taking ? take : through_tree };
	pthread_t thread[4];
	bool same = true;
	unsigned int i;

	begin(order);
	for (i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, body[i], NULL);
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	for (i = 0; i < PAGES; i++)
		mirror_populate(i);
	for (i = 0; i < PAGES; i++)
		same &= morsel_tree_lookup(&mirror.tree, i) ==
			morsel_tree_lookup(&tree, i);
	ok(same && arena_data() == PAGES, "order %u: four threads agree%s",
	   order, taking ? ", one takes pages out" : "");
	end(order);
}

int main(void)
{
	unsigned int order;

	for (order = 1; order < MORSEL_LEVELS; order++) {
		same_page_other_rights(order);
		out_of_memory(order);
		batches(order);
	}
	for (order = 2; order < MORSEL_LEVELS; order++) {
		race(order, false);
		race(order, true);
	}
	return done();
}

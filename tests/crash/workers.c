// SPDX-License-Identifier: GPL-2.0-only
/*
 * workers.c - recovery by several workers finds and mends what it does by one
 *
 * Many files, small ones and some of all orders, with and without a part of a page at
 * their end, with pages and with something written behind it; and damage in them.
 * Under ThreadSanitizer, too, which sees whether workers have anything in common.
 */
#include "steady.h"
#include "tap.h"

#define FRAMES	8192u
#define FILES	600u
#define ROUNDS	10u

static struct morsel_pool_found alone;
static unsigned long saved[FRAMES * MORSEL_ENTRIES];
static struct morsel_pool_inode *inodes[FILES];

static u64 *leaf_of(unsigned int file, u64 page)
{
	struct morsel_tree tree;
	u64 table;

	morsel_tree_open(&tree, &steady_source, &inodes[file]->top);
	if (morsel_tree_table(&tree, page, 1, &table))
		bail("no table");
	return morsel_frame_table(table) + morsel_level_slot(1, page);
}

static void scribble(u64 leaf)
{
	memset(morsel_frame_table(morsel_entry_pfn(leaf)), 0xff, MORSEL_PAGE_SIZE);
}

/* Trees of higher orders are mostly holes. */
static u64 far_of(unsigned int i)
{
	switch (i % 100) {
	case 50:
		return 513;
	case 70:
		return 1ull << 18;
	case 90:
		return 1ull << 27;
	}
	return 0;
}

static void fill(void)
{
	unsigned int i;

	for (i = 0; i < FILES; i++) {
		u64 first = far_of(i), pages = first + 1 + (first ? 200 : i % 5);

		inodes[i] = steady_file(i, pages * MORSEL_PAGE_SIZE - i % 4 * 1000);
		/* Every third one was being cut when the power went. */
		steady_populate(inodes[i], first, pages - 1 + (i % 3 ? 0 : 3));
		/* Every second one was written to behind its end. */
		if (i % 2)
			scribble(*leaf_of(i, pages - 1));
	}
}

static int recover(bool fix, unsigned int workers, struct morsel_pool_found *found)
{
	steady_forget();
	return morsel_pool_recover(&steady_pool, fix, workers, found);
}

static bool same(const struct morsel_pool_found *found)
{
	return found->inodes == alone.inodes && found->pages == alone.pages &&
	       found->tables == alone.tables && found->cut == alone.cut &&
	       found->cleared == alone.cleared;
}

static void put_back(void)
{
	memcpy(morsel_arena, saved, sizeof(saved));
}

/* What is to be mended is mended, by as many as there are. */
static bool mends(unsigned int workers)
{
	static unsigned long mended[FRAMES * MORSEL_ENTRIES];
	struct morsel_pool_found found, again;
	bool right;

	put_back();
	recover(true, 1, &found);
	memcpy(mended, morsel_arena, sizeof(mended));
	put_back();
	right = !recover(true, workers, &found) && same(&found) &&
		!memcmp(mended, morsel_arena, sizeof(mended)) &&
		!recover(false, workers, &again) && !again.cut && !again.cleared;
	put_back();
	return right;
}

static bool refuses(unsigned int workers, unsigned int file, u64 value)
{
	u64 *leaf = leaf_of(file, far_of(file)), was = *leaf;
	struct morsel_pool_found found;
	int err;

	*leaf = value;
	err = recover(false, workers, &found);
	*leaf = was;
	return err == -EUCLEAN && found.why;
}

int main(void)
{
	static const unsigned int workers[] = { 1, 2, 4, 100 };
	struct morsel_pool_found found;
	unsigned int i, round;
	bool right;
	u64 other;

	if (steady_make(FRAMES))
		bail("no pool");
	fill();
	memcpy(saved, morsel_arena, sizeof(saved));
	other = *leaf_of(FILES - 1, 0);
	ok(!recover(false, 1, &alone) && alone.inodes == FILES + 1 && alone.cut &&
	   alone.cleared,
	   "one looks: %llu tables, %llu pages, %llu to cut, %llu to clear",
	   (unsigned long long)alone.tables, (unsigned long long)alone.pages,
	   (unsigned long long)alone.cut, (unsigned long long)alone.cleared);
	for (i = 0; i < sizeof(workers) / sizeof(*workers); i++) {
		for (right = true, round = 0; round < ROUNDS && right; round++)
			right = !recover(false, workers[i], &found) && same(&found);
		ok(right && !memcmp(saved, morsel_arena, sizeof(saved)),
		   "%u find the same, and write nothing", workers[i]);
		ok(mends(workers[i]), "%u mend the same", workers[i]);
		for (right = true, round = 0; round < ROUNDS && right; round++)
			right = refuses(workers[i], round * 41, other) &&
				refuses(workers[i], round * 10, ~0ull);
		ok(right, "%u refuse what is wrong", workers[i]);
	}
	return done();
}

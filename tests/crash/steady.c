// SPDX-License-Identifier: GPL-2.0-only
/* steady.c - a pool in memory that never loses its power */
#include <stdio.h>
#include <sys/mman.h>

#include "steady.h"

u64 *morsel_arena;
struct morsel_pool steady_pool;

static int table_alloc(struct morsel_source *source, unsigned int level, u64 *frame)
{
	return morsel_pool_frames_alloc(&steady_pool.frames, 0, frame, 1) ? 0 : -ENOSPC;
}

static int pages_alloc(struct morsel_source *source, u64 index, void *hint, u64 *frames,
		       unsigned int count)
{
	int got = morsel_pool_frames_alloc(&steady_pool.frames, 0, frames, count);

	return got ? : -ENOSPC;
}

static void page_free(struct morsel_source *source, u64 frame)
{
	morsel_pool_frames_free(&steady_pool.frames, frame);
}

static int fill_begin(struct morsel_source *source, u64 first, u64 *last)
{
	return 0;
}

static void fill_end(struct morsel_source *source)
{
}

static const struct morsel_source_ops ops = {
	.table_alloc = table_alloc,
	.pages_alloc = pages_alloc,
	.page_free = page_free,
	.fill_begin = fill_begin,
	.fill_end = fill_end,
};

struct morsel_source steady_source = {
	.ops = &ops,
	.table_flags = MORSEL_POOL_TABLE_FLAGS,
	.leaf_flags = MORSEL_POOL_LEAF_FLAGS,
};

int steady_make(u64 frames)
{
	static const struct morsel_pool_attr root = { .mode = 0040755 };
	static const u8 uuid[16] = "a pool of tests";

	morsel_arena = mmap(NULL, frames * MORSEL_PAGE_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (morsel_arena == MAP_FAILED ||
	    morsel_pool_frames_init(&steady_pool.frames, frames, 1))
		return -ENOMEM;
	morsel_pool_init(&steady_pool, 0, &steady_source);
	return morsel_pool_format(&steady_pool, frames, uuid, &root);
}

void steady_forget(void)
{
	u64 frames = steady_pool.frames.count;

	morsel_pool_frames_exit(&steady_pool.frames);
	if (morsel_pool_frames_init(&steady_pool.frames, frames, 1))
		abort();
}

struct morsel_pool_inode *steady_file(unsigned int number, u64 bytes)
{
	struct morsel_pool_attr attr = { .mode = 0100644, .size = bytes };
	struct morsel_pool_inode *inode;
	struct morsel_pool_name *entry;
	struct morsel_tree names;
	char name[4];

	snprintf(name, sizeof(name), "%u", number);
	morsel_tree_open(&names, &steady_source,
			 &morsel_pool_inode(&steady_pool, MORSEL_POOL_ROOT)->top);
	if (morsel_pool_inode_new(&steady_pool, number + 2, &attr, &inode) ||
	    morsel_pool_name_prepare(&steady_pool, &names, number, name, strlen(name),
				     &entry))
		abort();
	morsel_pool_name_add(&steady_pool, entry, number + 2);
	return inode;
}

void steady_populate(struct morsel_pool_inode *inode, u64 first, u64 last)
{
	struct morsel_tree content;

	morsel_tree_open(&content, &steady_source, &inode->top);
	while (first <= last) {
		u64 end = min(first | (MORSEL_ENTRIES - 1), last);

		if (morsel_tree_populate(&content, first, end, NULL) < 0)
			abort();
		first = end + 1;
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * time.c - how long recovery and moving take, by the number of pages
 *
 * A pool with one file of 8 GiB, whose pages nobody touches: 4096 tables with 2^21 leaves.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

#include "pool.h"

#define PAGES	(1ull << 21)
#define FRAMES	(PAGES + PAGES / 256)

u64 *morsel_arena;
static struct morsel_pool pool;

static int table_alloc(struct morsel_source *source, unsigned int level, u64 *frame)
{
	return morsel_pool_frames_alloc(&pool.frames, 0, frame, 1) ? 0 : -ENOSPC;
}

static int pages_alloc(struct morsel_source *source, u64 index, void *hint, u64 *frames,
		       unsigned int count)
{
	int got = morsel_pool_frames_alloc(&pool.frames, 0, frames, count);

	return got ? : -ENOSPC;
}

static int fill_begin(struct morsel_source *source, u64 first, u64 *last)
{
	return 0;
}

static void fill_end(struct morsel_source *source)
{
}

static void page_free(struct morsel_source *source, u64 frame)
{
	morsel_pool_frames_free(&pool.frames, frame);
}

static const struct morsel_source_ops ops = {
	.table_alloc = table_alloc,
	.pages_alloc = pages_alloc,
	.page_free = page_free,
	.fill_begin = fill_begin,
	.fill_end = fill_end,
};
static struct morsel_source source = {
	.ops = &ops,
	.table_flags = 0x67,
	.leaf_flags = 0x8000000000000067ull,
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static void fill(void)
{
	static const struct morsel_pool_attr root = { .mode = 0040755 };
	struct morsel_pool_attr attr = { .mode = 0100644, .size = PAGES * MORSEL_PAGE_SIZE };
	struct morsel_tree names, content;
	struct morsel_pool_inode *inode;
	struct morsel_pool_name *name;
	u64 page;

	morsel_pool_frames_init(&pool.frames, FRAMES, 1);
	morsel_pool_init(&pool, 0, &source);
	if (morsel_pool_format(&pool, FRAMES, (const u8 *)"a pool for times", &root) ||
	    morsel_pool_inode_new(&pool, 2, &attr, &inode))
		abort();
	morsel_tree_open(&names, &source, &morsel_pool_inode(&pool, MORSEL_POOL_ROOT)->top);
	morsel_pool_name_prepare(&pool, &names, 0, "a", 1, &name);
	morsel_pool_name_add(&pool, name, 2);
	morsel_tree_open(&content, &source, &inode->top);
	for (page = 0; page < PAGES; page += MORSEL_ENTRIES)
		if (morsel_tree_populate(&content, page, page + MORSEL_ENTRIES - 1, NULL) < 0)
			abort();
	morsel_pool_frames_exit(&pool.frames);
}

int main(void)
{
	struct morsel_pool_found found;
	const char *why;
	double begin;

	morsel_arena = mmap(NULL, FRAMES * MORSEL_PAGE_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (morsel_arena == MAP_FAILED)
		return 1;
	fill();
	for (int i = 0; i < 5; i++) {
		morsel_pool_frames_init(&pool.frames, FRAMES, 1);
		begin = now();
		if (morsel_pool_recover(&pool, true, &found))
			abort();
		printf("recovery: %.1f ms, %.2f ns per page, %llu tables\n",
		       (now() - begin) / 1e6, (now() - begin) / PAGES,
		       (unsigned long long)found.tables);
		morsel_pool_frames_exit(&pool.frames);
	}
	morsel_arena -= 8 * MORSEL_ENTRIES;
	morsel_pool_init(&pool, 8, &source);
	begin = now();
	if (morsel_pool_check_super(&pool, FRAMES, &why) || morsel_pool_move(&pool, &why))
		abort();
	printf("move: %.1f ms, %.2f ns per page\n", (now() - begin) / 1e6,
	       (now() - begin) / PAGES);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* pool_trees.h - the tables and pages of trees, as recovery goes through them */
#ifndef MORSEL_POOL_TREES_H
#define MORSEL_POOL_TREES_H

#include "pool.h"

/* Of a tree that has no end of its own. */
#define MORSEL_TREE_ALL	(~0ull)

struct morsel_pool_piece;

/**
 * struct morsel_pool_part - what one worker has found
 * @found: sums, and what is wrong when something is
 * @err:   0, -EUCLEAN or -EIO
 */
struct morsel_pool_part {
	struct morsel_pool_found found;
	int err;
};

/**
 * struct morsel_pool_trees - trees that recovery goes through
 * @pool:    the pool
 * @found:   the result
 * @fix:     finish what is unfinished; else only look
 * @workers: how many go through those of files, the caller included
 * @pieces:  that were added
 * @count:   how many there are
 * @next:    the one that nobody has begun with; behind the last when something is wrong
 * @parts:   what each worker has found in these
 */
struct morsel_pool_trees {
	struct morsel_pool *pool;
	struct morsel_pool_found *found;
	bool fix;
	unsigned int workers;
	struct morsel_pool_piece *pieces;
	u32 count;
	u32 next;
	struct morsel_pool_part *parts;
};

int morsel_pool_trees_init(struct morsel_pool_trees *trees);
void morsel_pool_trees_exit(struct morsel_pool_trees *trees);
int morsel_pool_trees_take(struct morsel_pool_trees *trees, u64 inode, u64 top,
			   u64 bytes);
int morsel_pool_trees_add(struct morsel_pool_trees *trees, u64 inode, u64 top,
			  u64 bytes);
int morsel_pool_trees_run(struct morsel_pool_trees *trees);

#endif /* MORSEL_POOL_TREES_H */

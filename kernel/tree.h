/* SPDX-License-Identifier: GPL-2.0-only */
/* tree.h - a page-table subtree that is an object of its own */
#ifndef MORSEL_TREE_H
#define MORSEL_TREE_H

#include "frames.h"

/**
 * struct morsel_tree - a subtree
 * @source: where its frames come from
 * @top:    where it says what its root is: frame and level, the order of the tree,
 *          in the form of an entry whose flags are the order; 0: there is no root
 *          yet.  Changes by compare-and-swap, and the order only ever grows.
 * @own:    what @top points to, but for trees that lie on a medium
 */
struct morsel_tree {
	struct morsel_source *source;
	u64 *top;
	u64 own;
};

static inline u64 morsel_tree_root(const struct morsel_tree *tree)
{
	return morsel_entry_pfn(READ_ONCE(*tree->top));
}

static inline unsigned int morsel_tree_order(const struct morsel_tree *tree)
{
	return READ_ONCE(*tree->top) % MORSEL_PAGE_SIZE;
}

/**
 * struct morsel_table_place - a table of a tree
 * @level: its level, 1 to the order of the tree; 0: before the first one
 * @first: first page that it covers
 * @pfn:   its frame
 */
struct morsel_table_place {
	unsigned int level;
	u64 first;
	u64 pfn;
};

/* What morsel_tree_take() hands out; called under the lock of a PTE table. */
typedef void morsel_take_fn(void *ctx, u64 pfn);

int morsel_tree_init(struct morsel_tree *tree, struct morsel_source *source,
		     unsigned int order);
void morsel_tree_init_rootless(struct morsel_tree *tree,
			       struct morsel_source *source);
void morsel_tree_open(struct morsel_tree *tree, struct morsel_source *source, u64 *top);
int morsel_tree_grow(struct morsel_tree *tree, unsigned int order);
void morsel_tree_empty(struct morsel_tree *tree);
void morsel_tree_destroy(struct morsel_tree *tree);
int morsel_tree_populate(struct morsel_tree *tree, u64 first, u64 last,
			 void *hint);
int morsel_tree_table(struct morsel_tree *tree, u64 index, unsigned int level,
		      u64 *table);
int morsel_tree_insert(struct morsel_tree *tree, u64 index, u64 pfn);
u64 morsel_tree_lookup(const struct morsel_tree *tree, u64 index);
u64 morsel_tree_next(const struct morsel_tree *tree, u64 first, u64 last);
u64 morsel_tree_settle(const struct morsel_tree *tree, u64 index);
u64 morsel_tree_next_hole(const struct morsel_tree *tree, u64 first, u64 last);
bool morsel_tree_next_table(const struct morsel_tree *tree,
			    struct morsel_table_place *place);
unsigned int morsel_tree_used(const struct morsel_tree *tree,
			      const struct morsel_table_place *place);
void morsel_tree_take(struct morsel_tree *tree, u64 first, u64 last,
		      morsel_take_fn *take, void *ctx);

#endif /* MORSEL_TREE_H */

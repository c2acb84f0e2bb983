// SPDX-License-Identifier: GPL-2.0-only
/*
 * tree.c - population, lookup and destruction of a subtree
 *
 * Owns the entries below the root.  Knows frames and entries and nothing
 * else: no file, no process, no lock.
 *
 * Ordering rule.  An entry changes from its hole to a child once, by
 * compare-and-swap, after the child is complete (zeroed, holes filled in).
 * The swap is a full barrier and pairs with the loads in tree_child() and
 * tree_walk(), which reach the child through the value they loaded, and with
 * the hardware's walk.  It changes back only in morsel_tree_destroy(), when
 * the caller has seen to it that nobody walks the tree.
 *
 * After a crash (of a machine whose caches persist) the same order is enough:
 * an entry either names a complete child or none, so the worst that is lost
 * is the one frame per processor that was allocated and not linked yet.
 */
#include "tree.h"

static u64 tree_frame_alloc(struct morsel_tree *tree, unsigned int level,
			    u64 index)
{
	struct morsel_source *source = tree->source;
	u64 hole, pfn, *table;
	unsigned int i;

	if (!level)
		return source->ops->page_alloc(source, index);

	pfn = source->ops->table_alloc(source, level);
	hole = source->hole[level];
	if (pfn == MORSEL_PFN_NONE || !hole)
		return pfn;

	table = morsel_frame_table(pfn);
	for (i = 0; i < MORSEL_ENTRIES; i++)
		WRITE_ONCE(table[i], hole);
	return pfn;
}

static void tree_frame_free(struct morsel_tree *tree, unsigned int level,
			    u64 pfn)
{
	struct morsel_source *source = tree->source;

	if (level)
		source->ops->table_free(source, level, pfn);
	else
		source->ops->page_free(source, pfn);
}

/**
 * morsel_tree_init() - make a tree of its root alone
 * @tree:   the tree
 * @source: where its frames come from; outlives the tree
 * @order:  0 to 4
 *
 * One frame whatever the order.  Source: thesis 3.3.1, whose implementation
 * needed 513 frames for order 3; the holes of the source are what differs.
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int morsel_tree_init(struct morsel_tree *tree, struct morsel_source *source,
		     unsigned int order)
{
	tree->source = source;
	tree->order = order;
	tree->root = tree_frame_alloc(tree, order, 0);
	return tree->root == MORSEL_PFN_NONE ? -ENOMEM : 0;
}

/*
 * The child that @entry of a table of @level names, allocated when there is
 * none.  Returns 1 when this call put it there, 0 when it was there, -ENOMEM.
 * A lost race undoes exactly its own allocation.  Source: thesis 3.4.
 */
static int tree_child(struct morsel_tree *tree, u64 *entry, unsigned int level,
		      u64 index, u64 *child)
{
	struct morsel_source *source = tree->source;
	u64 hole = source->hole[level];
	u64 old = READ_ONCE(*entry);
	u64 flags, pfn;

	if (old != hole) {
		*child = morsel_entry_pfn(old);
		return 0;
	}

	pfn = tree_frame_alloc(tree, level - 1, index);
	if (pfn == MORSEL_PFN_NONE)
		return -ENOMEM;

	flags = level == 1 ? source->leaf_flags : source->table_flags;
	old = cmpxchg64(entry, hole, morsel_entry_make(pfn, flags));
	if (old != hole) {
		tree_frame_free(tree, level - 1, pfn);
		*child = morsel_entry_pfn(old);
		return 0;
	}

	if (hole)
		source->ops->hole_filled(source);
	*child = pfn;
	return 1;
}

/*
 * Walk from the root to the element of @level on the way to page @index,
 * allocating what is missing.  A path that ends early for lack of memory
 * stays: a partial path is legal, and the next caller goes on from there.
 */
static int tree_grow(struct morsel_tree *tree, u64 index, unsigned int level,
		     u64 *element)
{
	u64 pfn = tree->root;
	unsigned int l;
	int ret = 0;

	for (l = tree->order; l > level; l--) {
		u64 *table = morsel_frame_table(pfn);

		ret = tree_child(tree, &table[morsel_level_slot(l, index)], l,
				 index, &pfn);
		if (ret < 0)
			return ret;
	}
	*element = pfn;
	return ret;
}

/**
 * morsel_tree_populate() - make sure that a page is there
 * @tree:  the tree
 * @index: page, below 512^order
 * @page:  out: its frame
 *
 * Lock-free; any number of callers in any number of address spaces.
 *
 * Context: process context, may sleep.
 * Return: 1 when this call added the page, 0 when it was there, -ENOMEM with
 * the tree intact.
 */
int morsel_tree_populate(struct morsel_tree *tree, u64 index, u64 *page)
{
	return tree_grow(tree, index, 0, page);
}

/**
 * morsel_tree_table() - make sure that a table is there
 * @tree:  the tree
 * @index: any page below it
 * @level: level of the table, 1 to the order of the tree
 * @table: out: its frame
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int morsel_tree_table(struct morsel_tree *tree, u64 index, unsigned int level,
		      u64 *table)
{
	int ret = tree_grow(tree, index, level, table);

	return ret < 0 ? ret : 0;
}

/**
 * morsel_tree_lookup() - find a page without populating
 * @tree:  the tree
 * @index: page, below 512^order
 *
 * Context: any; takes no lock.
 * Return: its frame, or MORSEL_PFN_NONE.
 */
u64 morsel_tree_lookup(const struct morsel_tree *tree, u64 index)
{
	u64 pfn = tree->root;
	unsigned int l;

	for (l = tree->order; l > 0; l--) {
		u64 *table = morsel_frame_table(pfn);
		u64 entry = READ_ONCE(table[morsel_level_slot(l, index)]);

		if (entry == tree->source->hole[l])
			return MORSEL_PFN_NONE;
		pfn = morsel_entry_pfn(entry);
	}
	return pfn;
}

/* Depth is bounded by MORSEL_LEVELS. */
static void tree_empty(struct morsel_tree *tree, u64 pfn, unsigned int level)
{
	u64 hole = tree->source->hole[level];
	u64 *table = morsel_frame_table(pfn);
	unsigned int i;

	for (i = 0; i < MORSEL_ENTRIES; i++) {
		u64 entry = READ_ONCE(table[i]);
		u64 child;

		if (entry == hole)
			continue;
		child = morsel_entry_pfn(entry);
		if (level > 1)
			tree_empty(tree, child, level - 1);
		WRITE_ONCE(table[i], hole);
		tree_frame_free(tree, level - 1, child);
	}
	cond_resched();
}

/**
 * morsel_tree_destroy() - free every frame, the root last
 * @tree: the tree; nobody else uses it, no address space has it attached
 *
 * Post-order, each reference removed before its frame is freed: at no moment
 * is more than one frame in neither the tree nor the source.  Source: thesis
 * 3.3.3.
 *
 * Context: process context, may sleep.
 */
void morsel_tree_destroy(struct morsel_tree *tree)
{
	u64 root = tree->root;

	if (tree->order)
		tree_empty(tree, root, tree->order);
	tree->root = MORSEL_PFN_NONE;
	tree_frame_free(tree, tree->order, root);
}

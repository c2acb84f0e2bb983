// SPDX-License-Identifier: GPL-2.0-only
/*
 * tree.c - population, lookup and destruction of a subtree
 *
 * Owns the entries below the root.  Knows frames and entries and nothing
 * else: no file, no process, no lock.
 *
 * Ordering rule.  An entry changes from its hole to a child by
 * compare-and-swap, after the child is complete (zeroed, holes filled in).
 * The swap is a full barrier and pairs with the loads in tree_child() and
 * tree_descend(), which reach the child through the value they loaded, and with
 * the hardware's walk.  Entries of tables change back only in
 * morsel_tree_empty(), when the caller has seen to it that nobody walks the
 * tree; leaves also in morsel_tree_take(), while the source holds off whoever
 * would fill them.
 *
 * The top changes like an entry: to a complete root that has the old one as its
 * first child.  The old root stays what it was, the tree of the first pages, so
 * who still goes by the old top finds all that it can be asked for.
 *
 * After a crash (of a machine whose caches persist) the same order is enough:
 * an entry either names a complete child or none, so the worst that is lost
 * are the frames that were allocated and not linked yet, one batch for each
 * processor.  Where caches do not persist, whoever is to make something
 * persistent below an entry makes that entry persistent first, whether it put
 * it in or found it: who put it in may not have come to that yet.
 */
#include "tree.h"

/* A table of @level with all its holes, or for level 0 the only page. */
static int tree_frame_alloc(struct morsel_tree *tree, unsigned int level,
			    u64 *pfn)
{
	struct morsel_source *source = tree->source;
	u64 hole, *table;
	unsigned int i;
	int ret;

	if (!level) {
		ret = source->ops->pages_alloc(source, 0, NULL, pfn, 1);
		return ret < 0 ? ret : 0;
	}

	ret = source->ops->table_alloc(source, level, pfn);
	hole = source->hole[level];
	if (ret || !hole)
		return ret;

	table = morsel_frame_table(*pfn);
	for (i = 0; i < MORSEL_ENTRIES; i++)
		morsel_plat_store(&table[i], hole);
	return 0;
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
 * Return: 0, or what its source refuses for, -ENOMEM for one.
 */
int morsel_tree_init(struct morsel_tree *tree, struct morsel_source *source,
		     unsigned int order)
{
	u64 root = MORSEL_PFN_NONE;
	int err;

	tree->source = source;
	tree->top = &tree->own;
	err = tree_frame_alloc(tree, order, &root);
	tree->own = morsel_entry_make(root, order);
	return err;
}

/**
 * morsel_tree_init_rootless() - make a tree without a frame
 * @tree:   the tree; as if it were of order 0 until it grows
 * @source: where its frames come from; outlives the tree
 */
void morsel_tree_init_rootless(struct morsel_tree *tree,
			       struct morsel_source *source)
{
	tree->own = 0;
	morsel_tree_open(tree, source, &tree->own);
}

/**
 * morsel_tree_open() - a tree that says elsewhere what its root is
 * @tree:   the tree
 * @source: where its frames come from; outlives the tree
 * @top:    see &struct morsel_tree; 0: it has no root yet
 */
void morsel_tree_open(struct morsel_tree *tree, struct morsel_source *source, u64 *top)
{
	tree->source = source;
	tree->top = top;
}

/* What is in [p, p + bytes) outlives a crash before what is written next does. */
static void tree_persist(const struct morsel_tree *tree, const void *p, size_t bytes)
{
	if (unlikely(tree->source->persist))
		tree->source->persist(p, bytes);
}

/* A root of @order above what @top names, if anything. */
static int tree_root_alloc(struct morsel_tree *tree, u64 top, unsigned int order,
			   u64 *root)
{
	struct morsel_source *source = tree->source;
	int err = tree_frame_alloc(tree, order, root);
	u64 child = morsel_entry_pfn(top);

	if (!err && child != MORSEL_PFN_NONE)
		morsel_plat_store(morsel_frame_table(*root),
				  morsel_entry_make(child, order > 1 ? source->table_flags :
							       source->leaf_flags));
	return err;
}

/* A root that nobody has seen; what it names is the tree's. */
static void tree_root_free(struct morsel_tree *tree, u64 root, unsigned int order)
{
	if (order)
		morsel_plat_store(morsel_frame_table(root), tree->source->hole[order]);
	tree_frame_free(tree, order, root);
}

/**
 * morsel_tree_grow() - make sure that the tree has an order
 * @tree:  the tree
 * @order: 1 to 4
 *
 * One frame for each order that it grows by, whatever it holds; a tree without a
 * root gets one of @order.  Lock-free: nobody who uses the tree notices.
 *
 * Context: process context, may sleep.
 * Return: 0 or, the tree intact and of an order that is less, what its source
 * refuses for.
 */
int morsel_tree_grow(struct morsel_tree *tree, unsigned int order)
{
	u64 top = READ_ONCE(*tree->top);

	while (!top || top % MORSEL_PAGE_SIZE < order) {
		unsigned int next = top ? top % MORSEL_PAGE_SIZE + 1 : order;
		u64 root, old;
		int err = tree_root_alloc(tree, top, next, &root);

		if (err)
			return err;
		tree_persist(tree, morsel_frame_table(root), MORSEL_PAGE_SIZE);
		old = morsel_plat_cmpxchg(tree->top, top, morsel_entry_make(root, next));
		if (old != top)
			tree_root_free(tree, root, next);
		tree_persist(tree, tree->top, sizeof(*tree->top));
		top = READ_ONCE(*tree->top);
	}
	return 0;
}

/* The least order of a tree that has page @index and a table of @level around it. */
static unsigned int tree_order_for(u64 index, unsigned int level)
{
	while (index >= morsel_level_pages(level))
		level++;
	return level;
}

/*
 * The table that @entry of a table of @level names, allocated when there is
 * none.  A lost race undoes exactly its own allocation.  Source: thesis 3.4.
 */
static int tree_child(struct morsel_tree *tree, u64 *entry, unsigned int level,
		      u64 *child)
{
	struct morsel_source *source = tree->source;
	u64 hole = source->hole[level];
	u64 old = READ_ONCE(*entry);
	u64 pfn;
	int err;

	if (old != hole) {
		tree_persist(tree, entry, sizeof(*entry));
		*child = morsel_entry_pfn(old);
		return 0;
	}

	err = tree_frame_alloc(tree, level - 1, &pfn);
	if (err)
		return err;

	tree_persist(tree, morsel_frame_table(pfn), MORSEL_PAGE_SIZE);
	old = morsel_plat_cmpxchg(entry, hole, morsel_entry_make(pfn, source->table_flags));
	if (old != hole) {
		tree_frame_free(tree, level - 1, pfn);
		pfn = morsel_entry_pfn(old);
	}
	tree_persist(tree, entry, sizeof(*entry));
	*child = pfn;
	return 0;
}

/**
 * morsel_tree_table() - make sure that a table is there
 * @tree:  the tree
 * @index: any page below it
 * @level: level of the table, 1 to 4
 * @table: out: its frame
 *
 * The tree grows if need be.  A path that ends early for lack of memory stays: a
 * partial path is legal, and the next caller goes on from there.
 *
 * Context: process context, may sleep.
 * Return: 0, or what the source refuses for.
 */
int morsel_tree_table(struct morsel_tree *tree, u64 index, unsigned int level,
		      u64 *table)
{
	u64 top = READ_ONCE(*tree->top);
	unsigned int order = top % MORSEL_PAGE_SIZE;
	unsigned int l;
	u64 pfn;
	int err;

	if (unlikely(order < level || index >= morsel_level_pages(order))) {
		err = morsel_tree_grow(tree, tree_order_for(index, level));
		if (err)
			return err;
		top = READ_ONCE(*tree->top);
		order = top % MORSEL_PAGE_SIZE;
	}
	tree_persist(tree, tree->top, sizeof(*tree->top));
	pfn = morsel_entry_pfn(top);
	for (l = order; l > level; l--) {
		u64 *entries = morsel_frame_table(pfn);

		err = tree_child(tree, &entries[morsel_level_slot(l, index)], l,
				 &pfn);
		if (err)
			return err;
	}
	*table = pfn;
	return 0;
}

/*
 * Link @count pages from @first on, and free those that others were faster
 * with.  Returns how many went in, or -EINTR or -ERANGE.  Source: thesis 3.4.
 */
static int tree_link(struct morsel_tree *tree, u64 *leaves, u64 first,
		     u64 *pfns, unsigned int count)
{
	struct morsel_source *source = tree->source;
	u64 *leaf = &leaves[morsel_level_slot(1, first)];
	u64 hole = source->hole[1];
	u64 last = first + count - 1;
	unsigned int i;
	int err, added = 0;

	err = source->ops->fill_begin(source, first, &last);
	for (i = 0; !err && i <= last - first; i++) {
		u64 value = morsel_entry_make(pfns[i], source->leaf_flags);

		if (morsel_plat_cmpxchg(&leaf[i], hole, value) == hole) {
			pfns[i] = MORSEL_PFN_NONE;
			added++;
		}
	}
	source->ops->fill_end(source);

	for (i = 0; i < count; i++)
		if (pfns[i] != MORSEL_PFN_NONE)
			tree_frame_free(tree, 0, pfns[i]);
	return err ? err : added;
}

/* As tree_link(), of a single page. */
static int tree_link_one(struct morsel_tree *tree, u64 *leaf, u64 index, u64 pfn)
{
	struct morsel_source *source = tree->source;
	u64 value = morsel_entry_make(pfn, source->leaf_flags);
	u64 hole = source->hole[1];
	bool added = false;
	u64 last = index;
	int err;

	err = source->ops->fill_begin(source, index, &last);
	if (!err)
		added = morsel_plat_cmpxchg(leaf, hole, value) == hole;
	source->ops->fill_end(source);
	if (unlikely(!added))
		tree_frame_free(tree, 0, pfn);
	tree_persist(tree, leaf, sizeof(*leaf));
	return err ? err : added;
}

/* What a fault is about: a single page. */
static int tree_add(struct morsel_tree *tree, u64 *leaf, u64 index, void *hint)
{
	struct morsel_source *source = tree->source;
	u64 pfn;
	int ret;

	if (READ_ONCE(*leaf) != source->hole[1]) {
		tree_persist(tree, leaf, sizeof(*leaf));
		return 0;
	}
	ret = source->ops->pages_alloc(source, index, hint, &pfn, 1);
	return ret < 0 ? ret : tree_link_one(tree, leaf, index, pfn);
}

/* Apart from tree_add(): it takes a while to zero what is on the stack here. */
static noinline int tree_add_range(struct morsel_tree *tree, u64 *leaves,
				   u64 first, u64 last, void *hint)
{
	struct morsel_source *source = tree->source;
	u64 hole = source->hole[1];
	u64 pfns[MORSEL_BATCH];
	int ret, added = 0;

	while (first <= last) {
		u64 *leaf = &leaves[morsel_level_slot(1, first)];
		int max = min(last - first + 1, (u64)MORSEL_BATCH);
		int holes = 0;

		while (holes < max && READ_ONCE(leaf[holes]) == hole)
			holes++;
		if (!holes) {
			first++;
			continue;
		}

		holes = source->ops->pages_alloc(source, first, hint, pfns, holes);
		if (holes < 0)
			return holes;
		ret = tree_link(tree, leaves, first, pfns, holes);
		if (ret < 0)
			return ret;
		added += ret;
		first += holes;
	}
	return added;
}

/**
 * morsel_tree_populate() - make sure that pages are there
 * @tree:  the tree; one that has order 0 has its only page already
 * @first: page, below 512^4
 * @last:  page, not before @first and below the same PTE table
 * @hint:  handed on to the source
 *
 * Lock-free; any number of callers in any number of address spaces.
 *
 * Context: process context, may sleep.
 * Return: how many pages this call added, or with the tree intact what the source
 * refuses for (-ENOMEM), -ERANGE when it lets nobody fill some of them or, when the
 * caller was killed, -EINTR.
 */
int morsel_tree_populate(struct morsel_tree *tree, u64 first, u64 last,
			 void *hint)
{
	u64 table, *leaf;
	int ret;

	/* Its root is its only page. */
	if (unlikely(!last && morsel_tree_root(tree) != MORSEL_PFN_NONE &&
		     !morsel_tree_order(tree)))
		return 0;

	ret = morsel_tree_table(tree, first, 1, &table);
	if (ret)
		return ret;
	leaf = morsel_frame_table(table) + morsel_level_slot(1, first);
	if (first == last)
		return tree_add(tree, leaf, first, hint);
	ret = tree_add_range(tree, morsel_frame_table(table), first, last, hint);
	/* All of them, also those that others have just put in, and before an error. */
	tree_persist(tree, leaf, (last - first + 1) * sizeof(*leaf));
	return ret;
}

/**
 * morsel_tree_insert() - link a page that the caller has filled
 * @tree:  a tree that is not of order 0
 * @index: where to, below 512^4
 * @pfn:   a page of its source; the tree's or free after this
 *
 * Context: process context, may sleep.
 * Return: 1, or 0 when there is another one, or what morsel_tree_populate() may
 * return.
 */
int morsel_tree_insert(struct morsel_tree *tree, u64 index, u64 pfn)
{
	u64 table, *leaf;
	int err;

	err = morsel_tree_table(tree, index, 1, &table);
	if (err) {
		tree_frame_free(tree, 0, pfn);
		return err;
	}
	leaf = morsel_frame_table(table) + morsel_level_slot(1, index);
	return tree_link_one(tree, leaf, index, pfn);
}

/*
 * Follow the path to page @index as far as it goes.  Returns the level of the
 * element it ends at, with its frame, or of the hole, with MORSEL_PFN_NONE.
 */
static unsigned int tree_descend(const struct morsel_tree *tree, u64 index,
				 unsigned int level, u64 *pfn)
{
	u64 top = READ_ONCE(*tree->top);
	unsigned int order = top % MORSEL_PAGE_SIZE;
	unsigned int l;

	/* Behind what the tree has there is nothing, however far one looks. */
	if (unlikely(index >= morsel_level_pages(order) || order < level)) {
		*pfn = MORSEL_PFN_NONE;
		return MORSEL_LEVELS - 1;
	}
	*pfn = morsel_entry_pfn(top);
	for (l = order; l > level; l--) {
		u64 *table = morsel_frame_table(*pfn);
		u64 entry = READ_ONCE(table[morsel_level_slot(l, index)]);

		if (entry == tree->source->hole[l]) {
			*pfn = MORSEL_PFN_NONE;
			return l - 1;
		}
		*pfn = morsel_entry_pfn(entry);
	}
	return level;
}

/* The first page behind the element of @level that @index is in. */
static u64 element_end(u64 index, unsigned int level)
{
	return (index | (morsel_level_pages(level) - 1)) + 1;
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
	u64 pfn;

	tree_descend(tree, index, 0, &pfn);
	return pfn;
}

/**
 * morsel_tree_settle() - make persistent that pages are there
 * @tree:  the tree
 * @index: a page
 *
 * Who has a page in a table stores to it, although who put it in may not have come to
 * making its entry persistent.  All that leads there is, before anybody sees that.
 *
 * Context: any.
 * Return: the next page of which this was not done: those of one cache line are at once.
 */
u64 morsel_tree_settle(const struct morsel_tree *tree, u64 index)
{
	u64 table;

	tree_descend(tree, index, 1, &table);
	if (table != MORSEL_PFN_NONE)
		tree_persist(tree, morsel_frame_table(table) + morsel_level_slot(1, index),
			     sizeof(u64));
	return (index | 7) + 1;
}

/**
 * morsel_tree_next() - find the next page
 * @tree:  the tree
 * @first: where to begin
 * @last:  where to end, below 512^order
 *
 * Context: may sleep; takes no lock.
 * Return: the first page from @first to @last that is there, or @last + 1.
 */
u64 morsel_tree_next(const struct morsel_tree *tree, u64 first, u64 last)
{
	u64 hole = tree->source->hole[1];

	if (!first && morsel_tree_lookup(tree, 0) != MORSEL_PFN_NONE)
		return 0;
	while (first <= last) {
		u64 pfn, *leaves;
		unsigned int level = tree_descend(tree, first, 1, &pfn);
		u64 end = min(element_end(first, level), last + 1);

		if (pfn == MORSEL_PFN_NONE) {
			first = end;
			continue;
		}
		leaves = morsel_frame_table(pfn);
		for (; first < end; first++)
			if (READ_ONCE(leaves[morsel_level_slot(1, first)]) != hole)
				return first;
		cond_resched();
	}
	return last + 1;
}

/**
 * morsel_tree_next_hole() - find the next page that is not there
 * @tree:  a tree that is not of order 0
 * @first: where to begin
 * @last:  where to end, below 512^4
 *
 * Context: may sleep; takes no lock.
 * Return: the first page from @first to @last that is not there, or @last + 1.
 */
u64 morsel_tree_next_hole(const struct morsel_tree *tree, u64 first, u64 last)
{
	u64 hole = tree->source->hole[1];

	while (first <= last) {
		u64 pfn, *leaves, end;
		unsigned int level = tree_descend(tree, first, 1, &pfn);

		if (pfn == MORSEL_PFN_NONE)
			return first;
		end = min(element_end(first, level), last + 1);
		leaves = morsel_frame_table(pfn);
		for (; first < end; first++)
			if (READ_ONCE(leaves[morsel_level_slot(1, first)]) == hole)
				return first;
		cond_resched();
	}
	return last + 1;
}

/* Make @place that of the element of @level that @first begins, if it is there. */
static bool place_at(const struct morsel_tree *tree,
		     struct morsel_table_place *place, unsigned int level,
		     u64 first)
{
	place->level = level;
	place->first = first;
	tree_descend(tree, first, level, &place->pfn);
	return place->pfn != MORSEL_PFN_NONE;
}

/**
 * morsel_tree_next_table() - go on to the next table, a parent before its children
 * @tree:  the tree; not destroyed meanwhile
 * @place: a place in it, or all zeroes; moved on
 *
 * Context: may sleep; takes no lock.  Tables that come to be meanwhile may be
 * missed.
 * Return: false when there is no further table.
 */
bool morsel_tree_next_table(const struct morsel_tree *tree,
			    struct morsel_table_place *place)
{
	unsigned int order = morsel_tree_order(tree);
	unsigned int level = place->level;
	u64 first = place->first;

	/* The place may be of another tree, or nobody's. */
	if (!order || level > order)
		return false;
	if (!level)
		return place_at(tree, place, order, 0);
	if (level > 1 && place_at(tree, place, level - 1, first))
		return true;

	/* No first child: the others, then what follows the parent, and so on. */
	if (level > 1)
		level--;
	for (;;) {
		first += morsel_level_pages(level);
		while (level < order &&
		       !(first % morsel_level_pages(level + 1)))
			level++;
		if (level >= order)
			return false;
		if (place_at(tree, place, level, first))
			return true;
		cond_resched();
	}
}

/**
 * morsel_tree_used() - entries of a table that are no hole
 * @tree:  the tree; not destroyed meanwhile
 * @place: a table of it
 */
unsigned int morsel_tree_used(const struct morsel_tree *tree,
			      const struct morsel_table_place *place)
{
	u64 hole = tree->source->hole[place->level];
	u64 *table = morsel_frame_table(place->pfn);
	unsigned int i, used = 0;

	for (i = 0; i < MORSEL_ENTRIES; i++)
		used += READ_ONCE(table[i]) != hole;
	return used;
}

/* Take the pages @first to @last, all below one PTE table, out of it. */
static void tree_take_leaves(struct morsel_tree *tree, u64 table, u64 first,
			     u64 last, morsel_take_fn *take, void *ctx)
{
	struct morsel_source *source = tree->source;
	u64 *leaves = morsel_frame_table(table);
	u64 *from = &leaves[morsel_level_slot(1, first)];
	size_t bytes = (last - first + 1) * sizeof(*from);
	u64 hole = source->hole[1];

	source->ops->leaves_lock(source, table);
	for (; first <= last; first++) {
		u64 *leaf = &leaves[morsel_level_slot(1, first)];

		if (READ_ONCE(*leaf) != hole)
			take(ctx, morsel_entry_pfn(morsel_plat_xchg(leaf, hole)));
	}
	source->ops->leaves_unlock(source, table);
	/* Before anybody else can get one of them. */
	tree_persist(tree, from, bytes);
}

/**
 * morsel_tree_take() - take pages out; tables stay
 * @tree:  a tree of order 1 or more
 * @first: where to begin
 * @last:  where to end, below 512^order
 * @take:  gets the frame of each; does not sleep
 * @ctx:   handed on to @take
 *
 * The caller holds off whoever fills leaves (see &morsel_source_ops), and the
 * frames are its own to free once no translation to them is left.
 *
 * Context: process context, may sleep between tables.
 */
void morsel_tree_take(struct morsel_tree *tree, u64 first, u64 last,
		      morsel_take_fn *take, void *ctx)
{
	while (first <= last) {
		u64 table;
		unsigned int level = tree_descend(tree, first, 1, &table);
		u64 end = element_end(first, level);

		if (table != MORSEL_PFN_NONE)
			tree_take_leaves(tree, table, first, min(last, end - 1),
					 take, ctx);
		first = end;
		cond_resched();
	}
}

/* Depth is bounded by MORSEL_LEVELS. */
static void table_empty(struct morsel_tree *tree, u64 pfn, unsigned int level)
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
			table_empty(tree, child, level - 1);
		morsel_plat_store(&table[i], hole);
		tree_frame_free(tree, level - 1, child);
	}
	cond_resched();
}

/**
 * morsel_tree_empty() - free every frame but the root
 * @tree: the tree; nobody else uses it, no address space has it attached
 *
 * Post-order, each reference removed before its frame is freed: at no moment
 * is more than one frame in neither the tree nor the source.  Source: thesis
 * 3.3.3.  Nothing of this is made persistent: on a medium nothing leads to the tree
 * any more, and that is persistent.
 *
 * Context: process context, may sleep.
 */
void morsel_tree_empty(struct morsel_tree *tree)
{
	unsigned int order = morsel_tree_order(tree);

	if (order)
		table_empty(tree, morsel_tree_root(tree), order);
}

/**
 * morsel_tree_destroy() - free every frame, the root last
 * @tree: the tree; nobody else uses it, no address space has it attached
 *
 * As morsel_tree_empty().  The top becomes 0, which is not made persistent either.
 *
 * Context: process context, may sleep.
 */
void morsel_tree_destroy(struct morsel_tree *tree)
{
	unsigned int order = morsel_tree_order(tree);
	u64 root = morsel_tree_root(tree);

	morsel_tree_empty(tree);
	morsel_plat_store(tree->top, 0);
	if (root != MORSEL_PFN_NONE)
		tree_frame_free(tree, order, root);
}

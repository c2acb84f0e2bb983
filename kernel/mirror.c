// SPDX-License-Identifier: GPL-2.0-only
/*
 * mirror.c - the pages of one tree under other rights
 *
 * A stock kernel tolerates hardly any right in an upper entry, and what looks
 * at leaves alone (get_user_pages_fast(), hmm_range_fault()) would not honour
 * it anyway.  So rights live in leaves: each set of rights that is in use has
 * tables of its own, shared by all mappings with these rights, over one and
 * the same pages.  A mirror is a tree like any other whose source of pages is
 * the original tree; it is filled by faults, 512 leaves at a time.
 *
 * Ordering: as in tree.c.  A page reaches a mirror only after it is in the
 * original, and leaves the original only after the mirror was destroyed.
 */
#include "mirror.h"

static struct morsel_mirror *to_mirror(struct morsel_source *source)
{
	return (struct morsel_mirror *)((char *)source -
					offsetof(struct morsel_mirror, source));
}

static struct morsel_source *below(struct morsel_source *source)
{
	return to_mirror(source)->original->source;
}

static u64 mirror_table_alloc(struct morsel_source *source, unsigned int level)
{
	return below(source)->ops->table_alloc(below(source), level);
}

static void mirror_table_free(struct morsel_source *source, unsigned int level,
			      u64 pfn)
{
	below(source)->ops->table_free(below(source), level, pfn);
}

static u64 mirror_page_alloc(struct morsel_source *source, u64 index)
{
	u64 pfn;

	if (morsel_tree_populate(to_mirror(source)->original, index, &pfn) < 0)
		return MORSEL_PFN_NONE;
	return pfn;
}

/* The original owns the page. */
static void mirror_page_free(struct morsel_source *source, u64 pfn)
{
}

static void mirror_hole_filled(struct morsel_source *source)
{
	below(source)->ops->hole_filled(below(source));
}

static const struct morsel_source_ops mirror_ops = {
	.table_alloc = mirror_table_alloc,
	.table_free = mirror_table_free,
	.page_alloc = mirror_page_alloc,
	.page_free = mirror_page_free,
	.hole_filled = mirror_hole_filled,
};

/**
 * morsel_mirror_init() - make a mirror of its root alone
 * @mirror:     the mirror
 * @original:   a tree of order 1 or more; outlives the mirror
 * @leaf_flags: flag bits of the mirror's leaves
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int morsel_mirror_init(struct morsel_mirror *mirror,
		       struct morsel_tree *original, u64 leaf_flags)
{
	mirror->original = original;
	mirror->source = *original->source;
	mirror->source.ops = &mirror_ops;
	mirror->source.leaf_flags = leaf_flags;
	return morsel_tree_init(&mirror->tree, &mirror->source,
				original->order);
}

/**
 * morsel_mirror_destroy() - free the tables; the pages stay in the original
 * @mirror: the mirror; no address space has it attached
 *
 * Context: process context, may sleep.
 */
void morsel_mirror_destroy(struct morsel_mirror *mirror)
{
	morsel_tree_destroy(&mirror->tree);
}

/* Enter all pages that the original has around @index, up to 2 MiB. */
static void mirror_copy(struct morsel_mirror *mirror, u64 index)
{
	u64 hole = mirror->source.hole[1];
	u64 from, to, *leaves, *copies;
	unsigned int i;

	if (morsel_tree_table(mirror->original, index, 1, &from) ||
	    morsel_tree_table(&mirror->tree, index, 1, &to))
		return;
	leaves = morsel_frame_table(from);
	copies = morsel_frame_table(to);
	for (i = 0; i < MORSEL_ENTRIES; i++) {
		u64 leaf = READ_ONCE(leaves[i]);

		if (leaf != hole && READ_ONCE(copies[i]) == hole)
			cmpxchg64(&copies[i], hole,
				  morsel_entry_make(morsel_entry_pfn(leaf),
						    mirror->source.leaf_flags));
	}
}

/**
 * morsel_mirror_populate() - make sure that a page is there and in the mirror
 * @mirror: the mirror
 * @index:  page, below 512^order
 *
 * Lock-free, like morsel_tree_populate().
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM, with both trees intact.
 */
int morsel_mirror_populate(struct morsel_mirror *mirror, u64 index)
{
	u64 pfn;
	int added = morsel_tree_populate(&mirror->tree, index, &pfn);

	if (added > 0)
		mirror_copy(mirror, index);
	return added < 0 ? added : 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * mirror.c - the pages of one tree under other rights
 *
 * A stock kernel tolerates hardly any right in an upper entry, and what looks
 * at leaves alone (get_user_pages_fast(), hmm_range_fault()) would not honour
 * it anyway.  So rights live in leaves: each set of rights that is in use has
 * tables of its own, shared by all mappings with these rights, over one and
 * the same pages.  A mirror is a tree like any other, but its leaves are copies
 * of the original's; it is filled by faults, 512 leaves at a time.
 *
 * Ordering: as in tree.c.  A leaf is copied while nothing is taken out of the
 * original (fill_begin), and who takes something out then takes it out of the
 * mirror too, before the frame is freed.
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

static int mirror_table_alloc(struct morsel_source *source, unsigned int level,
			      u64 *pfn)
{
	return below(source)->ops->table_alloc(below(source), level, pfn);
}

static void mirror_table_free(struct morsel_source *source, unsigned int level,
			      u64 pfn)
{
	below(source)->ops->table_free(below(source), level, pfn);
}

/* The original owns the page. */
static void mirror_page_free(struct morsel_source *source, u64 pfn)
{
}

static void mirror_leaves_lock(struct morsel_source *source, u64 table)
{
	below(source)->ops->leaves_lock(below(source), table);
}

static void mirror_leaves_unlock(struct morsel_source *source, u64 table)
{
	below(source)->ops->leaves_unlock(below(source), table);
}

static const struct morsel_source_ops mirror_ops = {
	.table_alloc = mirror_table_alloc,
	.table_free = mirror_table_free,
	.page_free = mirror_page_free,
	.leaves_lock = mirror_leaves_lock,
	.leaves_unlock = mirror_leaves_unlock,
};

/**
 * morsel_mirror_init() - make a mirror of its root alone
 * @mirror:     the mirror
 * @original:   a tree that is not of order 0 for good; outlives the mirror
 * @leaf_flags: flag bits of the mirror's leaves
 *
 * Context: process context, may sleep.
 * Return: 0, or what the source refuses for.
 */
int morsel_mirror_init(struct morsel_mirror *mirror,
		       struct morsel_tree *original, u64 leaf_flags)
{
	mirror->original = original;
	mirror->source = *original->source;
	mirror->source.ops = &mirror_ops;
	mirror->source.leaf_flags = leaf_flags;
	/* A root that is a page, or none yet, is nothing to have rights to. */
	return morsel_tree_init(&mirror->tree, &mirror->source,
				morsel_tree_order(original) ? : 1);
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

/*
 * Copy all leaves of a PTE table that the mirror lacks.  Returns how many, or
 * -EINTR or -ERANGE.
 */
static int mirror_copy(struct morsel_mirror *mirror, u64 index, u64 *from,
		       u64 *to)
{
	struct morsel_source *source = mirror->original->source;
	u64 first = index - morsel_level_slot(1, index);
	u64 last = first + MORSEL_ENTRIES - 1;
	u64 hole = source->hole[1];
	unsigned int i;
	int err, added = 0;

	err = source->ops->fill_begin(source, first, &last);
	for (i = 0; !err && i <= last - first; i++) {
		u64 leaf = READ_ONCE(from[i]);
		u64 copy = morsel_entry_make(morsel_entry_pfn(leaf),
					     mirror->source.leaf_flags);

		if (leaf != hole && READ_ONCE(to[i]) == hole &&
		    morsel_plat_cmpxchg(&to[i], hole, copy) == hole)
			added++;
	}
	source->ops->fill_end(source);
	return err ? err : added;
}

/**
 * morsel_mirror_populate() - make sure that pages are there and in the mirror
 * @mirror: the mirror
 * @first:  page, below 512^order
 * @last:   page, not before @first and below the same PTE table
 * @hint:   handed on to the source of the original
 *
 * Lock-free, like morsel_tree_populate().  A page that is taken out meanwhile
 * may be missing again, as it may be at any time after the call.
 *
 * Context: process context, may sleep.
 * Return: how many leaves this call added to the mirror, or with both trees intact
 * what morsel_tree_populate() may return.
 */
int morsel_mirror_populate(struct morsel_mirror *mirror, u64 first, u64 last,
			   void *hint)
{
	u64 hole = mirror->source.hole[1];
	u64 from, to, *copies, index;
	int ret;

	ret = morsel_tree_table(&mirror->tree, first, 1, &to);
	if (ret)
		return ret;
	copies = morsel_frame_table(to);
	for (index = first; index <= last; index++)
		if (READ_ONCE(copies[morsel_level_slot(1, index)]) == hole)
			break;
	if (index > last)
		return 0;

	ret = morsel_tree_populate(mirror->original, first, last, hint);
	if (ret < 0)
		return ret;
	ret = morsel_tree_table(mirror->original, first, 1, &from);
	if (ret)
		return ret;
	return mirror_copy(mirror, first, morsel_frame_table(from), copies);
}

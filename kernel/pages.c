// SPDX-License-Identifier: GPL-2.0-only
/*
 * pages.c - what is in an object: its pages, and the tables over them for each set
 * of rights
 *
 * The tree owns the pages and is for reading and writing; other rights have a mirror
 * of it, which is made when it is first used and stays as long as the object.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "compat.h"
#include "object.h"
#include "trace.h"

/*
 * The mirror for some rights, made by the first who needs it.  The swap pairs
 * with the load: who sees the pointer sees the mirror complete.  A loser undoes
 * its own.
 */
static struct morsel_mirror *object_mirror(struct morsel_object *object,
					   enum morsel_rights rights,
					   unsigned long vm_flags)
{
	struct morsel_mirror *mirror, *other;
	int err;

	/* Pairs with the swap below. */
	mirror = smp_load_acquire(&object->mirrors[rights]);
	if (mirror)
		return mirror;

	mirror = kmalloc(sizeof(*mirror), GFP_KERNEL_ACCOUNT);
	if (!mirror)
		return ERR_PTR(-ENOMEM);
	err = morsel_mirror_init(mirror, &object->tree,
				 morsel_dram_leaf_flags(vm_flags));
	if (err) {
		kfree(mirror);
		return ERR_PTR(err);
	}
	other = cmpxchg(&object->mirrors[rights], NULL, mirror);
	if (other) {
		morsel_mirror_destroy(mirror);
		kfree(mirror);
		mirror = other;
	}
	return mirror;
}

/**
 * morsel_object_populate() - make sure that pages are there, under some rights
 * @object:   the object; the caller is a user of it
 * @vm_flags: VM_READ, VM_WRITE, VM_EXEC; at least one of them
 * @first:    page
 * @last:     page, not before @first and below the same PTE table
 * @hint:     the VMA whose memory policy is to be obeyed, MORSEL_DRAM_AHEAD, or NULL
 * @tree:     out: the tree for these rights, with the pages in it
 *
 * Context: process context, may sleep.
 * Return: how many pages this call added to @tree, or what morsel_tree_populate()
 * may return.
 */
int morsel_object_populate(struct morsel_object *object, unsigned long vm_flags,
			   u64 first, u64 last, void *hint,
			   struct morsel_tree **tree)
{
	struct morsel_mirror *mirror;
	enum morsel_rights rights;
	int added;

	if (!(vm_flags & VM_EXEC) && vm_flags & VM_WRITE) {
		*tree = &object->tree;
		added = morsel_tree_populate(*tree, first, last, hint);
		goto out;
	}

	if (!(vm_flags & VM_EXEC))
		rights = MORSEL_R;
	else
		rights = vm_flags & VM_WRITE ? MORSEL_RWX : MORSEL_RX;
	mirror = object_mirror(object, rights, vm_flags);
	if (IS_ERR(mirror))
		return PTR_ERR(mirror);
	*tree = &mirror->tree;
	added = morsel_mirror_populate(mirror, first, last, hint);
out:
	if (added > 0)
		trace_morsel_populate(object->id, first, last, added);
	return added;
}

/**
 * morsel_object_page() - get hold of a page that is there
 * @object: the object; the caller is a user of it
 * @index:  page
 *
 * It may be taken out at any time, and nobody waits for who looks at it: so it is
 * held first, whoever's it is by then, and then looked for again.
 *
 * Context: any.
 * Return: the page with a reference, or NULL where there is none.
 */
struct page *morsel_object_page(struct morsel_object *object, u64 index)
{
	struct page *page = NULL;
	u64 pfn;

	/* So that what describes the frame does not go away. */
	rcu_read_lock();
	while ((pfn = morsel_tree_lookup(&object->tree, index)) != MORSEL_PFN_NONE) {
		page = pfn_to_page(pfn);
		if (get_page_unless_zero(page)) {
			if (morsel_tree_lookup(&object->tree, index) == pfn)
				break;
			put_page(page);
		}
		page = NULL;
		cpu_relax();
	}
	rcu_read_unlock();
	return page;
}

/**
 * morsel_object_insert() - have the object have a page
 * @object: the object; the caller is a user of it
 * @index:  position of the page
 * @pfn:    frame that the source gave for it (@page_new); the object's or free after
 *          this
 *
 * Context: process context, may sleep.
 * Return: 1, or 0 when there is another one, or what morsel_tree_populate() may
 * return.
 */
int morsel_object_insert(struct morsel_object *object, u64 index, u64 pfn)
{
	struct morsel_source *source = object->tree.source;
	int ret;

	/* What was written to it, before anything names it. */
	if (source->persist)
		source->persist(morsel_frame_table(pfn), MORSEL_PAGE_SIZE);
	ret = morsel_tree_insert(&object->tree, index, pfn);
	if (ret > 0)
		trace_morsel_populate(object->id, index, index, 1);
	return ret;
}

/**
 * morsel_object_fill() - populate a range, one step of it
 * @object: the object; the caller is a user of it
 * @next:   first page of the range; moved on
 * @last:   last page of the range
 *
 * Context: process context, may sleep.
 * Return: 0, done when @next is above @last; or -ENOMEM or -EINTR.
 */
int morsel_object_fill(struct morsel_object *object, u64 *next, u64 last)
{
	u64 end = min(last, *next | (MORSEL_ENTRIES - 1));
	struct morsel_tree *tree;
	int ret = morsel_object_populate(object, VM_READ | VM_WRITE, *next, end,
					 NULL, &tree);

	if (ret >= 0) {
		*next = end + 1;
		return 0;
	}
	/* As far as it got. */
	while (*next <= end &&
	       morsel_tree_lookup(&object->tree, *next) != MORSEL_PFN_NONE)
		++*next;
	return *next > end ? 0 : ret;
}

/**
 * morsel_object_mirrors_destroy() - free the tables for other rights
 * @object: the object, which nobody uses any more; its pages are still there
 */
void morsel_object_mirrors_destroy(struct morsel_object *object)
{
	unsigned int i;

	for (i = 0; i < MORSEL_MIRRORS; i++) {
		struct morsel_mirror *mirror = object->mirrors[i];

		if (!mirror)
			continue;
		morsel_mirror_destroy(mirror);
		kfree(mirror);
	}
}

/* The tables that were made for some rights, the tree's own first; or NULL. */
static struct morsel_tree *object_tables(struct morsel_object *object,
					 unsigned int set)
{
	struct morsel_mirror *mirror;

	if (!set)
		return &object->tree;
	/* Pairs with the swap in object_mirror(). */
	mirror = smp_load_acquire(&object->mirrors[set - 1]);
	return mirror ? &mirror->tree : NULL;
}

/**
 * morsel_object_next_table() - walk the tables of an object
 * @object: the object; the caller is a user of it
 * @set:    0 to start; moved on: 0 for the tree itself, 1 + &enum morsel_rights for
 *          a mirror
 * @place:  all zeroes to start; moved on
 *
 * A parent comes before its children.
 *
 * Context: process context, may sleep.
 * Return: the tree that the table is of, or NULL when there is no further one.
 */
struct morsel_tree *morsel_object_next_table(struct morsel_object *object,
					     unsigned int *set,
					     struct morsel_table_place *place)
{
	for (; *set <= MORSEL_MIRRORS; ++*set) {
		struct morsel_tree *tree = object_tables(object, *set);

		if (tree && morsel_tree_next_table(tree, place))
			return tree;
		*place = (struct morsel_table_place){};
	}
	return NULL;
}

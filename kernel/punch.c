// SPDX-License-Identifier: GPL-2.0-only
/*
 * punch.c - pages taken out of a living, mapped morsel: holes, and its end; or all of
 *           them only from who has it mapped
 *
 * In this order:
 *   1. nobody else takes out, nobody fills in the range (hold.c)
 *   2. its leaves are cleared, in the tree and in every mirror
 *   3. its pages are disowned: who has one by a leaf of its own, and is about
 *      to have the kernel map it, looks at the owner under the page lock
 *   4. unmap_mapping_range() goes through every VMA of the range: the notifiers
 *      detach what is attached and flush, the kernel zaps leaves of its own.
 *      The flush also waits for lockless walkers that saw a leaf.
 *   5. others may fill again
 *   6. the references are dropped; a pin keeps its page until it is dropped too
 *
 * What gets shorter does not hold a range: nobody fills behind its new end any more.
 *
 * Tables stay: a table that leaves a living tree could be walked by processors
 * of any address space, and they are 0.2 % of what was punched.
 *
 * Locks: hold->lock > page lock; hold->lock > i_mmap_rwsem > view->lock > page
 * table locks.  No mmap lock and no VMA lock: faults wait for the hold under
 * theirs.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pagemap.h>

#include "pmem.h"
#include "punch.h"
#include "trace.h"

/* What faults may have to wait for at most: 16 MiB. */
#define PUNCH_WINDOW	BIT_ULL(12)

/* What is looked through for pages between two looks at signals: 512 GiB. */
#define PUNCH_SEARCH	BIT_ULL(27)

/*
 * Pages that were taken out, each naming the next one.  Not by ->lru: of pages that
 * are a device's, that is something else.
 */
static void punch_collect(void *pages, u64 pfn)
{
	struct page **first = pages, *page = pfn_to_page(pfn);

	set_page_private(page, (unsigned long)*first);
	*first = page;
}

static struct page *punch_next(const struct page *page)
{
	return (struct page *)page_private(page);
}

static void punch_ignore(void *unused, u64 pfn)
{
}

static void punch_take(struct morsel_object *object, u64 first, u64 last,
		       struct page **pages)
{
	struct morsel_mirror *mirror;
	unsigned int i;

	morsel_tree_take(&object->tree, first, last, punch_collect, pages);
	for (i = 0; i < MORSEL_MIRRORS; i++) {
		/*
		 * Pairs with the swap in object_mirror(); a mirror that is made
		 * after this has no leaves in the range.
		 */
		mirror = smp_load_acquire(&object->mirrors[i]);
		if (mirror)
			morsel_tree_take(&mirror->tree, first, last,
					 punch_ignore, NULL);
	}
}

/* Steps 2 and 3; returns the pages. */
static struct page *punch_out(struct morsel_object *object, u64 first, u64 last)
{
	struct page *pages = NULL, *page;

	punch_take(object, first, last, &pages);
	for (page = pages; page; page = punch_next(page))
		morsel_dram_page_disown(page_to_pfn(page));
	return pages;
}

/* Step 6. */
static void punch_free(struct morsel_object *object, u64 first, u64 last,
		       struct page *pages)
{
	struct morsel_source *source = object->tree.source;
	long count = 0;

	while (pages) {
		struct page *page = pages;

		pages = punch_next(page);
		set_page_private(page, 0);
		source->ops->page_free(source, page_to_pfn(page));
		count++;
		cond_resched();
	}
	trace_morsel_punch(object->id, first, last, count);
}

/* Under the lock of the hold. */
static int punch_window(struct morsel_object *object, u64 first, u64 last)
{
	struct page *pages;
	int err;

	err = morsel_hold_begin(&object->dram.hold, first, last);
	if (err)
		return err;

	pages = punch_out(object, first, last);
	unmap_mapping_range(object->inode->i_mapping, first << PAGE_SHIFT,
			    (last - first + 1) << PAGE_SHIFT, 0);
	/* Nobody waits for the rest but who takes out, too. */
	morsel_hold_end(&object->dram.hold);

	punch_free(object, first, last, pages);
	return 0;
}

/**
 * morsel_punch() - take pages out of an object, one step of it
 * @object: the object; the caller is a user of it
 * @next:   first page of the range; moved on
 * @last:   last page of the range
 *
 * When it returns with @next moved on, no process sees what was in the pages
 * before, and their frames are free or pinned, whoever took them out.  The only
 * page of an order-0 morsel is its root, and stays: it is cleared.
 *
 * Context: process context, may sleep; no mmap lock held.
 * Return: 0, done when @next is above @last; or -EINTR.
 */
int morsel_punch(struct morsel_object *object, u64 *next, u64 last)
{
	u64 first, end, search = min(last, *next | (PUNCH_SEARCH - 1));
	int err;

	if (!object->order) {
		clear_highpage(pfn_to_page(morsel_tree_root(&object->tree)));
		*next = last + 1;
		return 0;
	}

	err = morsel_hold_lock(&object->dram.hold);
	if (err)
		return err;
	first = morsel_tree_next(&object->tree, *next, search);
	end = search;
	if (first <= search) {
		end = min(search, first | (PUNCH_WINDOW - 1));
		err = punch_window(object, first, end);
	}
	morsel_hold_unlock(&object->dram.hold);
	if (!err)
		*next = end + 1;
	return err;
}

/* Take out all that is behind the limit, which all who fill know. */
static void truncate_rest(struct morsel_object *object, u64 limit)
{
	struct address_space *mapping = object->inode->i_mapping;
	u64 end = morsel_level_pages(object->order) - 1;
	u64 first = limit, last;

	/* Private copies, too, of pages that were punched before. */
	unmap_mapping_range(mapping, limit << PAGE_SHIFT, 0, 1);
	while ((first = morsel_tree_next(&object->tree, first, end)) <= end) {
		struct page *pages;

		last = min(end, first | (PUNCH_WINDOW - 1));
		pages = punch_out(object, first, last);
		/* What was mapped until it was disowned. */
		unmap_mapping_range(mapping, first << PAGE_SHIFT,
				    (last - first + 1) << PAGE_SHIFT, 1);
		punch_free(object, first, last, pages);
		first = last + 1;
	}
}

/**
 * morsel_set_limit() - say how many pages a growing object may have
 * @object: the object; the caller is the only one who does so, and keeps out all
 *          who fill but for page faults
 * @limit:  first page that it may not have
 *
 * When it returns no process has a page behind the limit, and none will.
 *
 * Context: process context, may sleep; no mmap lock held.
 */
void morsel_set_limit(struct morsel_object *object, u64 limit)
{
	struct morsel_hold *hold = &object->dram.hold;

	if (limit >= morsel_hold_limit(hold)) {
		morsel_hold_set_limit(hold, limit);
		return;
	}

	morsel_hold_lock_anyway(hold);
	morsel_hold_set_limit(hold, limit);
	/*
	 * Pairs with morsel_object_map(), a full barrier: faults of a mapping that
	 * is not seen here see the limit.
	 */
	if (atomic_read(&object->mappings))
		morsel_hold_sync(hold);
	truncate_rest(object, limit);
	morsel_hold_unlock(hold);
}

/* Who was given a page to map, and has it locked until that is done, is done. */
static void faults_drain(struct morsel_object *object)
{
	struct morsel_table_place place = {};

	while (morsel_tree_next_table(&object->tree, &place)) {
		u64 *leaves = morsel_frame_table(place.pfn);
		unsigned int i;

		for (i = 0; place.level == 1 && i < MORSEL_ENTRIES; i++) {
			u64 leaf = READ_ONCE(leaves[i]);
			struct page *page;

			if (leaf == object->tree.source->hole[1])
				continue;
			/* Who locked it did so before he was waited for. */
			page = pfn_to_page(morsel_entry_pfn(leaf));
			if (!PageLocked(page))
				continue;
			lock_page(page);
			unlock_page(page);
		}
		cond_resched();
	}
}

/**
 * morsel_revoke() - take a device from who has it mapped; &morsel_pmem.revoke
 * @pmem: the device, stopped: no fault of its objects gets a page any more
 *
 * Copies that private mappings have made stay; what somebody has pinned he keeps until
 * he unpins it.
 *
 * Context: process context, may sleep; no mmap lock held, &morsel_pmem.objects_lock held.
 */
void morsel_revoke(struct morsel_pmem *pmem)
{
	struct morsel_object *object;

	lockdep_assert_held(&pmem->objects_lock);
	list_for_each_entry(object, &pmem->objects, on_device) {
		cond_resched();
		/* One that is mapped after this gets nothing. */
		if (!atomic_read(&object->mappings))
			continue;
		faults_drain(object);
		unmap_mapping_range(object->inode->i_mapping, 0, 0, 0);
	}
}

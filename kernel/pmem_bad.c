// SPDX-License-Identifier: GPL-2.0-only
/*
 * pmem_bad.c - frames of a persistent-memory device that are bad
 *
 * The kernel has a list of what is known to be bad of a disk.  It is looked at before
 * anything else of the device is, for to read such a frame can be the end of the
 * machine.  All that is found there, and what fails later, is marked in the page
 * (PageHWPoison()), which is what everybody asks: read() and write() fail with EIO,
 * faults with SIGBUS, such a frame is never given out, and recovery goes without it or
 * not at all (&morsel_pool.bad).
 *
 * Of a file that has such a page when the device is opened, no table is attached, for
 * who has one is not asked for each page.  When one fails later, who has it in a table
 * that is attached hears of it from the processor.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/badblocks.h>
#include <linux/blkdev.h>
#include <linux/dax.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/xarray.h>

#include "pmem.h"

/* What is asked for at once, in sectors: 256 MiB. */
#define BAD_STEP	BIT(19)

/* Flagged when it was opened, and until it is closed; or by who will unflag it. */
#define BAD_OURS	xa_mk_value(0)
#define BAD_STAYS	xa_mk_value(1)

static struct badblocks *list_of(struct morsel_pmem *pmem)
{
	return morsel_bdev(pmem->bdev)->bd_disk->bb;
}

/**
 * morsel_pmem_has_list() - does the kernel say what is bad of a device?
 * @pmem: the device, claimed
 */
bool morsel_pmem_has_list(struct morsel_pmem *pmem)
{
	return list_of(pmem);
}

static int bad_add(struct morsel_pmem *pmem, u64 pfn)
{
	struct page *page = pfn_to_page(pfn);
	int err;

	pmem->poisoned = true;
	if (xa_load(&pmem->bad, pfn))
		return 0;
	err = xa_err(xa_store(&pmem->bad, pfn, PageHWPoison(page) ? BAD_STAYS : BAD_OURS,
			      GFP_KERNEL));
	if (err)
		return err;
	SetPageHWPoison(page);
	pmem->bads++;
	/* Where the kernel does not know of such pages. */
	return PageHWPoison(page) ? 0 : -EIO;
}

/* All that is bad of [@from, @end), in sectors of the disk; frame 0 is at @from. */
static int bad_add_all(struct morsel_pmem *pmem, u64 base, sector_t from, sector_t end)
{
	sector_t at = from, bad;
	int count, err = 0;
	u64 frame;

	while (!err && at < end) {
		int step = min_t(sector_t, end - at, BAD_STEP);

		cond_resched();
		if (!badblocks_check(list_of(pmem), at, step, &bad, &count)) {
			at += step;
			continue;
		}
		/* It may have begun before, or end behind. */
		frame = (max(bad, at) - from) / PAGE_SECTORS;
		at = clamp_t(sector_t, bad + count, at + 1, end);
		for (; !err && frame <= (at - 1 - from) / PAGE_SECTORS; frame++)
			err = bad_add(pmem, base + frame);
	}
	return err;
}

/**
 * morsel_pmem_bad_read() - find out what is known to be bad
 * @pmem:   the device, claimed and mapped
 * @base:   its first frame
 * @frames: how many it has
 * @why:    out: what is wrong, if something is
 *
 * Context: process context, may sleep; before anything on the device is read.
 * Return: 0, -ENXIO (it is going away), -EIO or -ENOMEM.
 */
int morsel_pmem_bad_read(struct morsel_pmem *pmem, u64 base, u64 frames,
			 const char **why)
{
	sector_t from = pmem->start * PAGE_SECTORS;
	int err = 0, id;

	if (!morsel_pmem_has_list(pmem))
		return 0;
	*why = "what is bad of it cannot be found out";
	/* The list goes away with the device, and that waits for us. */
	id = dax_read_lock();
	if (!dax_alive(pmem->dax))
		err = -ENXIO;
	else
		err = bad_add_all(pmem, base, from, from + frames * PAGE_SECTORS);
	dax_read_unlock(id);
	return err;
}

/**
 * morsel_pmem_bad() - may nobody read a frame?
 * @pool:  of a device
 * @frame: from its first one on
 */
bool morsel_pmem_bad(const struct morsel_pool *pool, u64 frame)
{
	return PageHWPoison(pfn_to_page(pool->base + frame));
}

/**
 * morsel_pmem_bad_withdraw() - bad frames that are free are not to be had
 * @pmem: the device, with all that is in use known
 * @path: what it is called
 */
void morsel_pmem_bad_withdraw(struct morsel_pmem *pmem, const char *path)
{
	struct morsel_pool_frames *frames = &pmem->pool.frames;
	unsigned long pfn, free = 0;
	void *entry;

	if (!pmem->bads)
		return;
	xa_for_each(&pmem->bad, pfn, entry) {
		u64 frame = pfn - pmem->pool.base;

		free += frame >= frames->count || morsel_pool_frames_withdraw(frames, frame);
	}
	pr_warn("%s: %lu frames are bad, %lu of them pages of files\n", path, pmem->bads,
		pmem->bads - free);
}

/**
 * morsel_pmem_bad_forget() - the pages are for others to judge
 * @pmem: the device, which nobody uses
 */
void morsel_pmem_bad_forget(struct morsel_pmem *pmem)
{
	unsigned long pfn;
	void *entry;

	xa_for_each(&pmem->bad, pfn, entry)
		if (entry == BAD_OURS)
			ClearPageHWPoison(pfn_to_page(pfn));
	xa_destroy(&pmem->bad);
}

/**
 * morsel_pmem_fail() - the memory of frames has failed
 * @pmem:  the device, opened
 * @first: frame, from its first one on
 * @last:  frame
 *
 * Who has such a page mapped is made to fault: then it gets SIGBUS (see mapping.c), as
 * who touches it by a table that others have attached gets it by a machine check.
 *
 * Context: process context, may sleep; the device cannot go away, nor be closed.
 */
void morsel_pmem_fail(struct morsel_pmem *pmem, u64 first, u64 last)
{
	WRITE_ONCE(pmem->poisoned, true);
	/* So that who opens it next knows, and the driver mends what is written. */
	if (morsel_pmem_has_list(pmem))
		badblocks_set(list_of(pmem), (pmem->start + first) * PAGE_SECTORS,
			      (last - first + 1) * PAGE_SECTORS, 1);
	for (; first <= last; first++) {
		struct page *page = pfn_to_page(pmem->pool.base + first);
		struct address_space *mapping;

		pr_err("frame %llu of a device has failed\n", first);
		/* What is there takes no memory. */
		if (xa_load(&pmem->bad, page_to_pfn(page)))
			xa_store(&pmem->bad, page_to_pfn(page), BAD_STAYS, GFP_KERNEL);
		/* Who disowns it does so under this lock, and before the mapping goes. */
		lock_page(page);
		/* Here: who has looked at it under the lock has it mapped by now. */
		SetPageHWPoison(page);
		mapping = page->mapping;
		if (mapping)
			unmap_mapping_range(mapping, (loff_t)page->index << PAGE_SHIFT,
					    PAGE_SIZE, 0);
		unlock_page(page);
	}
}

/**
 * morsel_pmem_failed() - is a page bad?
 * @dram: source of the object
 * @tree: its tree
 * @index: the page
 */
bool morsel_pmem_failed(const struct morsel_dram *dram, const struct morsel_tree *tree,
			u64 index)
{
	u64 pfn;

	if (likely(!READ_ONCE(dram->pmem->poisoned)))
		return false;
	pfn = morsel_tree_lookup(tree, index);
	return pfn != MORSEL_PFN_NONE && PageHWPoison(pfn_to_page(pfn));
}

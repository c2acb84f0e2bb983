// SPDX-License-Identifier: GPL-2.0-only
/*
 * pmem.c - frames of a persistent-memory device
 *
 * The device is a block device whose driver has it mapped as memory (FS_DAX), with a
 * struct page for each frame.  So frames of it are tables and pages as others are, but
 * for two things.  Their reference count is 1 when nobody holds them, and the driver's
 * to begin with: none is ever dropped by us (pmem_frames.c).  And ->lru is none.
 *
 * What the kernel keeps of a frame, the lock of a table for one, is not on the device:
 * it is made when the device is opened (morsel_pmem_adopt()), and unmade when it is
 * closed.  Whose a page is, which only futexes ask, is said when a file is first
 * mapped (morsel_pmem_adopt_pages()).
 *
 * What goes wrong with the device meanwhile is in pmem_bad.c and pmem_stop.c.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/blkdev.h>
#include <linux/dax.h>
#include <linux/libnvdimm.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/pfn_t.h>
#include <linux/sched/signal.h>
#include <linux/workqueue.h>

#include "crash.h"
#include "pmem.h"
#include "pmem_frames.h"

/* Where devices are closed whose pages somebody has pinned; emptied by its destruction. */
static struct workqueue_struct *pmem_enders;

/* Lines are written back, and have arrived before anything that is stored after. */
static void pmem_persist(const void *p, size_t bytes)
{
	arch_wb_cache_pmem((void *)p, bytes);
	/* What is written back is on its way until then. */
	wmb();
}

/* Why there are no frames. */
static int pmem_refusal(const struct morsel_pmem *pmem)
{
	return morsel_pmem_stopped(pmem) ? -EIO : -ENOSPC;
}

/* Tables of @meta are none that a processor walks. */
static bool tables_are_walked(const struct morsel_dram *dram)
{
	return dram->mapping;
}

static int pmem_table_alloc(struct morsel_source *source, unsigned int level, u64 *pfn)
{
	struct morsel_dram *dram = morsel_dram_of(source);
	struct page *page;

	if (!morsel_pmem_take(dram, pfn, 1))
		return pmem_refusal(dram->pmem);
	page = pfn_to_page(*pfn);
	clear_page(page_address(page));
	if (tables_are_walked(dram) && !morsel_table_ctor(page, level)) {
		morsel_pmem_give(dram->pmem, page);
		return -ENOMEM;
	}
	morsel_dram_count_table(dram, level, 1);
	return 0;
}

static void pmem_table_free(struct morsel_source *source, unsigned int level, u64 pfn)
{
	struct morsel_dram *dram = morsel_dram_of(source);
	struct page *page = pfn_to_page(pfn);

	if (tables_are_walked(dram))
		morsel_table_dtor(page, level);
	morsel_pmem_give(dram->pmem, page);
	morsel_dram_count_table(dram, level, -1);
}

/* Nobody sees what was in it, now or after a crash. */
static void pmem_page_clear(struct morsel_source *source, u64 pfn)
{
	void *page = page_address(pfn_to_page(pfn));

	clear_page(page);
	if (source->persist)
		source->persist(page, PAGE_SIZE);
}

static int pmem_pages_alloc(struct morsel_source *source, u64 index, void *hint,
			    u64 *pfns, unsigned int count)
{
	struct morsel_dram *dram = morsel_dram_of(source);
	unsigned int got = morsel_pmem_take(dram, pfns, count), i;

	for (i = 0; i < got; i++) {
		pmem_page_clear(source, pfns[i]);
		morsel_dram_page_adopt(dram, pfn_to_page(pfns[i]), index + i);
	}
	morsel_dram_count_data(dram, got);
	return got ? : pmem_refusal(dram->pmem);
}

static int pmem_page_new(struct morsel_source *source, u64 index, bool zeroed, u64 *pfn)
{
	struct morsel_dram *dram = morsel_dram_of(source);

	if (!morsel_pmem_take(dram, pfn, 1))
		return pmem_refusal(dram->pmem);
	/* What the caller writes to it is persistent before it is named. */
	if (zeroed)
		clear_page(page_address(pfn_to_page(*pfn)));
	morsel_dram_page_adopt(dram, pfn_to_page(*pfn), index);
	morsel_dram_count_data(dram, 1);
	return 0;
}

/* It is nobody's; and for others that use the device after us. */
static void page_forget(struct page *page)
{
	morsel_dram_page_disown(page_to_pfn(page));
	page->index = 0;
	ClearPageDirty(page);
	folio_clear_referenced(page_folio(page));
}

static void pmem_page_free(struct morsel_source *source, u64 pfn)
{
	struct morsel_dram *dram = morsel_dram_of(source);

	page_forget(pfn_to_page(pfn));
	morsel_pmem_give(dram->pmem, pfn_to_page(pfn));
	morsel_dram_count_data(dram, -1);
}

static const struct morsel_source_ops pmem_ops = {
	.table_alloc = pmem_table_alloc,
	.table_free = pmem_table_free,
	.pages_alloc = pmem_pages_alloc,
	.page_new = pmem_page_new,
	.page_free = pmem_page_free,
	.fill_begin = morsel_dram_fill_begin,
	.fill_end = morsel_dram_fill_end,
	.leaves_lock = morsel_dram_leaves_lock,
	.leaves_unlock = morsel_dram_leaves_unlock,
};

/* Frames come from the device from here on; its holes are not known yet. */
static void source_init(struct morsel_dram *dram, struct morsel_pmem *pmem)
{
	dram->pmem = pmem;
	dram->source.ops = &pmem_ops;
	dram->source.persist = pmem->domain == MORSEL_DOMAIN_MEMORY ? pmem_persist : NULL;
}

/**
 * morsel_pmem_source() - have an object's frames come from a device
 * @dram: source of the object, which has none yet
 * @pmem: the device
 */
void morsel_pmem_source(struct morsel_dram *dram, struct morsel_pmem *pmem)
{
	source_init(dram, pmem);
	memcpy(dram->source.hole, pmem->meta.source.hole, sizeof(dram->source.hole));
}

/* What is done with each page of a tree. */
typedef void page_fn(struct morsel_dram *dram, struct page *page, u64 index);

static void each_leaf(struct morsel_dram *dram, const struct morsel_table_place *place,
		      page_fn *fn)
{
	u64 *leaves = morsel_frame_table(place->pfn);
	unsigned int i;

	for (i = 0; i < MORSEL_ENTRIES; i++) {
		u64 leaf = READ_ONCE(leaves[i]);

		if (leaf != dram->source.hole[1])
			fn(dram, pfn_to_page(morsel_entry_pfn(leaf)), place->first + i);
	}
	cond_resched();
}

static void page_judge(struct morsel_dram *dram, struct page *page, u64 index)
{
	if (PageHWPoison(page))
		dram->damaged = true;
}

/**
 * morsel_pmem_adopt() - make what the kernel keeps of the tables of a tree
 * @dram: source of the object
 * @tree: its tree, as it was found on the device
 *
 * Counts its frames as well, and looks for bad ones if there are any.
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int morsel_pmem_adopt(struct morsel_dram *dram, struct morsel_tree *tree)
{
	struct morsel_table_place place = {};
	unsigned long done = 0;

	while (morsel_tree_next_table(tree, &place)) {
		if (!morsel_table_ctor(pfn_to_page(place.pfn), place.level))
			goto undo;
		done++;
		morsel_dram_count_table(dram, place.level, 1);
		if (place.level != 1)
			continue;
		morsel_dram_count_data(dram, morsel_tree_used(tree, &place));
		if (unlikely(dram->pmem->poisoned))
			each_leaf(dram, &place, page_judge);
	}
	return 0;
undo:
	place = (struct morsel_table_place){};
	while (done-- && morsel_tree_next_table(tree, &place)) {
		morsel_table_dtor(pfn_to_page(place.pfn), place.level);
		morsel_dram_count_table(dram, place.level, -1);
		if (place.level == 1)
			morsel_dram_count_data(dram, -(long)morsel_tree_used(tree, &place));
	}
	return -ENOMEM;
}

static void page_adopt(struct morsel_dram *dram, struct page *page, u64 index)
{
	morsel_dram_page_adopt(dram, page, index);
}

/*
 * What programs have written and nobody has synced is written back at the latest now.
 * And who still has the page pinned, for a device or a pipe, is waited for by
 * morsel_pmem_close(): nobody allocates any more, so it may be told by the same means.
 */
static void page_release(struct morsel_dram *dram, struct page *page, u64 index)
{
	if (dram->source.persist && !PageHWPoison(page))
		dram->source.persist(page_address(page), PAGE_SIZE);
	page_forget(page);
	if (unlikely(!morsel_pmem_idle(page)))
		morsel_pmem_give(dram->pmem, page);
}

/**
 * morsel_pmem_adopt_pages() - say of all pages of a tree whose they are
 * @dram: source of the object
 * @tree: its tree, from which nobody takes anything out meanwhile
 *
 * Context: process context, may sleep.
 * Return: 0, or -EINTR when the caller was killed meanwhile.
 */
int morsel_pmem_adopt_pages(struct morsel_dram *dram, struct morsel_tree *tree)
{
	struct morsel_table_place place = {};

	while (morsel_tree_next_table(tree, &place)) {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (place.level == 1)
			each_leaf(dram, &place, page_adopt);
	}
	return 0;
}

/**
 * morsel_pmem_release() - undo morsel_pmem_adopt(); what is on the device stays
 * @dram: source of the object
 * @tree: its tree, which nobody uses any more
 *
 * Context: process context, may sleep.
 */
void morsel_pmem_release(struct morsel_dram *dram, struct morsel_tree *tree)
{
	struct morsel_table_place place = {};

	while (morsel_tree_next_table(tree, &place)) {
		if (place.level == 1) {
			each_leaf(dram, &place, page_release);
			morsel_dram_count_data(dram, -(long)morsel_tree_used(tree, &place));
		}
		morsel_table_dtor(pfn_to_page(place.pfn), place.level);
		morsel_dram_count_table(dram, place.level, -1);
	}
}

/* What the driver is asked for at once: 1 GiB, for some count its bytes in 32 bits. */
#define MAP_PIECE	BIT_ULL(18)

/*
 * One piece of the device, which is where tables expect it; returns its frames.  Where
 * the kernel has a list of what is bad, that is looked at (pmem_bad.c), and the driver
 * says where the frames are for all that.
 */
static long map_piece(struct morsel_pmem *pmem, u64 page, u64 frames, u64 *pfn)
{
	enum dax_access_mode mode = morsel_pmem_has_list(pmem) ? DAX_RECOVERY_WRITE :
								 DAX_ACCESS;
	void *address;
	long got;
	pfn_t first;
	int id;

	id = dax_read_lock();
	got = dax_direct_access(pmem->dax, page, frames, mode, &address, &first);
	dax_read_unlock(id);
	if (got < 1)
		return got ? : -EIO;
	*pfn = pfn_t_to_pfn(first);
	return address == __va(PFN_PHYS(*pfn)) ? got : -EOPNOTSUPP;
}

/* Is the frame one of those that the kernel describes like this one? */
static bool pgmap_has(struct dev_pagemap *pgmap, u64 pfn)
{
	struct dev_pagemap *other = get_dev_pagemap(pfn, NULL);

	put_dev_pagemap(other);
	return other == pgmap;
}

/* Where the device is as memory: contiguous, and described. */
static int pmem_map(struct morsel_pmem *pmem, u64 frames, u64 *base, const char **why)
{
	u64 done = 0, pfn;
	long got;

	do {
		got = map_piece(pmem, pmem->start + done,
				min(frames - done, MAP_PIECE), &pfn);
		if (got < 0) {
			*why = "the device is not memory, or has bad blocks that nobody lists";
			return got;
		}
		if (!done)
			*base = pfn;
		if (pfn != *base + done) {
			*why = "the device is not contiguous";
			return -EOPNOTSUPP;
		}
		done += got;
	} while (done < frames);
	pmem->pgmap = get_dev_pagemap(*base, NULL);
	if (!pmem->pgmap || pmem->pgmap->type != MEMORY_DEVICE_FS_DAX ||
	    !pgmap_has(pmem->pgmap, *base + frames - 1)) {
		*why = "the kernel does not describe the device's pages (fsdax mode)";
		return -EOPNOTSUPP;
	}
	return 0;
}

static int pmem_claim(struct morsel_pmem *pmem, const char *path, u64 *base, u64 *frames,
		      const char **why)
{
	struct block_device *bdev;
	u64 start;

	pmem->bdev = morsel_bdev_open(path, pmem);
	if (IS_ERR(pmem->bdev)) {
		*why = "no block device, or one that is in use";
		return PTR_ERR(pmem->bdev);
	}
	bdev = morsel_bdev(pmem->bdev);
	if (bdev_read_only(bdev)) {
		*why = "the device is read-only";
		return -EROFS;
	}
	/* What was written through its page cache is in memory. */
	sync_blockdev(bdev);
	invalidate_bdev(bdev);
	pmem->dax = fs_dax_get_by_bdev(bdev, &start, pmem, &morsel_pmem_holder_ops);
	if (!pmem->dax) {
		*why = "no persistent memory";
		return -EOPNOTSUPP;
	}
	if (!dax_synchronous(pmem->dax)) {
		*why = "what is written is persistent only when the driver says so";
		return -EOPNOTSUPP;
	}
	*frames = bdev_nr_bytes(bdev) >> PAGE_SHIFT;
	if (!PAGE_ALIGNED(start) || *frames < MORSEL_POOL_FIRST) {
		*why = "too small, or not at a page";
		return -EINVAL;
	}
	pmem->start = start >> PAGE_SHIFT;
	return pmem_map(pmem, *frames, base, why);
}

/* The shared empty tables, where the kernel may take the lock of a table. */
static int empty_adopt(struct morsel_pmem *pmem)
{
	struct page *two = pfn_to_page(pmem->pool.base + MORSEL_POOL_EMPTY2);
	struct page *three = pfn_to_page(pmem->pool.base + MORSEL_POOL_EMPTY3);

	if (!morsel_table_ctor(two, 2))
		return -ENOMEM;
	if (!morsel_table_ctor(three, 3)) {
		morsel_table_dtor(two, 2);
		return -ENOMEM;
	}
	return 0;
}

static void empty_release(struct morsel_pmem *pmem)
{
	morsel_table_dtor(pfn_to_page(pmem->pool.base + MORSEL_POOL_EMPTY2), 2);
	morsel_table_dtor(pfn_to_page(pmem->pool.base + MORSEL_POOL_EMPTY3), 3);
}

static void pmem_recovered(const char *path, const struct morsel_pool_found *found)
{
	if (found->finished || found->cut)
		pr_info("%s: finished what was under way: %llu names, %llu pages behind an end\n",
			path, found->finished, found->cut);
}

/* Look first: nothing is written to what is damaged. */
static int pmem_recover(struct morsel_pmem *pmem, const char *path, u64 device,
			const char **why)
{
	struct morsel_pool *pool = &pmem->pool;
	struct morsel_pool_found found;
	bool fix = false;
	int err;

	err = morsel_pool_check_super(pool, device, why);
	if (!err)
		err = morsel_pool_move(pool, why);
	if (err)
		return err;
again:
	err = morsel_pool_frames_init(&pool->frames, pool->super->frames, nr_cpu_ids);
	if (err)
		return err;
	err = morsel_pool_recover(pool, fix, num_online_cpus(), &found);
	if (err && found.why)
		pr_err("%s: inode %llu %s\n", path, found.inode, found.why);
	*why = found.why ? : "out of memory";
	if (err)
		return err;
	if (!fix && (found.finished || found.cut || found.cleared)) {
		morsel_pool_frames_exit(&pool->frames);
		fix = true;
		goto again;
	}
	if (fix)
		pmem_recovered(path, &found);
	return empty_adopt(pmem);
}

/* Those of frames that no process maps. */
static int sources_init(struct morsel_pmem *pmem)
{
	u64 limit = morsel_level_pages(MORSEL_LEVELS - 1);
	unsigned int i;
	int err = morsel_dram_init(&pmem->meta, NULL, limit, NULL);

	for (i = 0; !err && i < ARRAY_SIZE(pmem->last); i++)
		err = morsel_dram_init(&pmem->last[i], NULL, limit, NULL);
	return err;
}

static int pmem_start(struct morsel_pmem *pmem, const char *path, const char **why)
{
	unsigned int i;
	u64 base, frames;
	int err = pmem_claim(pmem, path, &base, &frames, why);

	if (!err)
		err = morsel_pmem_bad_read(pmem, base, frames, why);
	if (err)
		return err;
	if (pmem->domain == MORSEL_DOMAIN_AUTO)
		pmem->domain = dax_write_cache_enabled(pmem->dax) ? MORSEL_DOMAIN_MEMORY :
								   MORSEL_DOMAIN_CACHE;
	*why = "out of memory";
	err = sources_init(pmem);
	if (err)
		return err;
	/* Those of memory that is encrypted, for one, are others. */
	if (((pmem->meta.source.leaf_flags ^ MORSEL_POOL_LEAF_FLAGS) |
	     (pmem->meta.source.table_flags ^ MORSEL_POOL_TABLE_FLAGS)) &
	    ~MORSEL_POOL_MAY_FLAGS) {
		*why = "entries of page tables are others here";
		return -EOPNOTSUPP;
	}
	source_init(&pmem->meta, pmem);
	morsel_pool_init(&pmem->pool, base, &pmem->meta.source);
	pmem->pool.bad = pmem->poisoned ? morsel_pmem_bad : NULL;
	morsel_crash_device(morsel_frame_table(base), frames * MORSEL_PAGE_SIZE);
	err = pmem_recover(pmem, path, frames, why);
	if (err == -EIO)
		pr_err("%s: frame %llu is bad, and needed\n", path, pmem->pool.lost);
	if (err)
		return err;
	morsel_pmem_bad_withdraw(pmem, path);
	for (i = 0; i < ARRAY_SIZE(pmem->last); i++)
		morsel_pmem_source(&pmem->last[i], pmem);
	/* Pairs with notify(): who sees it sees how many frames there are. */
	smp_store_release(&pmem->started, true);
	if (morsel_pmem_stopped(pmem)) {
		*why = "the device is going away";
		empty_release(pmem);
		return -ENODEV;
	}
	morsel_pmem_keep(pmem);
	return 0;
}

/* What it has in use stays in use, and is nobody's to count any more. */
static void meta_uncount(struct morsel_dram *meta)
{
	struct morsel_frame_counts sum = morsel_dram_sum(meta);
	unsigned int level;

	morsel_dram_count_data(meta, -sum.data);
	for (level = 0; level < MORSEL_LEVELS; level++)
		morsel_dram_count_table(meta, level, -sum.table[level]);
}

static void pmem_free(struct morsel_pmem *pmem)
{
	unsigned int i;

	morsel_pmem_deregister(pmem);
	morsel_pmem_bad_forget(pmem);
	morsel_pool_frames_exit(&pmem->pool.frames);
	morsel_dram_exit(&pmem->meta);
	for (i = 0; i < ARRAY_SIZE(pmem->last); i++)
		morsel_dram_exit(&pmem->last[i]);
	/* All that was written is where it has to be. */
	wmb();
	if (pmem->pgmap)
		put_dev_pagemap(pmem->pgmap);
	if (pmem->dax)
		fs_put_dax(pmem->dax, pmem);
	if (!IS_ERR_OR_NULL(pmem->bdev))
		morsel_bdev_close(pmem->bdev);
	kfree(pmem);
}

/**
 * morsel_pmem_open() - take a device, and find out what is on it
 * @path:   of the block device
 * @domain: what outlives a loss of power there
 * @revoke: see &struct morsel_pmem
 * @why:    out: what is wrong, if something is
 *
 * What a crash has interrupted is finished; a device that is damaged, or no pool, is
 * left as it is.
 *
 * Context: process context, may sleep.
 * Return: the device, or an ERR_PTR.
 */
struct morsel_pmem *morsel_pmem_open(const char *path, enum morsel_domain domain,
				     void (*revoke)(struct morsel_pmem *pmem),
				     const char **why)
{
	struct morsel_pmem *pmem = kzalloc(sizeof(*pmem), GFP_KERNEL);
	int err;

	if (!pmem)
		return ERR_PTR(-ENOMEM);
	pmem->domain = domain;
	pmem->revoke = revoke;
	morsel_pmem_frames_init(pmem);
	mutex_init(&pmem->objects_lock);
	INIT_LIST_HEAD(&pmem->objects);
	xa_init(&pmem->bad);
	err = morsel_pmem_register(pmem);
	if (err) {
		kfree(pmem);
		return ERR_PTR(err);
	}
	err = pmem_start(pmem, path, why);
	if (err) {
		pmem_free(pmem);
		return ERR_PTR(err);
	}
	return pmem;
}

/* Nobody has anything of it. */
static void pmem_end(struct morsel_pmem *pmem)
{
	unsigned int i;

	empty_release(pmem);
	meta_uncount(&pmem->meta);
	for (i = 0; i < ARRAY_SIZE(pmem->last); i++)
		meta_uncount(&pmem->last[i]);
	pmem_free(pmem);
}

static void pmem_end_later(struct work_struct *work)
{
	struct morsel_pmem *pmem = container_of(work, struct morsel_pmem, end);

	while (morsel_pmem_drain(pmem))
		;
	pmem_end(pmem);
	/* Whoever unloads the module waits for this work, in morsel_pmem_teardown(). */
	module_put(THIS_MODULE);
}

/**
 * morsel_pmem_close() - give a device back
 * @pmem: the device; all its objects are closed
 *
 * Who has pages of it pinned is waited for, but not for long: it may be the caller, and
 * he may be one whom others wait for.  After that it is given back later, and until then
 * nobody can open it.
 *
 * Context: process context, may sleep.
 */
void morsel_pmem_close(struct morsel_pmem *pmem)
{
	unsigned long left = morsel_pmem_drain(pmem);

	if (!left) {
		pmem_end(pmem);
		return;
	}
	pr_warn("%pg is in use until %lu pages are not pinned any more\n",
		morsel_bdev(pmem->bdev), left);
	/* The caller has one, as long as this takes. */
	__module_get(THIS_MODULE);
	INIT_WORK(&pmem->end, pmem_end_later);
	queue_work(pmem_enders, &pmem->end);
}

/**
 * morsel_pmem_setup() - before any device is opened
 *
 * Return: 0 or -ENOMEM.
 */
int morsel_pmem_setup(void)
{
	pmem_enders = alloc_workqueue("morsel_close", WQ_UNBOUND, 0);
	return pmem_enders ? 0 : -ENOMEM;
}

/**
 * morsel_pmem_teardown() - undo morsel_pmem_setup(), with no device open any more
 */
void morsel_pmem_teardown(void)
{
	destroy_workqueue(pmem_enders);
}

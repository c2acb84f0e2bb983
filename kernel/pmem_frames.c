// SPDX-License-Identifier: GPL-2.0-only
/*
 * pmem_frames.c - which frames of a persistent-memory device are given out
 *
 * Of those that pool_frames.c has as free.  A frame that is freed while somebody has
 * it pinned is free when its reference count is 1 again, the driver's.  One that is
 * bad stays in use: so nobody gets it.
 *
 * Some are kept back, in use as far as pool_frames.c knows.  A device that is full has
 * them for a name that changes within its directory, and for attributes, which are
 * written anew before the old ones go, when they take no more than before.  Attributes
 * give back as much as they took; names, for a page of a directory now and then, may
 * have half.  What is freed fills them up first.
 *
 * Locks: &morsel_pmem.lock is innermost.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "pmem_frames.h"

/* How often pinned frames are looked at, and how often while they are waited for. */
#define PINNED_PERIOD	msecs_to_jiffies(50)
#define PINNED_TRIES	20u

/**
 * morsel_pmem_idle() - is a page only the driver's?
 * @page: of the device
 */
bool morsel_pmem_idle(struct page *page)
{
	return page_ref_count(page) == 1;
}

static void pinned_add(struct morsel_pmem *pmem, struct page *page)
{
	spin_lock(&pmem->lock);
	set_page_private(page, (unsigned long)pmem->pinned);
	pmem->pinned = page;
	spin_unlock(&pmem->lock);
}

/* Keep a frame back that is freed, if one is missing. */
static bool spare_put(struct morsel_pmem *pmem, u64 frame)
{
	bool put;

	if (likely(READ_ONCE(pmem->spare) >= pmem->spare_max))
		return false;
	spin_lock(&pmem->lock);
	put = pmem->spare < pmem->spare_max;
	if (put) {
		pmem->spares[pmem->spare] = frame;
		WRITE_ONCE(pmem->spare, pmem->spare + 1);
	}
	spin_unlock(&pmem->lock);
	return put;
}

/* One that is kept back, for who may have it; returns how many. */
static unsigned int spare_take(struct morsel_pmem *pmem, struct morsel_dram *dram,
			       u64 *frame)
{
	unsigned int left, got;

	if (dram == &pmem->last[MORSEL_LAST_NAMES])
		left = pmem->spare_max / 2;
	else if (dram == &pmem->last[MORSEL_LAST_ATTRIBUTES])
		left = 0;
	else
		return 0;
	spin_lock(&pmem->lock);
	got = pmem->spare > left;
	if (got) {
		WRITE_ONCE(pmem->spare, pmem->spare - 1);
		*frame = pmem->spares[pmem->spare];
	}
	spin_unlock(&pmem->lock);
	return got;
}

static void frame_free(struct morsel_pmem *pmem, struct page *page)
{
	u64 frame = page_to_pfn(page) - pmem->pool.base;

	if (unlikely(PageHWPoison(page)))
		return;
	if (!spare_put(pmem, frame))
		WARN_ON_ONCE(!morsel_pool_frames_free(&pmem->pool.frames, frame));
}

/* Free those that nobody holds any more; returns how many are left. */
static unsigned long pinned_sweep(struct morsel_pmem *pmem)
{
	unsigned long left = 0;
	struct page *page, *next;

	spin_lock(&pmem->lock);
	next = pmem->pinned;
	pmem->pinned = NULL;
	spin_unlock(&pmem->lock);
	while ((page = next)) {
		next = (struct page *)page_private(page);
		if (morsel_pmem_idle(page)) {
			set_page_private(page, 0);
			frame_free(pmem, page);
		} else {
			pinned_add(pmem, page);
			left++;
		}
		cond_resched();
	}
	return left;
}

static void pinned_again(struct work_struct *work)
{
	struct morsel_pmem *pmem = container_of(to_delayed_work(work), struct morsel_pmem,
						again);

	if (pinned_sweep(pmem))
		schedule_delayed_work(&pmem->again, PINNED_PERIOD);
}

/**
 * morsel_pmem_give() - give a frame back
 * @pmem: the device
 * @page: its page, which nobody can get at any more: who has it had it before
 *
 * Context: process context.
 */
void morsel_pmem_give(struct morsel_pmem *pmem, struct page *page)
{
	if (likely(morsel_pmem_idle(page))) {
		frame_free(pmem, page);
		return;
	}
	pinned_add(pmem, page);
	schedule_delayed_work(&pmem->again, PINNED_PERIOD);
}

/**
 * morsel_pmem_take() - take frames
 * @dram:  for whom; only for &morsel_pmem.last there are those that are kept back
 * @pfns:  out: their numbers
 * @count: how many, 1 to 64
 *
 * Context: process context.
 * Return: how many there were, maybe fewer than @count; 0 when the device is full.
 */
unsigned int morsel_pmem_take(struct morsel_dram *dram, u64 *pfns, unsigned int count)
{
	struct morsel_pmem *pmem = dram->pmem;
	unsigned int i, got, idle = 0;

	/* Recovery cuts and clears, and needs none. */
	if (WARN_ON_ONCE(!pmem->started))
		return 0;
	/* Who stops the device waits for what is under way, which ends here. */
	if (unlikely(morsel_pmem_stopped(pmem)))
		return 0;
	do {
		got = morsel_pool_frames_alloc(&pmem->pool.frames, raw_smp_processor_id(),
					       pfns, count);
		if (unlikely(!got))
			got = spare_take(pmem, dram, pfns);
		for (i = 0; i < got; i++) {
			u64 pfn = pfns[i] + pmem->pool.base;

			/* See frame_free(). */
			if (unlikely(PageHWPoison(pfn_to_page(pfn))))
				continue;
			/* One that somebody has had since an earlier mount. */
			if (likely(morsel_pmem_idle(pfn_to_page(pfn))))
				pfns[idle++] = pfn;
			else
				morsel_pmem_give(pmem, pfn_to_page(pfn));
		}
	} while (got && !idle);
	return idle;
}

/**
 * morsel_pmem_keep() - keep frames back, as many as there are and should be
 * @pmem: the device, of which nobody has taken any yet
 */
void morsel_pmem_keep(struct morsel_pmem *pmem)
{
	u64 pfns[MORSEL_BATCH];
	unsigned int i, got;

	pmem->spare_max = min(pmem->pool.frames.count / MORSEL_PMEM_SPARE_PART,
			      (u64)MORSEL_PMEM_SPARE);
	while (pmem->spare < pmem->spare_max) {
		got = morsel_pmem_take(&pmem->meta, pfns,
				       min(pmem->spare_max - pmem->spare, MORSEL_BATCH));
		if (!got)
			break;
		for (i = 0; i < got; i++)
			spare_put(pmem, pfns[i] - pmem->pool.base);
	}
}

/**
 * morsel_pmem_frames_init() - make what this keeps of a device
 * @pmem: the device
 */
void morsel_pmem_frames_init(struct morsel_pmem *pmem)
{
	spin_lock_init(&pmem->lock);
	INIT_DELAYED_WORK(&pmem->again, pinned_again);
}

/**
 * morsel_pmem_drain() - wait for who has pages pinned, for a second
 * @pmem: the device, which nobody uses any more
 *
 * Context: process context, may sleep.
 * Return: how many are left, fewer than a second later when the caller was killed.
 */
unsigned long morsel_pmem_drain(struct morsel_pmem *pmem)
{
	unsigned int tries = PINNED_TRIES;
	unsigned long left;

	cancel_delayed_work_sync(&pmem->again);
	while ((left = pinned_sweep(pmem)) && tries-- && !fatal_signal_pending(current))
		schedule_timeout_killable(PINNED_PERIOD);
	return left;
}

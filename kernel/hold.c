// SPDX-License-Identifier: GPL-2.0-only
/*
 * hold.c - population held off while pages are taken out
 *
 * Between the moment a leaf is cleared and the moment no processor can reach
 * its frame any more, nobody may put a new page there: one process would see
 * the new page and another still the old one.  And who copies a leaf (into a
 * mirror, or to have the kernel map it) must not do so while it is cleared.
 *
 * Who fills does so in an RCU read section and looks at the range first; it
 * writes to no memory that others read, so that faults share no cache line
 * that anybody dirties.  Who takes out publishes the range and waits for a
 * grace period: sections that did not see the range are over then, and those
 * that do see it wait.
 *
 * The two words of the range are not read as one.  While @last is written
 * there is no range, @first being above any; and whatever mixture a section
 * sees, it began before the grace period did, which waits for it.
 */
#include <linux/limits.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "hold.h"

static bool hold_covers(struct morsel_hold *hold, u64 first, u64 last)
{
	/* Pairs with the release in morsel_hold_end(): what it did is seen. */
	u64 held = smp_load_acquire(&hold->first);

	return held <= last && first <= READ_ONCE(hold->last);
}

/**
 * morsel_hold_init() - nothing is held
 * @hold: the range
 */
void morsel_hold_init(struct morsel_hold *hold)
{
	hold->first = U64_MAX;
	hold->last = 0;
	init_waitqueue_head(&hold->wait);
	mutex_init(&hold->lock);
}

/**
 * morsel_hold_enter() - begin to fill
 * @hold:  the range
 * @first: first page that may be filled
 * @last:  last page
 *
 * The wait is short: a hold is for a bounded number of pages, and whoever
 * holds takes neither the mmap lock nor a VMA lock.
 *
 * Context: sleeps while any of the pages is held; on return, in an RCU read
 * section that morsel_hold_leave() ends.
 */
void morsel_hold_enter(struct morsel_hold *hold, u64 first, u64 last)
	__acquires(RCU)
{
	for (;;) {
		rcu_read_lock();
		if (likely(!hold_covers(hold, first, last)))
			return;
		rcu_read_unlock();
		wait_event(hold->wait, !hold_covers(hold, first, last));
	}
}

/**
 * morsel_hold_leave() - done with filling
 * @hold: the range
 */
void morsel_hold_leave(struct morsel_hold *hold) __releases(RCU)
{
	rcu_read_unlock();
}

/**
 * morsel_hold_begin() - hold a range
 * @hold:  the range
 * @first: first page
 * @last:  last page
 *
 * Context: process context, sleeps for a grace period.
 * Return: 0, nobody fills there until morsel_hold_end(); or -EINTR.
 */
int morsel_hold_begin(struct morsel_hold *hold, u64 first, u64 last)
{
	if (mutex_lock_killable(&hold->lock))
		return -EINTR;
	WRITE_ONCE(hold->last, last);
	WRITE_ONCE(hold->first, first);
	synchronize_rcu_expedited();
	return 0;
}

/**
 * morsel_hold_end() - hold nothing
 * @hold: the range
 */
void morsel_hold_end(struct morsel_hold *hold)
{
	/* Pairs with hold_covers(). */
	smp_store_release(&hold->first, U64_MAX);
	wake_up_all(&hold->wait);
	mutex_unlock(&hold->lock);
}

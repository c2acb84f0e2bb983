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
 * How far may be filled at all is published likewise.  Nobody waits for that to
 * become more: to fill behind the limit is an error.
 *
 * The two words of the range are not read as one.  While @last is written
 * there is no range, @first being above any; and whatever mixture a section
 * sees, it began before the grace period did, which waits for it.
 */
#include <linux/limits.h>
#include <linux/lockdep.h>
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
 * @limit: first page that nobody may fill
 */
void morsel_hold_init(struct morsel_hold *hold, u64 limit)
{
	hold->limit = limit;
	hold->first = U64_MAX;
	hold->last = 0;
	init_waitqueue_head(&hold->wait);
	atomic_set(&hold->waiting, 0);
	init_waitqueue_head(&hold->drained);
	mutex_init(&hold->lock);
}

static noinline int hold_wait(struct morsel_hold *hold, u64 first, u64 last)
	__must_hold(RCU)
{
	int err;

	atomic_inc(&hold->waiting);
	do {
		rcu_read_unlock();
		err = wait_event_killable(hold->wait,
					  !hold_covers(hold, first, last));
		rcu_read_lock();
	} while (!err && hold_covers(hold, first, last));
	if (atomic_dec_and_test(&hold->waiting))
		wake_up(&hold->drained);
	return err ? -EINTR : 0;
}

/**
 * morsel_hold_enter() - begin to fill
 * @hold:  the range
 * @first: first page that may be filled
 * @last:  last page; made less where pages behind it may not be filled
 *
 * The wait is for one hold: the next one does not begin before all who waited
 * for the last are in their sections.  A hold is for a bounded number of pages,
 * and whoever holds takes neither the mmap lock nor a VMA lock.
 *
 * Context: sleeps while any of the pages is held; on return, in an RCU read
 * section that morsel_hold_leave() ends.
 * Return: 0; or -ERANGE when @first may not be filled, or -EINTR when the caller was
 * killed meanwhile: it may fill nothing.
 */
int morsel_hold_enter(struct morsel_hold *hold, u64 first, u64 *last)
	__acquires(RCU)
{
	u64 limit;
	int err;

	rcu_read_lock();
	if (unlikely(hold_covers(hold, first, *last))) {
		err = hold_wait(hold, first, *last);
		if (err)
			return err;
	}
	/* Pairs with morsel_hold_set_limit(); morsel_hold_sync() waits for this section. */
	limit = READ_ONCE(hold->limit);
	if (unlikely(*last >= limit)) {
		if (first >= limit)
			return -ERANGE;
		*last = limit - 1;
	}
	return 0;
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
 * morsel_hold_lock() - be the only one who takes pages out
 * @hold: the range
 *
 * Who finds a page gone under this lock may rely on it that whoever took it out
 * has done all that belongs to that.
 *
 * Context: process context, sleeps.
 * Return: 0, or -EINTR when the caller was killed.
 */
int morsel_hold_lock(struct morsel_hold *hold)
{
	return mutex_lock_killable(&hold->lock) ? -EINTR : 0;
}

/**
 * morsel_hold_lock_anyway() - as morsel_hold_lock(), for what must be done
 * @hold: the range
 *
 * Context: process context, sleeps, killed or not.
 */
void morsel_hold_lock_anyway(struct morsel_hold *hold)
{
	mutex_lock(&hold->lock);
}

/**
 * morsel_hold_unlock() - let others take pages out
 * @hold: the range
 */
void morsel_hold_unlock(struct morsel_hold *hold)
{
	mutex_unlock(&hold->lock);
}

/**
 * morsel_hold_begin() - hold a range
 * @hold:  the range
 * @first: first page
 * @last:  last page
 *
 * Context: process context, sleeps for a grace period; morsel_hold_lock() held.
 * Return: 0, nobody fills there until morsel_hold_end(); or -EINTR, nothing is
 * held, when the caller was killed.
 */
int morsel_hold_begin(struct morsel_hold *hold, u64 first, u64 last)
{
	lockdep_assert_held(&hold->lock);
	/* Or who punches in a loop would keep faults out for good. */
	if (wait_event_killable(hold->drained, !atomic_read(&hold->waiting)))
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
}

/**
 * morsel_hold_set_limit() - say how far may be filled
 * @hold:  the range
 * @limit: first page that nobody may fill
 *
 * A full barrier.  When it is less than before, who had not seen it may still fill
 * until morsel_hold_sync().
 *
 * Context: any; calls do not overlap.
 */
void morsel_hold_set_limit(struct morsel_hold *hold, u64 limit)
{
	/* Pairs with morsel_hold_enter(). */
	smp_store_mb(hold->limit, limit);
}

/**
 * morsel_hold_sync() - wait until all who fill know the limit
 * @hold: the range
 *
 * What is behind the limit is for who holds the lock to take out.
 *
 * Context: process context, sleeps for a grace period; morsel_hold_lock() held.
 */
void morsel_hold_sync(struct morsel_hold *hold)
{
	lockdep_assert_held(&hold->lock);
	synchronize_rcu_expedited();
}

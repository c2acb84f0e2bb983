/* SPDX-License-Identifier: GPL-2.0-only */
/* hold.h - population held off while pages are taken out */
#ifndef MORSEL_HOLD_H
#define MORSEL_HOLD_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>

/**
 * struct morsel_hold - the range that is held
 * @first:   first page, or above @last: none
 * @last:    last page
 * @wait:    who wants to fill in the range
 * @waiting: how many of those were held up and have not filled yet
 * @drained: the next who wants to hold lets those go first
 * @lock:    taken by who takes pages out, to look for them and to hold
 * @limit:   first page that nobody may fill, nor any behind it
 */
struct morsel_hold {
	u64 first;
	u64 last;
	u64 limit;
	wait_queue_head_t wait;
	atomic_t waiting;
	wait_queue_head_t drained;
	struct mutex lock;	/* held from before begin to after end */
};

void morsel_hold_init(struct morsel_hold *hold, u64 limit);
int morsel_hold_enter(struct morsel_hold *hold, u64 first, u64 *last)
	__acquires(RCU);
void morsel_hold_leave(struct morsel_hold *hold) __releases(RCU);
int morsel_hold_lock(struct morsel_hold *hold);
void morsel_hold_lock_anyway(struct morsel_hold *hold);
void morsel_hold_unlock(struct morsel_hold *hold);
int morsel_hold_begin(struct morsel_hold *hold, u64 first, u64 last);
void morsel_hold_end(struct morsel_hold *hold);
void morsel_hold_set_limit(struct morsel_hold *hold, u64 limit);
void morsel_hold_sync(struct morsel_hold *hold);

/* The first page that nobody may fill; to be told of late does no harm. */
static inline u64 morsel_hold_limit(const struct morsel_hold *hold)
{
	return READ_ONCE(hold->limit);
}

#endif /* MORSEL_HOLD_H */

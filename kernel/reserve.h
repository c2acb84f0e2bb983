/* SPDX-License-Identifier: GPL-2.0-only */
/* reserve.h - pages taken from the kernel ahead of need */
#ifndef MORSEL_RESERVE_H
#define MORSEL_RESERVE_H

#include <linux/types.h>

struct page;

/**
 * struct morsel_reserve - what one processor has ahead for one object
 * @next:  the first page; the others follow it in memory
 * @count: how many there are
 * @used:  how many its last payer has used here; no more than matter
 * @payer: the memory cgroup that used them; to be compared only
 */
struct morsel_reserve {
	struct page *next;
	unsigned int count;
	unsigned int used;
	const void *payer;
};

struct page *morsel_reserve_take(struct morsel_reserve __percpu *reserve,
				 unsigned int *want);
void morsel_reserve_put(struct morsel_reserve __percpu *reserve,
			struct page *page, unsigned int count);
void morsel_reserve_drain(struct morsel_reserve __percpu *reserve);
unsigned long morsel_reserve_sum(struct morsel_reserve __percpu *reserve);

#endif /* MORSEL_RESERVE_H */

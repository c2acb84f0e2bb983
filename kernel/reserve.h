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
 * @want:  how many to take when there is none left
 * @payer: the control groups of whoever took them, and pays for them
 */
struct morsel_reserve {
	struct page *next;
	unsigned int count;
	unsigned int want;
	const void *payer;
};

struct page *morsel_reserve_take(struct morsel_reserve __percpu *reserve);
unsigned int morsel_reserve_want(struct morsel_reserve __percpu *reserve);
unsigned int morsel_reserve_put(struct morsel_reserve __percpu *reserve,
				struct page *page, unsigned int count);
unsigned int morsel_reserve_drain(struct morsel_reserve __percpu *reserve);

#endif /* MORSEL_RESERVE_H */

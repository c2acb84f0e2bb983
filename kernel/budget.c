// SPDX-License-Identifier: GPL-2.0-only
/*
 * budget.c - how many frames some objects may have among them
 *
 * A counter per processor, so that faults far from the limit share no cache line.
 * Who charges adds first and looks then: of several who reach the limit at once
 * some may be refused what would have fitted, but it is not exceeded.
 *
 * Tables may exceed it by a little: or what there was room for could not be mapped
 * when nothing is left.
 */
#include <linux/errno.h>
#include <linux/gfp.h>

#include "budget.h"

/**
 * morsel_budget_init() - nothing is used
 * @budget: the budget
 * @max:    frames, or 0: without limit
 *
 * Return: 0 or -ENOMEM.
 */
int morsel_budget_init(struct morsel_budget *budget, u64 max)
{
	budget->max = max;
	return percpu_counter_init(&budget->used, 0, GFP_KERNEL_ACCOUNT);
}

/**
 * morsel_budget_exit() - end a budget of which nothing is used
 * @budget: the budget
 */
void morsel_budget_exit(struct morsel_budget *budget)
{
	percpu_counter_destroy(&budget->used);
}

static int budget_charge(struct morsel_budget *budget, unsigned int frames,
			 bool overdraw)
{
	u64 max;

	if (!budget)
		return 0;
	percpu_counter_add(&budget->used, frames);
	/* Pairs with morsel_budget_resize(). */
	max = READ_ONCE(budget->max);
	if (max && overdraw)
		max += (max >> 6) + 64;
	if (max && percpu_counter_compare(&budget->used, max) > 0) {
		percpu_counter_sub(&budget->used, frames);
		return -ENOSPC;
	}
	return 0;
}

/**
 * morsel_budget_charge() - use some of it
 * @budget: the budget, or NULL: there is none
 * @frames: how many
 *
 * Context: any but interrupts.
 * Return: 0 or -ENOSPC.
 */
int morsel_budget_charge(struct morsel_budget *budget, unsigned int frames)
{
	return budget_charge(budget, frames, false);
}

/**
 * morsel_budget_charge_table() - use some of it for a table
 * @budget: the budget, or NULL: there is none
 *
 * Context: any but interrupts.
 * Return: 0 or -ENOSPC.
 */
int morsel_budget_charge_table(struct morsel_budget *budget)
{
	return budget_charge(budget, 1, true);
}

/**
 * morsel_budget_uncharge() - give some of it back
 * @budget: the budget, or NULL: there is none
 * @frames: how many
 */
void morsel_budget_uncharge(struct morsel_budget *budget, unsigned int frames)
{
	if (budget)
		percpu_counter_sub(&budget->used, frames);
}

/**
 * morsel_budget_resize() - set another limit
 * @budget: the budget
 * @max:    frames, or 0: without limit
 *
 * Return: 0, or -EINVAL when more than that is in use.
 */
int morsel_budget_resize(struct morsel_budget *budget, u64 max)
{
	if (max && percpu_counter_compare(&budget->used, max) > 0)
		return -EINVAL;
	WRITE_ONCE(budget->max, max);
	return 0;
}

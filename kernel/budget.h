/* SPDX-License-Identifier: GPL-2.0-only */
/* budget.h - how many frames some objects may have among them */
#ifndef MORSEL_BUDGET_H
#define MORSEL_BUDGET_H

#include <linux/compiler.h>
#include <linux/percpu_counter.h>

/**
 * struct morsel_budget - a limit and what is used of it
 * @used: frames; exact only near the limit
 * @max:  frames, or 0: without limit
 */
struct morsel_budget {
	struct percpu_counter used;
	u64 max;
};

int morsel_budget_init(struct morsel_budget *budget, u64 max);
void morsel_budget_exit(struct morsel_budget *budget);
int morsel_budget_charge(struct morsel_budget *budget, unsigned int frames);
int morsel_budget_charge_table(struct morsel_budget *budget);
void morsel_budget_uncharge(struct morsel_budget *budget, unsigned int frames);
int morsel_budget_resize(struct morsel_budget *budget, u64 max);

#endif /* MORSEL_BUDGET_H */

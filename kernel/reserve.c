// SPDX-License-Identifier: GPL-2.0-only
/*
 * reserve.c - pages taken from the kernel ahead of need
 *
 * To take one page costs a fault as much as everything else that it does but
 * clearing it; a block of eight costs hardly more than one page.  So what
 * faults takes a block, uses one page, and leaves the others for the next
 * faults of the same object on the same processor.
 *
 * Who faults once is to pay for one page: blocks begin with one and double, so
 * that no processor has more ahead than it has used.  And whose pages they are
 * is known to the memory controller from when they were taken: they are for
 * whoever is in the same control groups, others pass by.
 *
 * Each processor has its own, and touches no other's: no lock, only no
 * preemption.  What is drained is no longer used by anybody.
 */
#include <linux/cgroup.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/topology.h>

#include "reserve.h"

/* The largest block that the kernel has lists of for each processor: order 3. */
#define RESERVE_BLOCK	8u

/*
 * Who pays for what the caller allocates, or NULL: somebody that it names, for
 * once.  To be compared only: it may be gone.
 */
static const void *reserve_payer(void)
{
#ifdef CONFIG_MEMCG
	return current->active_memcg ? NULL :
				       rcu_access_pointer(current->cgroups);
#else
	return &init_task;
#endif
}

/**
 * morsel_reserve_take() - a page that is ahead
 * @reserve: an object's
 *
 * Return: a zeroed page that the caller's control group pays for, or NULL.
 */
struct page *morsel_reserve_take(struct morsel_reserve __percpu *reserve)
{
	struct morsel_reserve *mine = get_cpu_ptr(reserve);
	struct page *page = NULL;

	if (mine->count && mine->payer == reserve_payer()) {
		page = mine->next++;
		mine->count--;
	}
	put_cpu_ptr(reserve);
	return page;
}

/**
 * morsel_reserve_want() - how many pages to take at once
 * @reserve: an object's, of which morsel_reserve_take() gave none
 *
 * Return: a power of two; 1: nothing is to be put into it.
 */
unsigned int morsel_reserve_want(struct morsel_reserve __percpu *reserve)
{
	struct morsel_reserve *mine = get_cpu_ptr(reserve);
	unsigned int want = 1;

	if (!mine->count && reserve_payer()) {
		want = mine->want ? mine->want : 1;
		mine->want = min(2 * want, RESERVE_BLOCK);
	}
	put_cpu_ptr(reserve);
	return want;
}

static void reserve_free(struct page *page, unsigned int count)
{
	while (count--)
		__free_page(page++);
}

/**
 * morsel_reserve_put() - leave pages for others
 * @reserve: an object's
 * @page:    the first of some zeroed pages
 * @count:   how many
 *
 * Where the caller has come to another processor meanwhile, which has some or
 * is far from these, they go back to the kernel.
 *
 * Return: how many were put there.
 */
unsigned int morsel_reserve_put(struct morsel_reserve __percpu *reserve,
				struct page *page, unsigned int count)
{
	struct morsel_reserve *mine = get_cpu_ptr(reserve);
	bool room = !mine->count && page_to_nid(page) == numa_mem_id();

	if (room) {
		mine->next = page;
		mine->count = count;
		mine->payer = reserve_payer();
	}
	put_cpu_ptr(reserve);
	if (room)
		return count;
	reserve_free(page, count);
	return 0;
}

/**
 * morsel_reserve_drain() - give back what all processors have
 * @reserve: an object's, that nobody uses any more
 *
 * Return: how many pages that were.
 */
unsigned int morsel_reserve_drain(struct morsel_reserve __percpu *reserve)
{
	unsigned int sum = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct morsel_reserve *its = per_cpu_ptr(reserve, cpu);

		reserve_free(its->next, its->count);
		sum += its->count;
		its->count = 0;
	}
	return sum;
}

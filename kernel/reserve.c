// SPDX-License-Identifier: GPL-2.0-only
/*
 * reserve.c - pages taken from the kernel ahead of need
 *
 * To take one page costs a fault as much as everything else that it does but
 * clearing it; a block of eight costs hardly more than one page.  So a fault
 * takes a block, uses one page, and leaves the others for the next faults of
 * the same object on the same processor.
 *
 * Who faults once is to pay for one page: blocks begin with one and double, and
 * no processor has more ahead than whoever pays for it has used there.  A page
 * that is not for who comes next (another cgroup pays for it, its node is not
 * allowed, it has a memory error) goes back to the kernel with all behind it.
 *
 * Each processor has its own, and touches no other's: no lock, only no
 * preemption.  What is drained is no longer used by anybody.
 */
#include <linux/cpuset.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/topology.h>

#include "reserve.h"

/* The largest block that the kernel keeps lists of for each processor: order 3. */
#define RESERVE_BLOCK	8u

/* Pages in all reserves, one share per processor. */
static DEFINE_PER_CPU(long, reserve_pages);

/*
 * The memory cgroup that pays for what the caller allocates, or NULL: none.
 * To be called, and what it returns to be used, under the RCU read lock.
 */
static const struct mem_cgroup *reserve_payer(void)
{
#ifdef CONFIG_MEMCG
	struct mem_cgroup *memcg = current->active_memcg;

	if (mem_cgroup_disabled() || current->flags & PF_KTHREAD)
		return NULL;
	if (!memcg)
		memcg = mem_cgroup_from_task(current);
	/* The root pays for nothing. */
	return parent_mem_cgroup(memcg) ? memcg : NULL;
#else
	return NULL;
#endif
}

static bool reserve_fits(struct page *page, const struct mem_cgroup *payer)
{
	return !PageHWPoison(page) && folio_memcg(page_folio(page)) == payer &&
	       node_isset(page_to_nid(page), cpuset_current_mems_allowed);
}

static void reserve_set(struct morsel_reserve *mine, struct page *next,
			unsigned int count)
{
	this_cpu_add(reserve_pages, (long)count - mine->count);
	mine->next = next;
	/* Pairs with the sums, which see any value of it. */
	WRITE_ONCE(mine->count, count);
}

static void reserve_free(struct page *page, unsigned int count)
{
	while (count--)
		__free_page(page++);
}

/**
 * morsel_reserve_take() - a page that is ahead
 * @reserve: an object's
 * @want:    out: without one, how many pages to take from the kernel, a power
 *           of two; all but one of them are for morsel_reserve_put()
 *
 * Context: process context.
 * Return: a zeroed page that is for the caller, or NULL.
 */
struct page *morsel_reserve_take(struct morsel_reserve __percpu *reserve,
				 unsigned int *want)
{
	struct morsel_reserve *mine = get_cpu_ptr(reserve);
	struct page *page = NULL, *unfit = NULL;
	const struct mem_cgroup *payer;
	unsigned int count = 0;

	rcu_read_lock();
	payer = reserve_payer();
	if (mine->count) {
		if (likely(reserve_fits(mine->next, payer))) {
			page = mine->next;
			reserve_set(mine, page + 1, mine->count - 1);
		} else {
			unfit = mine->next;
			count = mine->count;
			reserve_set(mine, NULL, 0);
		}
	}
	rcu_read_unlock();
	if (mine->payer != payer) {
		mine->payer = payer;
		mine->used = 0;
	}
	*want = rounddown_pow_of_two(++mine->used);
	mine->used = min(mine->used, RESERVE_BLOCK - 1);
	put_cpu_ptr(reserve);
	reserve_free(unfit, count);
	return page;
}

/**
 * morsel_reserve_put() - leave pages for others
 * @reserve: an object's
 * @page:    the first of some zeroed pages
 * @count:   how many
 *
 * Where the caller has come to another processor meanwhile, which has some, has
 * used fewer or is far from these, they go back to the kernel.
 *
 * Context: process context.
 */
void morsel_reserve_put(struct morsel_reserve __percpu *reserve,
			struct page *page, unsigned int count)
{
	struct morsel_reserve *mine = get_cpu_ptr(reserve);
	bool room;

	rcu_read_lock();
	room = !mine->count && count <= mine->used &&
	       page_to_nid(page) == numa_mem_id() &&
	       mine->payer == reserve_payer() &&
	       reserve_fits(page, mine->payer);
	rcu_read_unlock();
	if (likely(room))
		reserve_set(mine, page, count);
	else
		mine->used = 0;
	put_cpu_ptr(reserve);
	if (unlikely(!room))
		reserve_free(page, count);
}

/**
 * morsel_reserve_drain() - give back what all processors have
 * @reserve: an object's, that nobody uses any more
 *
 * Context: process context.
 */
void morsel_reserve_drain(struct morsel_reserve __percpu *reserve)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct morsel_reserve *its = per_cpu_ptr(reserve, cpu);

		reserve_free(its->next, its->count);
		reserve_set(its, NULL, 0);
	}
}

/**
 * morsel_reserve_sum() - pages that are ahead
 * @reserve: an object's, or NULL for the sum of all
 */
unsigned long morsel_reserve_sum(struct morsel_reserve __percpu *reserve)
{
	long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += reserve ? READ_ONCE(per_cpu_ptr(reserve, cpu)->count) :
				 READ_ONCE(per_cpu(reserve_pages, cpu));
	return max(sum, 0L);
}

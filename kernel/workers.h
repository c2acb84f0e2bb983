/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * workers.h - several processors for one piece of work, in the kernel and in user space
 *
 * The caller is one of them, and the others may come late or never: work is shared by
 * who comes taking what is next, so that who does not come costs nothing but speed.
 */
#ifndef MORSEL_WORKERS_H
#define MORSEL_WORKERS_H

#include "plat.h"

#define MORSEL_WORKERS	16u	/* at most */

/* What is done by each, which has a number from 0 on; the caller is number 0. */
typedef void morsel_work_fn(void *context, unsigned int number);

#ifdef __KERNEL__

#include <linux/workqueue.h>

struct morsel_worker {
	struct work_struct work;
	morsel_work_fn *fn;
	void *context;
	unsigned int number;
};

static inline void morsel_worker_run(struct work_struct *work)
{
	struct morsel_worker *worker = container_of(work, struct morsel_worker, work);

	worker->fn(worker->context, worker->number);
}

static inline void morsel_worker_start(struct morsel_worker *worker)
{
	INIT_WORK(&worker->work, morsel_worker_run);
	queue_work(system_unbound_wq, &worker->work);
}

/* One that has not come yet is not waited for. */
static inline void morsel_worker_end(struct morsel_worker *worker)
{
	cancel_work_sync(&worker->work);
}

#else /* user space */

#include <pthread.h>

struct morsel_worker {
	pthread_t thread;
	bool started;
	morsel_work_fn *fn;
	void *context;
	unsigned int number;
};

static inline void *morsel_worker_run(void *arg)
{
	struct morsel_worker *worker = arg;

	worker->fn(worker->context, worker->number);
	return NULL;
}

static inline void morsel_worker_start(struct morsel_worker *worker)
{
	worker->started = !pthread_create(&worker->thread, NULL, morsel_worker_run,
					  worker);
}

static inline void morsel_worker_end(struct morsel_worker *worker)
{
	if (worker->started)
		pthread_join(worker->thread, NULL);
}

#endif /* __KERNEL__ */

/**
 * morsel_workers_run() - have work done by several
 * @fn:      what each does: takes what is next until there is nothing left
 * @context: for @fn
 * @count:   how many, 1 to MORSEL_WORKERS; the caller alone when there is no memory
 *
 * Context: process context, may sleep.  All that was written before is there for each
 * worker, and what they wrote is there when this returns.
 */
static inline void morsel_workers_run(morsel_work_fn *fn, void *context,
				      unsigned int count)
{
	struct morsel_worker *others = NULL;
	unsigned int i;

	if (count > 1)
		others = morsel_plat_zalloc(count - 1, sizeof(*others));
	for (i = 0; others && i < count - 1; i++) {
		others[i].fn = fn;
		others[i].context = context;
		others[i].number = i + 1;
		morsel_worker_start(&others[i]);
	}
	fn(context, 0);
	for (i = 0; others && i < count - 1; i++)
		morsel_worker_end(&others[i]);
	morsel_plat_free(others);
}

#endif /* MORSEL_WORKERS_H */

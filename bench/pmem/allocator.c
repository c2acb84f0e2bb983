// SPDX-License-Identifier: GPL-2.0-only
/*
 * allocator.c - frames of a pool taken and given back, beside the kernel's own allocator
 *
 * A module that is never loaded: its init measures, writes lines to the kernel's log
 * ("allocator: threads peer nanoseconds pairs") and fails with ECANCELED.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>

#include "pool_frames.h"

#define FRAMES	(1ull << 20)	/* 4 GiB */
#define PAIRS	(1u << 19)	/* by each thread */
#define THREADS	2u
#define ROUNDS	9u

static struct morsel_pool_frames frames;

struct worker {
	struct completion go;
	struct completion done;
	unsigned int cpu;
	bool ours;
};

static void pairs_ours(unsigned int cpu)
{
	unsigned int i;
	u64 frame;

	for (i = 0; i < PAIRS; i++) {
		if (!morsel_pool_frames_alloc(&frames, cpu, &frame, 1))
			return;
		morsel_pool_frames_free(&frames, frame);
	}
}

static void pairs_buddy(void)
{
	unsigned int i;

	for (i = 0; i < PAIRS; i++) {
		struct page *page = alloc_page(GFP_KERNEL);

		if (!page)
			return;
		__free_page(page);
	}
}

static int work(void *arg)
{
	struct worker *worker = arg;

	wait_for_completion(&worker->go);
	if (worker->ours)
		pairs_ours(worker->cpu);
	else
		pairs_buddy();
	complete(&worker->done);
	return 0;
}

static void measure(unsigned int threads, bool ours)
{
	struct worker workers[THREADS];
	struct task_struct *task;
	unsigned int i;
	u64 start;

	for (i = 0; i < threads; i++) {
		struct worker *worker = &workers[i];

		init_completion(&worker->go);
		init_completion(&worker->done);
		worker->cpu = i;
		worker->ours = ours;
		task = kthread_create(work, worker, "allocator/%u", i);
		if (IS_ERR(task))
			return;
		kthread_bind(task, i);
		wake_up_process(task);
	}
	start = ktime_get_ns();
	for (i = 0; i < threads; i++)
		complete(&workers[i].go);
	for (i = 0; i < threads; i++)
		wait_for_completion(&workers[i].done);
	pr_info("%u %s %llu %u\n", threads, ours ? "pool" : "buddy", ktime_get_ns() - start,
		PAIRS * threads);
}

static int __init allocator_init(void)
{
	unsigned int round, threads;

	if (morsel_pool_frames_init(&frames, FRAMES, nr_cpu_ids))
		return -ENOMEM;
	morsel_pool_frames_start(&frames);
	for (round = 0; round < ROUNDS; round++) {
		for (threads = 1; threads <= min(THREADS, num_online_cpus()); threads++) {
			measure(threads, true);
			measure(threads, false);
		}
	}
	morsel_pool_frames_exit(&frames);
	return -ECANCELED;
}

module_init(allocator_init);
MODULE_DESCRIPTION("Measures an allocator of frames");
MODULE_LICENSE("GPL");

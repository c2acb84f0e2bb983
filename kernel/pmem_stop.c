// SPDX-License-Identifier: GPL-2.0-only
/*
 * pmem_stop.c - a persistent-memory device that is given up while it is in use
 *
 * By who unmounts by force, or because it goes away.  After that nobody reads or writes
 * what is on it any more, as if the machine had crashed then; so what every call that
 * returned has done is there, and what is half done the next mount finishes.  Given back
 * it is when the last user has let it go, for the kernel's tables of it name its frames
 * until then.
 *
 * Who uses it says so (morsel_pmem_enter()), for as long as it takes the kernel, and is
 * refused afterwards; and who has it mapped has it taken away, once nobody who would map
 * it is on the way.  The driver calls under no lock of ours, and at any time.
 *
 * Locks: all_lock > stop_lock > objects_lock > whatever @revoke takes.  None of these but
 * objects_lock is ever taken by who uses the device.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/dax.h>
#include <linux/mm.h>
#include <linux/rwsem.h>

#include "pmem.h"

/* Those that are open, held for reading while one of them is dealt with. */
static LIST_HEAD(all);
static DECLARE_RWSEM(all_lock);

static void users_gone(struct percpu_ref *users)
{
	complete(&container_of(users, struct morsel_pmem, users)->idle);
}

/**
 * morsel_pmem_register() - from now on the driver finds a device
 * @pmem: the device, not claimed yet
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int morsel_pmem_register(struct morsel_pmem *pmem)
{
	int err = percpu_ref_init(&pmem->users, users_gone, 0, GFP_KERNEL);

	if (err)
		return err;
	init_completion(&pmem->idle);
	mutex_init(&pmem->stop_lock);
	down_write(&all_lock);
	list_add(&pmem->all, &all);
	up_write(&all_lock);
	return 0;
}

/* Nobody begins to use it, and who has begun is done. */
static void users_drain(struct morsel_pmem *pmem)
{
	percpu_ref_kill(&pmem->users);
	wait_for_completion(&pmem->idle);
	pmem->stopped = true;
}

/**
 * morsel_pmem_deregister() - undo morsel_pmem_register()
 * @pmem: the device, which has no objects any more
 *
 * Context: process context, may sleep.
 */
void morsel_pmem_deregister(struct morsel_pmem *pmem)
{
	down_write(&all_lock);
	list_del(&pmem->all);
	up_write(&all_lock);
	/* A fault may have let go of what kept the file before it leaves. */
	if (!pmem->stopped)
		users_drain(pmem);
	percpu_ref_exit(&pmem->users);
}

/**
 * morsel_pmem_stop() - nobody uses a device from here on
 * @pmem: the device, which stays open
 *
 * Waits for who is using it; for nobody who waits for user space.  What somebody has
 * pinned he can still write to.
 *
 * Context: process context, may sleep.
 */
void morsel_pmem_stop(struct morsel_pmem *pmem)
{
	mutex_lock(&pmem->stop_lock);
	if (!pmem->stopped) {
		users_drain(pmem);
		mutex_lock(&pmem->objects_lock);
		pmem->revoke(pmem);
		mutex_unlock(&pmem->objects_lock);
	}
	mutex_unlock(&pmem->stop_lock);
}

/* Frames of the pool among the pages of the device from @offset on; false: none. */
static bool frames_of(const struct morsel_pmem *pmem, u64 offset, u64 length, u64 *first,
		      u64 *last)
{
	u64 end = (offset + min(length, U64_MAX - offset) - 1) >> PAGE_SHIFT;
	u64 count = pmem->pool.frames.count;

	*first = offset >> PAGE_SHIFT;
	if (!length || end < pmem->start || *first >= pmem->start + count)
		return false;
	*first -= min(*first, pmem->start);
	*last = min(end - pmem->start, count - 1);
	return true;
}

/* What this does not take care of others may; at 0 the kernel has the frame unmapped. */
static int notify(struct morsel_pmem *pmem, u64 offset, u64 length, int flags)
{
	u64 first, last;

	/* All there is, and more: it is about to go. */
	if (!offset && length == U64_MAX) {
		pr_warn("%pg goes away once it is unmounted\n", morsel_bdev(pmem->bdev));
		morsel_pmem_stop(pmem);
		return 0;
	}
	/* What fails before that recovery hears of from the processor. */
	if (!smp_load_acquire(&pmem->started) ||
	    !frames_of(pmem, offset, length, &first, &last))
		return -ENXIO;
	morsel_pmem_fail(pmem, first, last);
	/* Who cannot go on from there is ended by who called. */
	return flags & MF_MUST_KILL ? -EIO : 0;
}

static int notify_failure(struct dax_device *dax, u64 offset, u64 length, int flags)
{
	struct morsel_pmem *pmem;
	int err = -ENXIO;

	/* Nobody keeps a holder from going meanwhile: so it is looked for, not believed. */
	down_read(&all_lock);
	list_for_each_entry(pmem, &all, all)
		if (pmem == dax_holder(dax)) {
			err = notify(pmem, offset, length, flags);
			break;
		}
	up_read(&all_lock);
	return err;
}

const struct dax_holder_operations morsel_pmem_holder_ops = {
	.notify_failure = notify_failure,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * crash.c - what a crash after a store to a device leaves
 *
 * Only in a build with CRASH=1, for tests/pmem/stop.  Of the files here, below
 * /sys/kernel/debug/morsel, crash_after is how many stores of metadata there are to be
 * until the machine stops, or 0: it does not.  With crash_keep it goes on instead, and
 * crash_kept has what was on the device after that store; it has nothing until then.
 * Words that are written in a row are one store, which ends with its first word, unless
 * crash_each is Y: a copy that does not count yet is as good with some words as with
 * others.
 *
 * After that store no other is made by this processor, nor by the others, once they
 * come to one of their own or are told.
 *
 * The device is the one that was opened last.  Nothing is protected against a second
 * one, nor against who reads crash_kept before he has unmounted.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/reboot.h>
#include <linux/smp.h>
#include <linux/vmalloc.h>

#include "crash.h"

/* How long others may take to stop, in ms: they may have interrupts off. */
#define CRASH_PATIENCE	100

static atomic_t crash_after;
static atomic_t crash_stopped;
static bool crash_each;
static bool crash_keep;
static bool crash_now;

/* The word behind the last one that was stored to. */
static const u64 *crash_next;

/* The device, and room for all of it: its size is 0 as long as nothing is in there. */
static const void *crash_device;
static size_t crash_bytes;
static struct debugfs_blob_wrapper crash_kept;

static void crash_halt(void *unused)
{
	atomic_inc(&crash_stopped);
	while (READ_ONCE(crash_now))
		cpu_relax();
}

static void crash(void)
{
	bool keep = READ_ONCE(crash_keep);
	unsigned int tries = CRASH_PATIENCE;

	WRITE_ONCE(crash_now, true);
	/* First: who is told to stop may have the lock of the console. */
	if (!keep)
		pr_emerg("stopped after a store\n");
	preempt_disable();
	atomic_set(&crash_stopped, 0);
	smp_call_function(crash_halt, NULL, 0);
	while (atomic_read(&crash_stopped) < num_online_cpus() - 1 && tries--)
		mdelay(1);
	if (!keep) {
		local_irq_disable();
		emergency_restart();
		for (;;)
			cpu_relax();
	}
	if (crash_kept.data) {
		memcpy(crash_kept.data, crash_device, crash_bytes);
		crash_kept.size = crash_bytes;
	}
	WRITE_ONCE(crash_now, false);
	preempt_enable();
}

static bool crash_on_device(const void *p)
{
	return virt_addr_valid(p) && is_zone_device_page(virt_to_page(p));
}

/**
 * morsel_stored() - a word of metadata has been written
 * @p: where to; nothing is done where that is in no device
 *
 * Context: any but interrupts.
 */
void morsel_stored(const void *p)
{
	const u64 *next;

	if (likely(!atomic_read(&crash_after)) || !crash_on_device(p))
		return;
	while (READ_ONCE(crash_now))
		cpu_relax();
	next = crash_next;
	crash_next = (const u64 *)p + 1;
	if (next == p && !crash_each)
		return;
	if (atomic_dec_return(&crash_after) == 0)
		crash();
}

/**
 * morsel_crash_device() - a device is about to be used
 * @p:     what is on it
 * @bytes: how much
 *
 * Context: process context, may sleep.
 */
void morsel_crash_device(const void *p, size_t bytes)
{
	crash_kept.size = 0;
	if (bytes > crash_bytes) {
		vfree(crash_kept.data);
		crash_kept.data = vmalloc(bytes);
	}
	crash_device = p;
	crash_bytes = bytes;
}

/**
 * morsel_crash_setup() - make the files appear
 * @dir: of debugfs
 */
void morsel_crash_setup(struct dentry *dir)
{
	debugfs_create_atomic_t("crash_after", 0600, dir, &crash_after);
	debugfs_create_bool("crash_each", 0600, dir, &crash_each);
	debugfs_create_bool("crash_keep", 0600, dir, &crash_keep);
	debugfs_create_blob("crash_kept", 0400, dir, &crash_kept);
}

/**
 * morsel_crash_exit() - undo morsel_crash_setup(), once the files are gone
 */
void morsel_crash_exit(void)
{
	vfree(crash_kept.data);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctl.c - what descriptors of a morsel are asked for, whatever front end they are of
 *
 * Everything that comes in is an enemy's: copied once, every reserved field and
 * unknown flag refused.
 */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <uapi/linux/morsel.h>

#include "compat.h"
#include "ioctl.h"
#include "object.h"
#include "punch.h"

static long file_info(struct morsel_object *object, void __user *arg)
{
	struct morsel_info info = {};

	if (!morsel_object_alive(object))
		return -ESTALE;
	morsel_object_describe(object, &info);
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

/*
 * Is the open file itself in other hands too: duplicated, inherited, or on its
 * way through a socket?  A lone thread's ioctl borrows the reference of its
 * descriptor table, others hold one of their own.  Only advice: whoever gets
 * hold of the file after this finds the object destroyed.
 */
static bool file_shared(struct file *file)
{
	long own = atomic_read(&current->files->count) > 1 ? 2 : 1;

	return file_count(file) > own;
}

static long file_destroy(struct file *file)
{
	struct morsel_object *object = morsel_object_of(file);

	if (!(file->f_mode & FMODE_WRITE))
		return -EBADF;
	if (!inode_owner_or_capable(morsel_idmap, file_inode(file)))
		return -EPERM;
	if (!morsel_object_alive(object))
		return -ESTALE;
	if (file_shared(file))
		return -EBUSY;
	return morsel_object_destroy(object);
}

/**
 * morsel_file_steps() - do something to a range of pages, step by step
 * @file:  descriptor of the morsel; the caller is a user of it
 * @step:  one bounded step of it
 * @next:  first page; moved on
 * @end:   first page behind the range
 * @fatal: only a signal that kills ends it, else any
 *
 * Return: 0, -EINTR, or what @step refuses for.
 */
int morsel_file_steps(struct file *file, morsel_range_step *step, u64 *next, u64 end,
		      bool fatal)
{
	int err = 0;

	while (*next < end && !err) {
		bool ends = fatal ? fatal_signal_pending(current) : signal_pending(current);

		err = ends ? -EINTR : step(file, next, end - 1);
		cond_resched();
	}
	return err;
}

/**
 * morsel_file_fill() - populate, as a step of morsel_file_steps()
 * @file: descriptor of the morsel; the caller is a user of it
 * @next: first page; moved on
 * @last: last page
 *
 * Return: see morsel_object_fill().
 */
int morsel_file_fill(struct file *file, u64 *next, u64 last)
{
	return morsel_object_fill(morsel_object_of(file), next, last);
}

/**
 * morsel_file_punch() - take out, as a step of morsel_file_steps()
 * @file: descriptor of the morsel; the caller is a user of it
 * @next: first page; moved on
 * @last: last page
 *
 * Return: see morsel_punch().
 */
int morsel_file_punch(struct file *file, u64 *next, u64 last)
{
	return morsel_punch(morsel_object_of(file), next, last);
}

/**
 * morsel_file_range() - do something to a range that user space names, in steps
 * @file: descriptor of the morsel
 * @arg:  the range, from user space
 * @step: one bounded step of it
 *
 * No lock is held while user space is looked at.  The user count keeps another
 * thread from destroying the object meanwhile; that it gets shorter is for @step to
 * see, which is told the limit by what it calls.
 *
 * Return: 0 or a negative errno.
 */
long morsel_file_range(struct file *file, struct morsel_range __user *arg,
		       morsel_range_step *step)
{
	struct morsel_object *object = morsel_object_of(file);
	u64 size = morsel_hold_limit(&object->dram.hold) << PAGE_SHIFT;
	struct morsel_range range;
	u64 next, end;
	int err;

	if (copy_from_user(&range, arg, sizeof(range)))
		return -EFAULT;
	if (range.flags || range.pad || range.reserved[0] || range.reserved[1] ||
	    !PAGE_ALIGNED(range.offset | range.length) || !range.length ||
	    range.length > size || range.offset > size - range.length)
		return -EINVAL;
	if (!morsel_object_use(object))
		return -ESTALE;

	next = range.offset >> PAGE_SHIFT;
	end = next + (range.length >> PAGE_SHIFT);
	err = morsel_file_steps(file, step, &next, end, false);
	morsel_object_unuse(object);

	range.done = (next << PAGE_SHIFT) - range.offset;
	return put_user(range.done, &arg->done) ? -EFAULT : err;
}

/* Where to go on is an enemy's, too: any place that a table could have will do. */
static bool table_valid(const struct morsel_object *object,
			const struct morsel_table *table)
{
	if (table->rights > MORSEL_MIRRORS || table->pad || table->reserved[0] ||
	    table->reserved[1] || table->level > object->order)
		return false;
	if (!table->level)
		return !table->first;
	return table->first < morsel_level_pages(object->order) &&
	       !(table->first % morsel_level_pages(table->level));
}

static long file_next_table(struct morsel_object *object, void __user *arg)
{
	struct morsel_table_place place = {};
	const struct morsel_tree *tree;
	struct morsel_table table;

	BUILD_BUG_ON(MORSEL_TABLE_R != 1 + MORSEL_R || MORSEL_TABLE_RX != 1 + MORSEL_RX ||
		     MORSEL_TABLE_RWX != 1 + MORSEL_RWX);
	if (copy_from_user(&table, arg, sizeof(table)))
		return -EFAULT;
	if (!table_valid(object, &table))
		return -EINVAL;
	if (!morsel_object_use(object))
		return -ESTALE;
	place.level = table.level;
	place.first = table.first;
	tree = morsel_object_next_table(object, &table.rights, &place);
	table.level = place.level;
	table.first = place.first;
	table.used = tree ? morsel_tree_used(tree, &place) : 0;
	morsel_object_unuse(object);
	if (!tree)
		return -ENOENT;
	return copy_to_user(arg, &table, sizeof(table)) ? -EFAULT : 0;
}

/**
 * morsel_file_ioctl() - what a descriptor of a morsel is asked for
 * @file: the descriptor
 * @cmd:  MORSEL_IOC_*, from user space
 * @arg:  its argument
 *
 * Return: 0 or a negative errno, -ENOTTY for what is unknown.
 */
long morsel_file_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case MORSEL_IOC_POPULATE:
		return morsel_file_range(file, (void __user *)arg, morsel_file_fill);
	case MORSEL_IOC_PUNCH:
		if (!(file->f_mode & FMODE_WRITE))
			return -EBADF;
		return morsel_file_range(file, (void __user *)arg, morsel_file_punch);
	case MORSEL_IOC_NEXT_TABLE:
		return file_next_table(morsel_object_of(file), (void __user *)arg);
	case MORSEL_IOC_INFO:
		return file_info(morsel_object_of(file), (void __user *)arg);
	case MORSEL_IOC_DESTROY:
		return file_destroy(file);
	}
	return -ENOTTY;
}

/**
 * morsel_file_show_fdinfo() - facts for /proc/PID/fdinfo
 * @m:    where to
 * @file: the descriptor
 */
void morsel_file_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct morsel_object *object = morsel_object_of(file);
	struct morsel_info info = {};

	if (!morsel_object_alive(object))
		return;
	morsel_object_describe(object, &info);
	seq_printf(m, "morsel-id:\t0x%016llx\n", info.id);
	seq_printf(m, "morsel-order:\t%u\n", info.order);
	seq_printf(m, "morsel-flags:\t0x%x\n", info.flags);
	seq_printf(m, "morsel-address:\t0x%llx\n", info.address);
	seq_printf(m, "morsel-data-frames:\t%llu\n", info.data_frames);
	seq_printf(m, "morsel-table-frames:\t%llu\n", info.table_frames);
	seq_printf(m, "morsel-reserve-frames:\t%llu\n", info.reserve_frames);
	seq_printf(m, "morsel-allocated:\t%llu\n", info.allocated);
	seq_printf(m, "morsel-mappings:\t%llu\n", info.mappings);
	seq_printf(m, "morsel-attachments:\t%llu\n", info.attachments);
	seq_printf(m, "morsel-attached:\t%llu\n", info.attached);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * dev.c - /dev/morsel: a front end of the objects
 *
 * The control device creates, selects and lists; it hands out descriptors that
 * are bound to one morsel for life; ioctl.c has what those are asked for.
 *
 * Everything that comes in is an enemy's: copied once, every reserved field
 * and unknown flag refused, and a descriptor is installed only after the
 * answer has reached user space.
 */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <uapi/linux/falloc.h>
#include <uapi/linux/morsel.h>

#include "anon.h"
#include "compat.h"
#include "dev.h"
#include "ioctl.h"
#include "mapping.h"
#include "object.h"

static int morsel_file_release(struct inode *inode, struct file *file)
{
	morsel_anon_release(file);
	return 0;
}

/* Punch holes, and nothing else; madvise(MADV_REMOVE) comes here too. */
static long morsel_file_fallocate(struct file *file, int mode, loff_t offset,
				  loff_t length)
{
	struct morsel_object *object = morsel_object_of(file);
	u64 size = morsel_level_size(object->order);
	u64 next, end;
	int err;

	if (mode != (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE))
		return -EOPNOTSUPP;
	if (!PAGE_ALIGNED(offset | length))
		return -EINVAL;
	if (offset >= size)
		return 0;
	if (!morsel_object_use(object))
		return -ESTALE;

	next = offset >> PAGE_SHIFT;
	end = min_t(u64, offset + length, size) >> PAGE_SHIFT;
	err = morsel_file_steps(file, morsel_file_punch, &next, end, true);
	morsel_object_unuse(object);
	return err;
}

/* Shared alone: a morsel without a name is for who means to share it. */
static int morsel_file_mmap(struct file *file, struct vm_area_struct *vma)
{
	/* A read-only descriptor has VM_MAYSHARE without VM_SHARED. */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	return morsel_mmap(file, vma);
}

static const struct file_operations morsel_file_fops = {
	.owner = THIS_MODULE,
	.release = morsel_file_release,
	.unlocked_ioctl = morsel_file_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.fallocate = morsel_file_fallocate,
	.fsync = noop_fsync,
	.mmap = morsel_file_mmap,
	.get_unmapped_area = morsel_get_unmapped_area,
	.show_fdinfo = morsel_file_show_fdinfo,
	.llseek = noop_llseek,
};

/*
 * Answer with a descriptor.  Takes @fd whatever happens; @file only on success.
 */
static long dev_answer(int fd, struct file *file, void __user *arg,
		       const void *answer, size_t size)
{
	if (copy_to_user(arg, answer, size)) {
		put_unused_fd(fd);
		return -EFAULT;
	}
	fd_install(fd, file);
	return 0;
}

static long dev_create(void __user *arg)
{
	struct morsel_object *object;
	struct morsel_create create;
	struct file *file;
	long err;

	if (copy_from_user(&create, arg, sizeof(create)))
		return -EFAULT;
	if (create.order > MORSEL_ORDER_MAX ||
	    create.flags & ~(MORSEL_CREATE_EPHEMERAL | MORSEL_CREATE_META) ||
	    create.mode & ~0777 || create.reserved)
		return -EINVAL;

	create.fd = get_unused_fd_flags(O_CLOEXEC);
	if (create.fd < 0)
		return create.fd;

	object = morsel_anon_create(create.order, create.mode, create.flags,
				    create.address);
	if (IS_ERR(object)) {
		err = PTR_ERR(object);
		goto err_fd;
	}
	create.id = object->id;

	file = morsel_anon_file(object, O_RDWR, &morsel_file_fops);
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		morsel_object_abandon(object);
		morsel_object_unuse(object);
		goto err_fd;
	}

	err = dev_answer(create.fd, file, arg, &create, sizeof(create));
	if (err) {
		morsel_object_abandon(object);
		fput(file);
	}
	return err;

err_fd:
	put_unused_fd(create.fd);
	return err;
}

static bool dev_select = true;
module_param_named(select, dev_select, bool, 0644);
MODULE_PARM_DESC(select, "morsels may be opened by their ID");

static long dev_open(void __user *arg)
{
	struct morsel_object *object;
	struct morsel_open open;
	struct file *file;
	bool rdonly;
	long err;

	if (copy_from_user(&open, arg, sizeof(open)))
		return -EFAULT;
	if (open.flags & ~MORSEL_OPEN_RDONLY || open.reserved[0] ||
	    open.reserved[1])
		return -EINVAL;
	if (!READ_ONCE(dev_select))
		return -EPERM;
	rdonly = open.flags & MORSEL_OPEN_RDONLY;

	open.fd = get_unused_fd_flags(O_CLOEXEC);
	if (open.fd < 0)
		return open.fd;

	object = morsel_object_get(open.id,
				   rdonly ? MAY_READ : MAY_READ | MAY_WRITE);
	if (IS_ERR(object)) {
		err = PTR_ERR(object);
		goto err_fd;
	}

	file = morsel_anon_file(object, rdonly ? O_RDONLY : O_RDWR,
				&morsel_file_fops);
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		morsel_object_unuse(object);
		goto err_fd;
	}

	err = dev_answer(open.fd, file, arg, &open, sizeof(open));
	if (err)
		fput(file);
	return err;

err_fd:
	put_unused_fd(open.fd);
	return err;
}

static long dev_next(void __user *arg)
{
	struct morsel_next next = {};
	int err;

	if (copy_from_user(&next.cursor, arg, sizeof(next.cursor)))
		return -EFAULT;
	err = morsel_object_next(&next.cursor, &next.info);
	if (err)
		return err;
	return copy_to_user(arg, &next, sizeof(next)) ? -EFAULT : 0;
}

static long dev_stats(void __user *arg)
{
	struct morsel_frame_counts frames = morsel_dram_sum(NULL);
	struct morsel_stats stats = {
		.morsels = morsel_object_count(),
		.data_frames = max(frames.data, 0L),
		.table_frames = max(morsel_frame_tables(&frames), 0L),
		.attachments = morsel_view_attachments(),
		.reserve_frames = morsel_dram_reserve(NULL),
		.max_order = morsel_order_max(),
	};

	return copy_to_user(arg, &stats, sizeof(stats)) ? -EFAULT : 0;
}

static long morsel_dev_ioctl(struct file *file, unsigned int cmd,
			     unsigned long arg)
{
	void __user *argp = (void __user *)arg;

	switch (cmd) {
	case MORSEL_IOC_CREATE:
		return dev_create(argp);
	case MORSEL_IOC_OPEN:
		return dev_open(argp);
	case MORSEL_IOC_NEXT:
		return dev_next(argp);
	case MORSEL_IOC_STATS:
		return dev_stats(argp);
	}
	return -ENOTTY;
}

static const struct file_operations morsel_dev_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = morsel_dev_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice morsel_dev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "morsel",
	.fops = &morsel_dev_fops,
	.mode = 0660,
};

/**
 * morsel_dev_register() - make /dev/morsel appear
 *
 * Return: 0 or a negative errno.
 */
int morsel_dev_register(void)
{
	return misc_register(&morsel_dev);
}

/**
 * morsel_dev_deregister() - make /dev/morsel disappear
 */
void morsel_dev_deregister(void)
{
	misc_deregister(&morsel_dev);
}

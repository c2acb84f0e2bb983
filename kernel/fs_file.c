// SPDX-License-Identifier: GPL-2.0-only
/*
 * fs_file.c - regular files of morselfs: reading, writing, size, holes
 *
 * The size of a file is its inode's; the object has a limit, the first page that it
 * may not have, which is that size in pages.  Both change under the lock of the
 * inode, which who fills holds as well, but for page faults.  Getting shorter: first
 * the limit, which takes out what is behind it, then the size.  Getting longer: what
 * is behind the old end in its page is cleared (a mapping may have written there),
 * then the limit, then the content, then the size.
 */
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/splice.h>
#include <linux/uio.h>
#include <uapi/linux/falloc.h>
#include <uapi/linux/morsel.h>

#include "fs.h"
#include "ioctl.h"
#include "mapping.h"
#include "object.h"
#include "punch.h"

/* What one call of vfs_fallocate() punches of a range: 1 GiB. */
#define FS_PUNCH_STEP	BIT_ULL(18)

static u64 pages_for(loff_t size)
{
	return DIV_ROUND_UP_ULL(size, PAGE_SIZE);
}

/* What was written outlives a loss of power, where it can. */
static void persist(struct morsel_object *object, const void *p, size_t bytes)
{
	struct morsel_source *source = object->tree.source;

	if (source->persist)
		source->persist(p, bytes);
}

/* What was written in the place of what was behind the old end, in its page. */
static void persist_tail(struct morsel_object *object, loff_t old, loff_t end)
{
	size_t bytes = min(end, round_up(old, PAGE_SIZE)) - old;
	struct page *page;

	if (!bytes || !object->tree.source->persist)
		return;
	page = morsel_object_page(object, old >> PAGE_SHIFT);
	if (!page)
		return;
	if (!PageHWPoison(page))
		persist(object, page_address(page) + offset_in_page(old), bytes);
	put_page(page);
}

/* Clear the bytes [from, to) of one page, if it is there. */
static void clear_part(struct morsel_object *object, loff_t from, loff_t to)
{
	struct page *page;

	if (from >= to)
		return;
	page = morsel_object_page(object, from >> PAGE_SHIFT);
	if (!page)
		return;
	if (!PageHWPoison(page)) {
		memzero_page(page, offset_in_page(from), to - from);
		persist(object, page_address(page) + offset_in_page(from), to - from);
	}
	put_page(page);
}

/* What is behind @size in its last page: nobody is to see that later. */
static void clear_tail(struct morsel_object *object, loff_t size)
{
	clear_part(object, size, round_up(size, PAGE_SIZE));
}

/**
 * morsel_fs_resize() - give a file another size
 * @inode: the file, locked
 * @size:  bytes
 *
 * Context: process context, may sleep.
 */
void morsel_fs_resize(struct inode *inode, loff_t size)
{
	struct morsel_object *object = inode->i_private;
	loff_t old = i_size_read(inode);

	if (size > old)
		clear_tail(object, old);
	else
		morsel_fs_pool_resize(inode, size);
	morsel_set_limit(object, pages_for(size));
	if (size < old)
		clear_tail(object, size);
	i_size_write(inode, size);
	if (size > old)
		morsel_fs_pool_resize(inode, size);
}

/* Read of one page, or of what is missing there; returns how much. */
static ssize_t read_page(struct morsel_object *object, loff_t pos, size_t length,
			 struct iov_iter *to)
{
	struct page *page = morsel_object_page(object, pos >> PAGE_SHIFT);
	ssize_t copied;

	if (!page)
		return iov_iter_zero(length, to);
	/*
	 * Not copy_page_to_iter(): that hands the page itself to a pipe (6.1).  Nor
	 * copy_to_iter(), which looks whose memory it is, and that takes a quarter of
	 * what a page takes besides being copied.
	 */
	if (PageHWPoison(page))
		copied = -EIO;
	else if (object->dram.pmem)
		copied = _copy_mc_to_iter(page_address(page) + offset_in_page(pos), length,
					  to);
	else
		copied = _copy_to_iter(page_address(page) + offset_in_page(pos), length, to);
	put_page(page);
	return copied;
}

/* Not between morsel_fs_enter() and morsel_fs_leave(): it waits for user space. */
static ssize_t fs_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t done = 0, got = 0;

	while (iov_iter_count(to)) {
		loff_t size = i_size_read(inode), pos = iocb->ki_pos;
		size_t want = PAGE_SIZE - offset_in_page(pos);

		if (pos >= size)
			break;
		want = min3((u64)(size - pos), (u64)want, (u64)iov_iter_count(to));
		got = morsel_fs_stopped(inode) ? -EIO :
						 read_page(inode->i_private, pos, want, to);
		if (got > 0) {
			done += got;
			iocb->ki_pos += got;
		}
		if (got >= 0 && got < want)
			got = -EFAULT;
		if (got >= 0 && fatal_signal_pending(current))
			got = -EINTR;
		if (got < 0)
			break;
		cond_resched();
	}
	file_accessed(iocb->ki_filp);
	return done ? : min_t(ssize_t, got, 0);
}

/*
 * A new page with what is written to it; 0 where another one came in meanwhile, and
 * @from is where it was.
 */
static ssize_t write_new_page(struct morsel_object *object, u64 index, size_t offset,
			      size_t length, struct iov_iter *from)
{
	bool whole = length == PAGE_SIZE;
	struct morsel_source *source = object->tree.source;
	struct page *page;
	size_t copied;
	u64 pfn;
	int ret = source->ops->page_new(source, index, !whole, &pfn);

	if (ret)
		return ret;
	page = pfn_to_page(pfn);
	copied = copy_page_from_iter_atomic(page, offset, length, from);
	if (whole && copied < length)
		memzero_page(page, copied, PAGE_SIZE - copied);
	ret = morsel_object_insert(object, index, pfn);
	if (ret > 0)
		return copied;
	iov_iter_revert(from, copied);
	return ret;
}

/* Write to one page, all that lies in it.  Returns how much, 0: try again. */
static ssize_t write_page(struct morsel_object *object, loff_t pos, size_t length,
			  struct iov_iter *from)
{
	struct page *page = morsel_object_page(object, pos >> PAGE_SHIFT);
	size_t copied;

	if (!page)
		return write_new_page(object, pos >> PAGE_SHIFT, offset_in_page(pos),
				      length, from);
	if (PageHWPoison(page)) {
		put_page(page);
		return -EIO;
	}
	copied = copy_page_from_iter_atomic(page, offset_in_page(pos), length, from);
	flush_dcache_page(page);
	put_page(page);
	return copied;
}

/* There is room for what is written from @pos to @end. */
static int write_begin(struct inode *inode, loff_t pos, loff_t end)
{
	struct morsel_object *object = inode->i_private;
	loff_t size = i_size_read(inode);
	int err;

	if (end <= size)
		return 0;
	err = morsel_fs_enter(inode);
	if (err)
		return err;
	if (pos > size)
		clear_tail(object, size);
	morsel_set_limit(object, pages_for(end));
	return morsel_fs_leave(inode, 0);
}

/* What is there up to @pos counts, and behind it nothing is, although @end was meant. */
static int write_end(struct inode *inode, loff_t pos, loff_t end)
{
	loff_t size = i_size_read(inode);
	int err;

	if (end <= size)
		return 0;
	err = morsel_fs_enter(inode);
	if (err)
		return err;
	if (pos > size) {
		/* What a mapping wrote behind the end is not to be seen there. */
		persist_tail(inode->i_private, size, pos);
		size = pos;
		i_size_write(inode, size);
		morsel_fs_pool_resize(inode, size);
	}
	if (end > size)
		morsel_set_limit(inode->i_private, pages_for(size));
	return morsel_fs_leave(inode, 0);
}

static ssize_t fs_write(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	struct morsel_object *object = inode->i_private;
	loff_t pos = iocb->ki_pos, end = pos + iov_iter_count(from);
	ssize_t done = 0, got = 0;
	int err = write_begin(inode, pos, end);

	if (err)
		return err;
	while (iov_iter_count(from)) {
		size_t want = min_t(size_t, iov_iter_count(from),
				    PAGE_SIZE - offset_in_page(pos));

		if (fault_in_iov_iter_readable(from, want) == want) {
			got = -EFAULT;
			break;
		}
		if (fatal_signal_pending(current)) {
			got = -EINTR;
			break;
		}
		got = morsel_fs_enter(inode);
		if (!got)
			got = morsel_fs_leave(inode, write_page(object, pos, want, from));
		if (got < 0)
			break;
		pos += got;
		done += got;
		cond_resched();
	}
	err = write_end(inode, done ? pos : 0, end);
	if (err)
		return err;
	iocb->ki_pos = pos;
	return done ? : got;
}

static ssize_t fs_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct file *file = iocb->ki_filp;
	struct inode *inode = file_inode(file);
	ssize_t ret;

	inode_lock(inode);
	ret = generic_write_checks(iocb, from);
	if (ret > 0) {
		int err = file_remove_privs(file);

		if (!err)
			err = file_update_time(file);
		ret = err ? : fs_write(iocb, from);
	}
	inode_unlock(inode);
	return ret > 0 ? generic_write_sync(iocb, ret) : ret;
}

/* One step of it, unless who stops the device waits for it. */
static int fs_punch_some(struct file *file, u64 *next, u64 last)
{
	if (morsel_fs_stopped(file_inode(file)))
		return -EIO;
	return morsel_file_punch(file, next, last);
}

static int fs_punch(struct file *file, loff_t from, loff_t to)
{
	struct morsel_object *object = morsel_object_of(file);
	u64 first = DIV_ROUND_UP_ULL(from, PAGE_SIZE);
	u64 end = to >> PAGE_SHIFT;

	if (first > end) {
		clear_part(object, from, to);
		return 0;
	}
	clear_part(object, from, first << PAGE_SHIFT);
	clear_part(object, end << PAGE_SHIFT, to);
	return morsel_file_steps(file, fs_punch_some, &first, end, true);
}

static int fs_fill(struct file *file, loff_t from, loff_t to)
{
	u64 next = from >> PAGE_SHIFT;

	return morsel_file_steps(file, morsel_file_fill, &next, pages_for(to), false);
}

/*
 * To allocate is to populate.  Nothing can be populated behind the end of a file,
 * where a mapping must not reach it: that with FALLOC_FL_KEEP_SIZE is not supported.
 */
static int fs_allocate(struct file *file, int mode, loff_t offset, loff_t length)
{
	struct inode *inode = file_inode(file);
	struct morsel_object *object = inode->i_private;
	loff_t size = i_size_read(inode), end = offset + length;
	int err;

	if (end > size && mode & FALLOC_FL_KEEP_SIZE)
		return -EOPNOTSUPP;
	if (end > size) {
		err = inode_newsize_ok(inode, end);
		if (err)
			return err;
		clear_tail(object, size);
		morsel_set_limit(object, pages_for(end));
	}
	err = mode & FALLOC_FL_ZERO_RANGE ? fs_punch(file, offset, end) : 0;
	if (!err)
		err = fs_fill(file, offset, end);
	if (end <= size)
		return err;
	/* All of what is new, or nothing. */
	if (err) {
		morsel_set_limit(object, pages_for(size));
	} else {
		i_size_write(inode, end);
		morsel_fs_pool_resize(inode, end);
	}
	return err;
}

static long fs_fallocate(struct file *file, int mode, loff_t offset, loff_t length)
{
	struct inode *inode = file_inode(file);
	loff_t end;
	int err;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		return -EOPNOTSUPP;
	inode_lock(inode);
	err = file_remove_privs(file);
	if (!err)
		err = morsel_fs_enter(inode);
	if (err)
		goto out;
	if (mode & FALLOC_FL_PUNCH_HOLE) {
		end = min(offset + length, (loff_t)round_up(i_size_read(inode), PAGE_SIZE));
		if (offset < end)
			err = fs_punch(file, offset, end);
	} else {
		err = fs_allocate(file, mode, offset, length);
	}
	/* A part of it may be done. */
	morsel_fs_touch(inode);
	morsel_fs_leave(inode, 0);
out:
	inode_unlock(inode);
	return err;
}

static loff_t fs_llseek(struct file *file, loff_t offset, int whence)
{
	struct inode *inode = file_inode(file);
	struct morsel_object *object = inode->i_private;
	loff_t size;
	u64 found, end;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return generic_file_llseek(file, offset, whence);
	if (morsel_fs_stopped(inode))
		return -EIO;

	inode_lock_shared(inode);
	size = i_size_read(inode);
	end = pages_for(size);
	if (offset < 0 || offset >= size) {
		offset = -ENXIO;
		goto out;
	}
	if (whence == SEEK_DATA)
		found = morsel_tree_next(&object->tree, offset >> PAGE_SHIFT, end - 1);
	else
		found = morsel_tree_next_hole(&object->tree, offset >> PAGE_SHIFT, end - 1);
	if (whence == SEEK_DATA && found == end)
		offset = -ENXIO;
	else
		offset = min_t(loff_t, max_t(loff_t, offset, found << PAGE_SHIFT), size);
	if (offset >= 0)
		offset = vfs_setpos(file, offset, inode->i_sb->s_maxbytes);
out:
	inode_unlock_shared(inode);
	return offset;
}

/* Under the lock of the inode, for it may get shorter; a step at a time. */
static int fs_fill_step(struct file *file, u64 *next, u64 last)
{
	struct inode *inode = file_inode(file);
	struct morsel_object *object = inode->i_private;
	int err;

	/* What is only mapped is populated all the same, as on any mount. */
	if (morsel_fs_of(inode->i_sb)->pmem && sb_rdonly(inode->i_sb))
		return -EROFS;
	inode_lock(inode);
	err = morsel_fs_enter(inode);
	if (!err) {
		err = -ERANGE;
		if (last < morsel_hold_limit(&object->dram.hold))
			err = morsel_object_fill(object, next, last);
		morsel_fs_leave(inode, 0);
	}
	inode_unlock(inode);
	/* As if it had been so before. */
	return err == -ERANGE ? -EINVAL : err;
}

/* As any other hole, with all that the kernel looks at and tells of. */
static int fs_punch_step(struct file *file, u64 *next, u64 last)
{
	u64 end = min(last, *next | (FS_PUNCH_STEP - 1)) + 1;
	int err = vfs_fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				*next << PAGE_SHIFT, (end - *next) << PAGE_SHIFT);

	if (!err)
		*next = end;
	return err;
}

static long fs_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	if (morsel_fs_stopped(file_inode(file)))
		return -EIO;
	switch (cmd) {
	case MORSEL_IOC_POPULATE:
		return morsel_file_range(file, (void __user *)arg, fs_fill_step);
	case MORSEL_IOC_PUNCH:
		return morsel_file_range(file, (void __user *)arg, fs_punch_step);
	case MORSEL_IOC_DESTROY:
		/* It has names, and goes with the last of them. */
		return -EOPNOTSUPP;
	}
	return morsel_file_ioctl(file, cmd, arg);
}

static int fs_mmap(struct file *file, struct vm_area_struct *vma)
{
	int err = morsel_fs_stopped(file_inode(file)) ? -EIO :
		  morsel_object_adopt(morsel_object_of(file));

	if (err)
		return err;
	file_accessed(file);
	return morsel_mmap(file, vma);
}

/**
 * morsel_fs_write_back() - have what was written to a file outlive a loss of power
 * @inode: the file; nothing is to be done where there is no device, or caches persist
 * @start: first byte
 * @end:   last byte
 *
 * Context: process context, may sleep.
 * Return: 0, -EIO, or -EINTR when the caller was killed meanwhile.
 */
int morsel_fs_write_back(struct inode *inode, loff_t start, loff_t end)
{
	struct morsel_object *object = inode->i_private;
	u64 index = start >> PAGE_SHIFT, last = end >> PAGE_SHIFT, settled = 0;

	if (morsel_fs_stopped(inode))
		return -EIO;
	if (!object->tree.source->persist)
		return 0;
	last = min(last, morsel_level_pages(object->order) - 1);
	while ((index = morsel_tree_next(&object->tree, index, last)) <= last) {
		struct page *page;

		if (index >= settled)
			settled = morsel_tree_settle(&object->tree, index);
		page = morsel_object_page(object, index);
		if (page) {
			if (!PageHWPoison(page))
				persist(object, page_address(page), PAGE_SIZE);
			put_page(page);
		}
		if (morsel_fs_stopped(inode))
			return -EIO;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		index++;
	}
	return 0;
}

/* Executable where the mount is not noexec, which the kernel looks at itself. */
static int fs_open(struct inode *inode, struct file *file)
{
	file->private_data = inode->i_private;
	file->f_mode |= FMODE_CAN_ODIRECT;
	return morsel_fs_stopped(inode) ? -EIO : generic_file_open(inode, file);
}

/*
 * What was written to pages.  All else is on the device before the call that changed it
 * returns, where there is a device.
 */
static int fs_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	return morsel_fs_write_back(file_inode(file), start, end);
}

const struct file_operations morsel_fs_file_ops = {
	.owner = THIS_MODULE,
	.open = fs_open,
	.read_iter = fs_read_iter,
	.write_iter = fs_write_iter,
	.llseek = fs_llseek,
	.fallocate = fs_fallocate,
	.fsync = fs_fsync,
	.splice_read = morsel_splice_read,
	.splice_write = iter_file_splice_write,
	.mmap = fs_mmap,
	.get_unmapped_area = morsel_get_unmapped_area,
	.unlocked_ioctl = fs_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = morsel_file_show_fdinfo,
};

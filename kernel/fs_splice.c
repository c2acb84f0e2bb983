// SPDX-License-Identifier: GPL-2.0-only
/*
 * fs_splice.c - reading into a pipe, on kernels before 6.5
 *
 * What those have for it hands the page itself to the pipe, as one of the page cache,
 * and may try to take it out of there for good (FUSE does).  Copies are safe.
 */
#include <linux/bvec.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pipe_fs_i.h>
#include <linux/splice.h>
#include <linux/uio.h>

#include "fs.h"

/* Read up to a page at @pos into a page of the pipe's own; returns how much. */
static ssize_t splice_page(struct file *in, loff_t pos, struct pipe_inode_info *pipe,
			   size_t length)
{
	struct page *page = alloc_page(GFP_USER);
	struct pipe_buffer buffer = {
		.page = page,
		.ops = &nosteal_pipe_buf_ops,
	};
	struct bio_vec vec = {
		.bv_page = page,
		.bv_len = min_t(size_t, length, PAGE_SIZE),
	};
	struct kiocb kiocb;
	struct iov_iter to;
	ssize_t got;

	if (!page)
		return -ENOMEM;
	iov_iter_bvec(&to, READ, &vec, 1, vec.bv_len);
	init_sync_kiocb(&kiocb, in);
	kiocb.ki_pos = pos;
	got = call_read_iter(in, &kiocb, &to);
	if (got <= 0) {
		__free_page(page);
		return got;
	}
	buffer.len = got;
	/* Releases the page where it fails. */
	return add_to_pipe(pipe, &buffer);
}

/**
 * morsel_copy_splice_read() - read into a pipe
 * @in:     the file
 * @ppos:   position; moved on
 * @pipe:   the pipe, locked
 * @length: bytes
 * @flags:  SPLICE_F_*
 *
 * Return: bytes, or a negative errno when there are none.
 */
ssize_t morsel_copy_splice_read(struct file *in, loff_t *ppos,
				struct pipe_inode_info *pipe, size_t length,
				unsigned int flags)
{
	ssize_t done = 0, got = -EAGAIN;

	while (length && !pipe_full(pipe->head, pipe->tail, pipe->max_usage)) {
		got = splice_page(in, *ppos, pipe, length);
		if (got <= 0)
			break;
		*ppos += got;
		done += got;
		length -= got;
	}
	return done ? : got;
}

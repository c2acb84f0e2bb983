// SPDX-License-Identifier: GPL-2.0-only
/* fsx: operations by descriptor. */
#include "fsx.h"

#include <sys/sendfile.h>
#include <sys/uio.h>

static void op_read(struct fsx *x, struct fsx_file *f)
{
	struct range r = any_range(x), c = clip(f, r);
	ssize_t n;

	say(x, "%#llx+%#zx", (unsigned long long)r.from, r.len);
	must(x, lseek(f->fd, r.from, SEEK_SET) == r.from);
	n = read(f->fd, x->buffer, r.len);
	must(x, n == (ssize_t)c.len);
	compare(x, f, x->buffer, c);
	must(x, lseek(f->fd, 0, SEEK_CUR) == r.from + n);
}

static void op_write(struct fsx *x, struct fsx_file *f)
{
	struct range r = x->alone ? any_range(x) : clip(f, any_range(x));
	size_t part = below(x, r.len);
	struct iovec vec[2] = { { x->buffer, part },
				{ x->buffer + part, r.len - part } };
	unsigned int how = below(x, 3);
	ssize_t n;

	say(x, "%#llx+%#zx", (unsigned long long)r.from, r.len);
	draw_data(x, r.len);
	if (how == 0) {
		n = pwrite(f->fd, x->buffer, r.len, r.from);
	} else if (how == 1) {
		n = pwritev(f->fd, vec, 2, r.from);
	} else {
		must(x, lseek(f->fd, r.from, SEEK_SET) == r.from);
		n = write(f->fd, x->buffer, r.len);
	}
	must(x, n == (ssize_t)r.len);
	model_write(f, r.from, x->buffer, r.len);
}

/* By a descriptor of its own, whose position must not matter. */
static void op_append(struct fsx *x, struct fsx_file *f)
{
	struct range r = any_range(x);
	int fd;

	/* Only in the first window. */
	if (f->size + r.len > WINDOW)
		r.len = 0;
	say(x, "%#zx at %#llx", r.len, (unsigned long long)f->size);
	fd = open(f->name, O_WRONLY | O_APPEND | O_CLOEXEC);
	must(x, fd >= 0);
	draw_data(x, r.len);
	must(x, write(fd, x->buffer, r.len) == (ssize_t)r.len);
	close(fd);
	model_write(f, f->size, x->buffer, r.len);
}

static void op_truncate(struct fsx *x, struct fsx_file *f)
{
	off_t size = below(x, 8) ? any_range(x).from : 0;

	say(x, "%#llx to %#llx", (unsigned long long)f->size,
	    (unsigned long long)size);
	if (below(x, 2))
		must(x, ftruncate(f->fd, size) == 0);
	else
		must(x, truncate(f->name, size) == 0);
	model_resize(x, f, size);
}

/* What to allocate, and whether the size is to stay; on morselfs within it then. */
static struct range draw_allocation(struct fsx *x, struct fsx_file *f, bool *keep)
{
	struct range r;

	*keep = !x->alone || below(x, 2);
	r = *keep && fs_morsels ? clip(f, any_range(x)) : any_range(x);
	if (r.len)
		say(x, "%#llx+%#zx%s", (unsigned long long)r.from, r.len,
		    *keep ? " keep size" : "");
	return r;
}

static void op_allocate(struct fsx *x, struct fsx_file *f)
{
	bool keep;
	struct range r = draw_allocation(x, f, &keep);
	off_t end = r.from + r.len;

	if (!r.len)
		return;
	must(x, fallocate(f->fd, keep ? FALLOC_FL_KEEP_SIZE : 0, r.from,
			  r.len) == 0);
	if (!keep && end > f->size)
		model_resize(x, f, end);
}

static void op_punch(struct fsx *x, struct fsx_file *f)
{
	struct range r = any_range(x);

	say(x, "%#llx+%#zx", (unsigned long long)r.from, r.len);
	must(x, fallocate(f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			  r.from, r.len) == 0);
	model_clear(x, f, r.from, r.from + r.len);
}

/* A file system need not have it; then it must leave the file alone. */
static void op_zero(struct fsx *x, struct fsx_file *f)
{
	bool keep;
	struct range r = draw_allocation(x, f, &keep);
	off_t end = r.from + r.len;

	if (!r.len)
		return;
	if (fallocate(f->fd,
		      FALLOC_FL_ZERO_RANGE | (keep ? FALLOC_FL_KEEP_SIZE : 0),
		      r.from, r.len)) {
		must(x, errno == EOPNOTSUPP);
		return;
	}
	model_clear(x, f, r.from, end);
	if (!keep && end > f->size)
		model_resize(x, f, end);
}

/* Two ranges, of one length and apart when they are in one file. */
static bool draw_copy(struct fsx *x, struct fsx_file *from, struct fsx_file *to,
		      struct range *in, struct range *out)
{
	*in = clip(from, any_range(x));
	*out = x->alone ? any_range(x) : clip(to, any_range(x));
	if (in->len > out->len)
		in->len = out->len;
	out->len = in->len;
	say(x, "%#llx+%#zx to %s at %#llx", (unsigned long long)in->from,
	    in->len, to->name, (unsigned long long)out->from);
	return in->len &&
	       (from != to || in->from + (off_t)in->len <= out->from ||
		out->from + (off_t)out->len <= in->from);
}

static void op_copy(struct fsx *x, struct fsx_file *f)
{
	struct fsx_file *to = any_file(x);
	struct range in, out;

	if (!draw_copy(x, f, to, &in, &out))
		return;
	for (size_t done = 0; done < in.len;) {
		off_t from = in.from + done, at = out.from + done;
		ssize_t n = copy_file_range(f->fd, &from, to->fd, &at,
					    in.len - done, 0);

		must(x, n > 0 && n <= (ssize_t)(in.len - done));
		must(x, from == in.from + (off_t)done + n);
		must(x, at == out.from + (off_t)done + n);
		done += n;
	}
	model_write(to, out.from, f->model + in.from, in.len);
	check(x, to, out);
}

static void op_sendfile(struct fsx *x, struct fsx_file *f)
{
	struct fsx_file *to = any_file(x);
	struct range in, out;

	if (!draw_copy(x, f, to, &in, &out))
		return;
	must(x, lseek(to->fd, out.from, SEEK_SET) == out.from);
	for (off_t from = in.from; from < in.from + (off_t)in.len;)
		must(x, sendfile(to->fd, f->fd, &from,
				 in.from + in.len - from) > 0);
	must(x, lseek(to->fd, 0, SEEK_CUR) == out.from + (off_t)out.len);
	model_write(to, out.from, f->model + in.from, in.len);
	check(x, to, out);
}

static void op_splice(struct fsx *x, struct fsx_file *f)
{
	struct fsx_file *to = any_file(x);
	struct range in, out;
	off_t from, at;
	int ends[2];

	if (!draw_copy(x, f, to, &in, &out))
		return;
	must(x, pipe2(ends, O_CLOEXEC) == 0);
	from = in.from;
	at = out.from;
	while (from < in.from + (off_t)in.len) {
		ssize_t n = splice(f->fd, &from, ends[1], NULL,
				   in.from + in.len - from, 0);

		must(x, n > 0);
		while (n > 0) {
			ssize_t m = splice(ends[0], NULL, to->fd, &at, n, 0);

			must(x, m > 0);
			n -= m;
		}
	}
	close(ends[0]);
	close(ends[1]);
	must(x, at == out.from + (off_t)out.len);
	model_write(to, out.from, f->model + in.from, in.len);
	check(x, to, out);
}

/*
 * What must hold of holes wherever a file system has them: what is passed over
 * in search of data is zero, and so is the byte where a hole starts.
 */
static void op_seek(struct fsx *x, struct fsx_file *f)
{
	off_t from = any_range(x).from, data, hole;

	say(x, "from %#llx", (unsigned long long)from);
	data = lseek(f->fd, from, SEEK_DATA);
	if (from >= f->size) {
		must(x, data == -1 && errno == ENXIO);
		must(x, lseek(f->fd, from, SEEK_HOLE) == -1 && errno == ENXIO);
		return;
	}
	if (data == -1) {
		must(x, errno == ENXIO);
		data = f->size;
	} else {
		must(x, data >= from && data < f->size);
	}
	must(x, model_is_zero(x, f, from, data));
	hole = lseek(f->fd, from, SEEK_HOLE);
	must(x, hole >= from && hole <= f->size);
	if (hole < f->size)
		must(x, model_is_zero(x, f, hole, hole + 1));
	/* Either it is in data or in a hole. */
	must(x, x->alone ? (data == from) != (hole == from) : true);
}

static void op_sync(struct fsx *x, struct fsx_file *f)
{
	struct range r = any_range(x);
	unsigned int how = below(x, 4);
	off_t first = r.from / PAGE * PAGE;

	say(x, "%u", how);
	if (how == 0)
		must(x, fsync(f->fd) == 0);
	else if (how == 1)
		must(x, fdatasync(f->fd) == 0);
	else
		must(x, msync(f->map + first, r.from + r.len - first,
			      how == 2 ? MS_SYNC : MS_ASYNC) == 0);
}

static void op_reopen(struct fsx *x, struct fsx_file *f)
{
	fsx_close(f);
	fsx_open(x, f);
	check_all(x, f);
}

const struct operation fsx_ops[] = {
	{ "read", false, op_read },	    { "write", false, op_write },
	{ "append", true, op_append },	    { "truncate", true, op_truncate },
	{ "allocate", false, op_allocate }, { "punch", false, op_punch },
	{ "zero", false, op_zero },	    { "copy", false, op_copy },
	{ "sendfile", false, op_sendfile }, { "splice", false, op_splice },
	{ "seek", false, op_seek },	    { "sync", false, op_sync },
	{ "reopen", false, op_reopen },
};
const unsigned int fsx_n_ops = sizeof(fsx_ops) / sizeof(*fsx_ops);

// SPDX-License-Identifier: GPL-2.0-only
/* fsx: operations by mapping.  One of each file lasts, others come and go. */
#include "fsx.h"

#include <signal.h>

/* The pages that a range touches. */
static struct range pages(struct range r)
{
	off_t first = r.from / PAGE * PAGE;

	return (struct range){ first, (r.from + r.len - first + PAGE - 1) /
					      PAGE * PAGE };
}

/* The pages that are all in a range, and so those of this process only. */
static struct range whole_pages(struct range r)
{
	off_t first = (r.from + PAGE - 1) / PAGE * PAGE,
	      last = (r.from + r.len) / PAGE * PAGE;

	return (struct range){ first, last > first ? last - first : 0 };
}

static struct range mapped_range(struct fsx *x, struct fsx_file *f)
{
	struct range r = clip(f, any_range(x));

	say(x, "%#llx+%#zx", (unsigned long long)r.from, r.len);
	return r;
}

static void map_read(struct fsx *x, struct fsx_file *f)
{
	struct range r = mapped_range(x, f);

	compare(x, f, f->map + r.from, r);
}

static void map_write(struct fsx *x, struct fsx_file *f)
{
	struct range r = mapped_range(x, f);

	draw_data(x, r.len);
	memcpy(f->map + r.from, x->buffer, r.len);
	model_write(f, r.from, x->buffer, r.len);
}

/* What is written to a private mapping stays there, and stays. */
static void map_private(struct fsx *x, struct fsx_file *f)
{
	struct range r = mapped_range(x, f), p = pages(r);
	char *map, *mine;

	if (!r.len)
		return;
	map = mmap(NULL, p.len, RW, MAP_PRIVATE, f->fd, p.from);
	must(x, map != MAP_FAILED);
	mine = map + (r.from - p.from);
	if (below(x, 2))
		compare(x, f, mine, r);
	memset(mine, 'p', r.len);
	check(x, f, r);
	draw_data(x, r.len);
	must(x, pwrite(f->fd, x->buffer, r.len, r.from) == (ssize_t)r.len);
	model_write(f, r.from, x->buffer, r.len);
	for (size_t i = 0; i < r.len; i++)
		must(x, mine[i] == 'p');
	munmap(map, p.len);
	check(x, f, r);
}

/* What is written behind the end, in the last page, is gone when that shrinks. */
static void map_tail(struct fsx *x, struct fsx_file *f)
{
	size_t used = f->size % PAGE;
	off_t size;

	if (!used)
		return;
	memset(f->map + f->size, 't', PAGE - used);
	size = f->size - 1 - below(x, used);
	say(x, "%#llx to %#llx", (unsigned long long)f->size,
	    (unsigned long long)size);
	must(x, ftruncate(f->fd, size) == 0);
	model_resize(x, f, size);
}

static void map_beyond(struct fsx *x, struct fsx_file *f)
{
	off_t first = (f->size + PAGE - 1) / PAGE * PAGE,
	      page = any_range(x).from / PAGE * PAGE;

	if (page < first)
		page = first;
	say(x, "%#llx", (unsigned long long)page);
	must(x, probe(f->map + page, below(x, 2) ? READ : WRITE) == SIGBUS);
}

/* Grown, moved, written where it is then. */
static void map_move(struct fsx *x, struct fsx_file *f)
{
	struct range r = mapped_range(x, f), p = pages(r);
	size_t len = p.len;
	char *map, *to;

	if (!r.len)
		return;
	map = mmap(NULL, fs_morsels ? len : PAGE, RW, MAP_SHARED, f->fd, p.from);
	must(x, map != MAP_FAILED);
	must(x, probe(map, READ) == 0);
	map = mremap(map, fs_morsels ? len : PAGE, len, MREMAP_MAYMOVE);
	must(x, map != MAP_FAILED);
	compare(x, f, map + (r.from - p.from), r);
	to = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(x, to != MAP_FAILED);
	map = mremap(map, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	must(x, map == to);
	compare(x, f, map + (r.from - p.from), r);
	draw_data(x, r.len);
	memcpy(map + (r.from - p.from), x->buffer, r.len);
	model_write(f, r.from, x->buffer, r.len);
	munmap(map, len);
	check(x, f, r);
}

static void map_advise(struct fsx *x, struct fsx_file *f)
{
	static const struct {
		int advice;
		bool clears;
	} all[] = { { MADV_REMOVE, true },
		    { MADV_DONTNEED, false },
		    { MADV_COLD, false },
		    { MADV_POPULATE_READ, false },
		    { MADV_POPULATE_WRITE, false } };
	unsigned int which = below(x, sizeof(all) / sizeof(*all));
	struct range r = mapped_range(x, f), p;

	p = all[which].clears ? whole_pages(r) : pages(r);
	say(x, " %u", which);
	if (!p.len || !r.len)
		return;
	must(x, madvise(f->map + p.from, p.len, all[which].advice) == 0);
	if (all[which].clears)
		model_clear(x, f, p.from, p.from + p.len);
	compare(x, f, f->map + r.from, r);
}

/* Rights taken away and given back. */
static void map_protect(struct fsx *x, struct fsx_file *f)
{
	struct range r = mapped_range(x, f), p = pages(r);
	char *at = f->map + r.from;

	if (!r.len)
		return;
	must(x, mprotect(f->map + p.from, p.len, R) == 0);
	must(x, probe(at, WRITE) == SIGSEGV);
	compare(x, f, at, r);
	must(x, mprotect(f->map + p.from, p.len, RW) == 0);
	draw_data(x, r.len);
	memcpy(at, x->buffer, r.len);
	model_write(f, r.from, x->buffer, r.len);
}

/* The child finds what the parent wrote, the parent what the child wrote. */
static void map_fork(struct fsx *x, struct fsx_file *f)
{
	struct range r = mapped_range(x, f);
	pid_t pid;

	compare(x, f, f->map + r.from, r);
	draw_data(x, r.len);
	pid = fork();
	must(x, pid >= 0);
	if (!pid) {
		compare(x, f, f->map + r.from, r);
		memcpy(f->map + r.from, x->buffer, r.len);
		_exit(0);
	}
	must(x, reap(pid) == 0);
	model_write(f, r.from, x->buffer, r.len);
	compare(x, f, f->map + r.from, r);
}

const struct operation fsx_maps[] = {
	{ "map-read", false, map_read },
	{ "map-write", false, map_write },
	{ "map-private", false, map_private },
	{ "map-tail", true, map_tail },
	{ "map-beyond", true, map_beyond },
	{ "map-move", false, map_move },
	{ "map-advise", false, map_advise },
	{ "map-protect", false, map_protect },
	{ "map-fork", false, map_fork },
};
const unsigned int fsx_n_maps = sizeof(fsx_maps) / sizeof(*fsx_maps);

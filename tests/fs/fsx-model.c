// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a file must hold: an array as long as all windows, of which only these are
 * ever written; and how a process compares.
 */
#include "fsx.h"

static off_t window(unsigned int n)
{
	static const off_t start[WINDOWS] = { 0, 2 * MIB - WINDOW / 2,
					      GIB - WINDOW / 2 };

	return start[n];
}

/* splitmix64 */
uint64_t below(struct fsx *x, uint64_t n)
{
	uint64_t z = x->random += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (z ^ z >> 31) % n;
}

struct fsx_file *any_file(struct fsx *x)
{
	return &x->files[x->alone ? below(x, FILES) : 0];
}

/* Slices end within pages unless their number is a power of two. */
static struct range slice(struct fsx *x, unsigned int n)
{
	size_t len = WINDOW / x->slices;

	return (struct range){ window(n) + x->slice * len, len };
}

struct range any_range(struct fsx *x)
{
	struct range s = slice(x, below(x, WINDOWS)), r;
	uint64_t most = (uint64_t[]){ 16, PAGE, 4 * PAGE, LENGTH }[below(x, 4)];

	r.from = below(x, s.len);
	r.len = 1 + below(x, most);
	if (!below(x, 3)) {
		r.from -= (s.from + r.from) % PAGE;
		r.len += PAGE - r.len % PAGE;
	}
	/* In a slice that starts within a page the first page is a part of one. */
	if (r.from < 0)
		r.from = 0;
	if (r.from + r.len > s.len)
		r.len = s.len - r.from;
	r.from += s.from;
	return r;
}

struct range clip(const struct fsx_file *f, struct range r)
{
	if (r.from >= f->size)
		r.len = 0;
	else if (r.from + (off_t)r.len > f->size)
		r.len = f->size - r.from;
	return r;
}

void draw_data(struct fsx *x, size_t len)
{
	for (size_t i = 0; i < len; i += 8) {
		uint64_t word = below(x, UINT64_MAX) | 0x0100010001000100ull;

		memcpy(x->buffer + i, &word, len - i < 8 ? len - i : 8);
	}
}

void fsx_open(struct fsx *x, struct fsx_file *f)
{
	f->fd = open(f->name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	must(x, f->fd >= 0);
	f->map = mmap(NULL, SPAN + PAGE, RW, MAP_SHARED, f->fd, 0);
	must(x, f->map != MAP_FAILED);
}

void fsx_close(struct fsx_file *f)
{
	munmap(f->map, SPAN + PAGE);
	close(f->fd);
}

void model_write(struct fsx_file *f, off_t from, const void *data, size_t len)
{
	memmove(f->model + from, data, len);
	if (len && f->size < from + (off_t)len)
		f->size = from + len;
}

/* Calls for what of a range is in each window, until one call says no. */
static bool each_part(struct fsx *x, off_t from, off_t to,
		      bool (*call)(char *p, size_t len), char *base)
{
	for (unsigned int n = 0; n < WINDOWS; n++) {
		struct range s = slice(x, n);
		off_t end = s.from + s.len, start = from;

		start = start < s.from ? s.from : start;
		end = end > to ? to : end;
		if (start < end && !call(base + start, end - start))
			return false;
	}
	return true;
}

static bool clear_part(char *p, size_t len)
{
	memset(p, 0, len);
	return true;
}

static bool part_is_zero(char *p, size_t len)
{
	return !not_zero(p, len);
}

void model_clear(struct fsx *x, struct fsx_file *f, off_t from, off_t to)
{
	each_part(x, from, to, clear_part, f->model);
}

void model_resize(struct fsx *x, struct fsx_file *f, off_t size)
{
	if (size < f->size)
		model_clear(x, f, size, f->size);
	f->size = size;
}

bool model_is_zero(struct fsx *x, struct fsx_file *f, off_t from, off_t to)
{
	return each_part(x, from, to, part_is_zero, f->model);
}

void compare(struct fsx *x, struct fsx_file *f, const char *got, struct range r)
{
	const char *want = f->model + r.from;
	size_t n = 0;

	if (!memcmp(got, want, r.len))
		return;
	while (got[n] == want[n])
		n++;
	wrong(x, "%s: at %#llx is %#x, not %#x (file of %#llx bytes)", f->name,
	      (unsigned long long)r.from + n, got[n] & 0xff, want[n] & 0xff,
	      (unsigned long long)f->size);
}

void check(struct fsx *x, struct fsx_file *f, struct range r)
{
	struct range c = clip(f, r);
	ssize_t n = pread(f->fd, x->buffer, r.len, r.from);

	if (n != (ssize_t)c.len)
		wrong(x, "%s: %zd bytes at %#llx, not %zu", f->name, n,
		      (unsigned long long)r.from, c.len);
	compare(x, f, x->buffer, c);
}

void check_all(struct fsx *x, struct fsx_file *f)
{
	struct stat st = status(f->fd);

	if (st.st_size != f->size)
		wrong(x, "%s: size is %#llx, not %#llx", f->name,
		      (unsigned long long)st.st_size,
		      (unsigned long long)f->size);
	for (unsigned int n = 0; n < WINDOWS; n++) {
		struct range s = slice(x, n), r = s;

		while (r.from < s.from + (off_t)s.len) {
			size_t left = s.from + s.len - r.from;

			r.len = left < LENGTH ? left : LENGTH;
			check(x, f, r);
			compare(x, f, f->map + r.from, clip(f, r));
			r.from += r.len;
		}
	}
}

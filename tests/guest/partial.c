// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes to a part of a mapping, or to where it is: the content is never at
 * risk.
 */
#include "guest.h"

#define N 512 /* pages with a stamp */

struct view {
	int fd;
	unsigned int order;
	char *p;
	size_t size;
};

static struct view view(unsigned int order)
{
	struct view v = { .fd = create(order, NULL),
			  .order = order,
			  .size = morsel_size(order) };

	v.p = map(v.fd, RW);
	put_stamps(v.p, order, N);
	return v;
}

static void check_and_drop(struct view *v, const char *what)
{
	char *p = map(v->fd, R);

	is(bad_stamps(p, v->order, N), 0, "order %u: content after %s",
	   v->order, what);
	unmap(p, v->order);
	munmap(v->p, v->size);
	is(info(v->fd).attachments, 0, "order %u: nothing attached after %s",
	   v->order, what);
	destroy(v->fd);
}

static void munmap_parts(unsigned int order)
{
	struct view v = view(order);
	size_t half = v.size / 2;

	is(munmap(v.p + PAGE, PAGE), 0, "order %u: munmap one page", order);
	ok(probe(v.p + PAGE, READ), "order %u: it is gone", order);
	ok(!probe(v.p, WRITE) && !probe(v.p + 2 * PAGE, WRITE),
	   "order %u: its neighbours stay", order);
	is(*word(v.p, 0), stamp(0), "order %u: with their content", order);
	is(munmap(v.p + half, half), 0, "order %u: munmap the upper half",
	   order);
	ok(probe(v.p + half, READ) && probe(v.p + v.size - 1, READ),
	   "order %u: it is gone", order);
	ok(!probe(v.p + half - PAGE, WRITE), "order %u: the lower half stays",
	   order);
	check_and_drop(&v, "munmap of parts");
}

static void munmap_table(unsigned int order)
{
	struct view v = view(order);
	size_t span = 2 << 20;

	is(munmap(v.p + span, span), 0,
	   "order %u: munmap what one table covers", order);
	ok(probe(v.p + span, READ), "order %u: it is gone", order);
	ok(!probe(v.p + span - 1, WRITE) && !probe(v.p + 2 * span, WRITE),
	   "order %u: the tables beside it stay", order);
	is(munmap(v.p, span), 0, "order %u: munmap the head", order);
	is(munmap(v.p + v.size - span, span), 0, "order %u: munmap the tail",
	   order);
	ok(!probe(v.p + 2 * span, WRITE), "order %u: the middle stays", order);
	check_and_drop(&v, "munmap of tables");
}

static void mprotect_parts(unsigned int order)
{
	struct view v = view(order);
	size_t half = v.size / 2;

	is(mprotect(v.p, half, R), 0, "order %u: mprotect the lower half",
	   order);
	ok(probe(v.p, WRITE) && probe(v.p + half - 1, WRITE),
	   "order %u: it is read-only", order);
	ok(!probe(v.p + half, WRITE), "order %u: the upper half is not", order);
	is(mprotect(v.p + half, PAGE, PROT_NONE), 0,
	   "order %u: mprotect one page to none", order);
	ok(probe(v.p + half, READ), "order %u: it has no rights", order);
	ok(!probe(v.p + half + PAGE, WRITE), "order %u: its neighbour has",
	   order);
	is(mprotect(v.p, v.size, RW), 0, "order %u: mprotect all back", order);
	ok(!probe(v.p, WRITE) && !probe(v.p + half, WRITE),
	   "order %u: all is writable", order);
	is(bad_stamps(v.p, order, N), 0, "order %u: content in place", order);
	check_and_drop(&v, "mprotect of parts");
}

static void dontneed(unsigned int order)
{
	struct view v = view(order);

	is(madvise(v.p, v.size, MADV_DONTNEED), 0,
	   "order %u: MADV_DONTNEED of all", order);
	is(bad_stamps(v.p, order, N), 0, "order %u: content in place", order);
	is(madvise(v.p + PAGE, 3 * PAGE, MADV_DONTNEED), 0,
	   "order %u: of three pages", order);
	is(bad_stamps(v.p, order, N), 0, "order %u: content in place", order);
	is(info(v.fd).data_frames, N, "order %u: no frame was added or lost",
	   order);
	check_and_drop(&v, "MADV_DONTNEED");
}

static void moves(unsigned int order)
{
	struct view v = view(order);
	char *to = (char *)free_addr(order, 1),
	     *odd = (char *)free_addr(order, 3) + PAGE, *p;

	ok(mremap(v.p, v.size, 2 * v.size, MREMAP_MAYMOVE) == MAP_FAILED,
	   "order %u: mremap does not grow it", order);
	ok(mremap(v.p, 0, v.size, MREMAP_MAYMOVE) == MAP_FAILED,
	   "order %u: mremap does not double it", order);
	p = mremap(v.p, v.size, v.size, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	if (!ok(p == to, "order %u: mremap moves it to an aligned address",
		order))
		return;
	ok(probe(v.p, READ), "order %u: the old place is empty", order);
	v.p = p;
	is(bad_stamps(p, order, N), 0, "order %u: content at the new place",
	   order);
	is(info(v.fd).attachments, 1, "order %u: attached once", order);

	p = mremap(v.p, v.size, v.size, MREMAP_MAYMOVE | MREMAP_FIXED, odd);
	if (p != MAP_FAILED) {
		v.p = p;
		is(bad_stamps(p, order, N), 0,
		   "order %u: content at an odd address", order);
	} else {
		is(bad_stamps(v.p, order, N), 0,
		   "order %u: a refused move changes nothing", order);
	}
	p = mremap(v.p, v.size, v.size / 2, 0);
	ok(p == v.p, "order %u: mremap shrinks it", order);
	ok(probe(v.p + v.size / 2, READ), "order %u: the tail is gone", order);
	ok(!probe(v.p + v.size / 2 - 1, WRITE), "order %u: the head stays",
	   order);
	check_and_drop(&v, "mremap");
}

/* Another mapping put over the middle of one. */
static void overmap(unsigned int order)
{
	struct view v = view(order);
	char *middle = v.p + v.size / 2, *p;

	p = mmap(middle, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		 0);
	ok(p == middle && !p[0],
	   "order %u: anonymous memory over its middle is fresh", order);
	p[0] = 1;
	ok(!probe(v.p, WRITE) && !probe(middle + PAGE, WRITE),
	   "order %u: around it all is well", order);
	check_and_drop(&v, "mmap over a part");
}

/*
 * madvise() splits the VMA at whole tables and announces nothing.  What is then
 * done to one part must not reach the shared tables through the entry that the
 * other part had attached.
 */
static void split_quietly(unsigned int order)
{
	struct view v = view(order);
	size_t span = 2 << 20;
	char *part = v.p + v.size / 2, *other;

	*word(part, 0) = 1;
	is(madvise(part, span, MADV_DONTFORK), 0,
	   "order %u: a split without any notice", order);
	is(mprotect(part, span, PROT_NONE), 0, "order %u: a part without rights",
	   order);
	ok(probe(part, READ), "order %u: it has none", order);
	other = map(v.fd, RW);
	ok(!probe(other + v.size / 2, WRITE),
	   "order %u: another mapping has its own", order);
	*word(other, v.size / 2 / PAGE) = stamp(v.size / 2 / PAGE);
	unmap(other, order);
	check_and_drop(&v, "a quiet split");
}

/*
 * Attached first, then one page made executable: it is then a leaf below the
 * placeholder that was put back, which must not have learned a right or lost
 * one meanwhile.
 */
static void execute_a_part(unsigned int order)
{
	struct view v = view(order);
	char *page = v.p + v.size / 2 + PAGE, *code = page + 64;

	put_code(code);
	is(mprotect(page, PAGE, R | X), 0, "order %u: one page executable",
	   order);
	ok(!probe(code, EXECUTE), "order %u: it executes", order);
	ok(probe(code, WRITE) && probe(v.p, EXECUTE),
	   "order %u: and nothing else has changed", order);
	check_and_drop(&v, "executing a part");
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	for (unsigned int order = 1; order <= max_order(); order++) {
		munmap_parts(order);
		if (order > 1) {
			munmap_table(order);
			split_quietly(order);
		}
		mprotect_parts(order);
		dontneed(order);
		moves(order);
		overmap(order);
		execute_a_part(order);
	}
	return guest_done();
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings of any range at any address: content is shared with whoever maps
 * the whole, and what is attached is just what alignment and bounds allow.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "guest.h"

#define STAMPS 1024
#define PROBES 128
#define TABLE (2ull << 20)

static uint64_t size_of(unsigned int order)
{
	return morsel_size(order);
}

/* Map [offset, offset + length) at @addr, or where the driver likes. */
static char *map_range(int fd, uint64_t addr, uint64_t offset, uint64_t length,
		       int prot)
{
	char *p = mmap((void *)addr, length, prot,
		       MAP_SHARED | (addr ? MAP_FIXED_NOREPLACE : 0), fd, offset);

	if (p == MAP_FAILED)
		bail("map %#llx of %#llx at %#llx: %s",
		     (unsigned long long)length, (unsigned long long)offset,
		     (unsigned long long)addr, strerror(errno));
	return p;
}

/* Largest level at which an element holds page @page of a range as a whole. */
static unsigned int level_of(uint64_t page, unsigned int order, uint64_t addr,
			     uint64_t offset, uint64_t length)
{
	unsigned int level = order;

	for (; level; level--) {
		uint64_t size = size_of(level);
		uint64_t start = page * PAGE / size * size;

		if ((addr - offset) % size == 0 && start >= offset &&
		    start + size <= offset + length)
			break;
	}
	return level;
}

/* Every i-th stamp of @n is at this page of the range. */
static uint64_t page_in(uint64_t i, uint64_t n, uint64_t offset, uint64_t length)
{
	uint64_t pages = length / PAGE;

	return offset / PAGE + (n >= pages ? i : i * (pages / n));
}

/* Distinct elements that the touched pages lie in: what must be attached. */
static uint64_t expected(unsigned int order, uint64_t addr, uint64_t offset,
			 uint64_t length, uint64_t n)
{
	uint64_t count = 0, last = -1;

	for (uint64_t i = 0; i < n; i++) {
		uint64_t page = page_in(i, n, offset, length);
		unsigned int level = level_of(page, order, addr, offset, length);
		uint64_t start = page / pages_of(level) * pages_of(level);

		if (level && start != last) {
			count++;
			last = start;
		}
	}
	return count;
}

struct range {
	int fd;
	uint64_t offset, length, n;
};

static int child_reads(void *arg)
{
	struct range *r = arg;
	char *p = map_range(r->fd, 0, r->offset, r->length, R);
	uint64_t bad = 0;

	for (uint64_t i = 0; i < r->n; i++) {
		uint64_t page = page_in(i, r->n, r->offset, r->length);

		bad += *word(p, page - r->offset / PAGE) != stamp(page);
	}
	return bad != 0;
}

static void range(unsigned int order, uint64_t addr, uint64_t offset,
		  uint64_t length, const char *what)
{
	int fd = create(order, NULL);
	uint64_t n = length / PAGE < STAMPS ? length / PAGE : STAMPS;
	struct range r = { fd, offset, length, n };
	char *p = map_range(fd, addr, offset, length, RW), *whole;
	uint64_t bad = 0;

	for (uint64_t i = 0; i < n; i++) {
		uint64_t page = page_in(i, n, offset, length);

		*word(p, page - offset / PAGE) = stamp(page);
	}
	is(info(fd).attachments, expected(order, (uint64_t)p, offset, length, n),
	   "order %u, %s: attached at the largest levels", order, what);
	is(info(fd).data_frames, n, "order %u, %s: frames", order, what);
	is(reap(spawn(child_reads, &r)), 0,
	   "order %u, %s: another process reads it", order, what);

	whole = map(fd, RW);
	for (uint64_t i = 0; i < n; i++) {
		uint64_t page = page_in(i, n, offset, length);

		bad += *word(whole, page) != stamp(page);
		*word(whole, page) = ~stamp(page);
	}
	is(bad, 0, "order %u, %s: the whole has it", order, what);
	for (uint64_t i = 0; i < n; i++) {
		uint64_t page = page_in(i, n, offset, length);

		bad += *word(p, page - offset / PAGE) != ~stamp(page);
	}
	is(bad, 0, "order %u, %s: and writes to it", order, what);
	unmap(whole, order);
	munmap(p, length);
	is(info(fd).attachments, 0, "order %u, %s: nothing left", order, what);
	destroy(fd);
}

/* Pages of a range that do not hold what they should, or permit too much. */
struct verdict {
	uint64_t content, write, execute;
};

static struct verdict judge(const struct range *r, char *p, int prot)
{
	struct verdict bad = { 0 };

	for (uint64_t i = 0; i < r->n; i++) {
		uint64_t page = page_in(i, r->n, r->offset, r->length);
		char *at = p + page * PAGE - r->offset;

		bad.content += *word(at, 0) != stamp(page);
		bad.write += probe(at, WRITE) != (prot & W ? 0 : SIGSEGV);
		bad.execute += probe(at + PAGE / 2, EXECUTE) !=
			       (prot & X ? 0 : SIGSEGV);
	}
	return bad;
}

/* Shared tables of every level under rights other than read and write. */
static void rights(unsigned int order, uint64_t addr, uint64_t offset,
		   uint64_t length, const char *what)
{
	static const int prots[] = { R, R | X, RW, RW | X };
	int fd = create(order, NULL);
	struct range r = { fd, offset, length, length / PAGE };
	char *p;

	if (r.n > PROBES)
		r.n = PROBES;
	p = map_range(fd, 0, offset, length, RW);
	for (uint64_t i = 0; i < r.n; i++) {
		uint64_t page = page_in(i, r.n, offset, length);

		*word(p, page - offset / PAGE) = stamp(page);
		put_code(p + page * PAGE - offset + PAGE / 2);
	}
	munmap(p, length);

	for (unsigned int i = 0; i < 4; i++) {
		int prot = prots[i], other = prot ^ X;
		struct verdict bad;

		p = map_range(fd, addr, offset, length, prot);
		bad = judge(&r, p, prot);
		is(bad.content, 0, "order %u, %s, prot %d: content", order,
		   what, prot);
		is(bad.write, 0, "order %u, %s, prot %d: writing %s", order,
		   what, prot, prot & W ? "permitted" : "refused");
		is(bad.execute, 0, "order %u, %s, prot %d: executing %s", order,
		   what, prot, prot & X ? "permitted" : "refused");
		is(info(fd).attachments,
		   expected(order, (uint64_t)p, offset, length, r.n),
		   "order %u, %s, prot %d: attached at the largest levels",
		   order, what, prot);
		is(reap(spawn(child_reads, &r)), 0,
		   "order %u, %s, prot %d: another process reads it", order,
		   what, prot);
		is(mprotect(p, length, other), 0,
		   "order %u, %s, prot %d: and changed to %d", order, what,
		   prot, other);
		bad = judge(&r, p, other);
		is(bad.content + bad.write + bad.execute, 0,
		   "order %u, %s, prot %d: with just these rights", order, what,
		   other);
		munmap(p, length);
	}
	destroy(fd);
}

/* The address that the driver chooses lets the largest table in. */
static void chosen(unsigned int order)
{
	int fd = create(order, NULL);
	uint64_t size = size_of(order);

	for (unsigned int level = 1; level <= order; level++) {
		uint64_t part = size_of(level), off = order > level ? part : 0;
		char *p = map_range(fd, 0, off, part, R);

		ok((uint64_t)p % part == 0, "order %u: %#llx bytes are aligned",
		   order, (unsigned long long)part);
		munmap(p, part);
		if (order == level)
			continue;
		p = map_range(fd, 0, off / 2, 2 * part, R);
		ok(((uint64_t)p - off / 2) % part == 0,
		   "order %u: and from %#llx on", order,
		   (unsigned long long)off / 2);
		munmap(p, 2 * part);
	}
	if (order) {
		char *p = mmap((void *)free_addr(order, 0) + PAGE, size, R,
			       MAP_SHARED, fd, 0);

		ok(p != MAP_FAILED && (uint64_t)p % size == 0,
		   "order %u: a hint is aligned", order);
		munmap(p, size);
	}
	destroy(fd);
}

/* Two ranges of one morsel in one process, one right after the other. */
static void beside(void)
{
	int fd = create(2, NULL);
	uint64_t addr = free_addr(2, 0), third = 3 * TABLE + PAGE;
	char *a = map_range(fd, addr, PAGE, third, RW);
	char *b = map_range(fd, addr + third, TABLE, third, R);

	*word(a, 0) = 42;
	is(*word(b, 0), 0, "beside: a page that only one has");
	*word(a, TABLE / PAGE) = 43;
	is(*word(b, 1), 43, "beside: a page that both have");
	ok(probe(b, WRITE), "beside: each with its own rights");
	munmap(a, third);
	is(*word(b, 1), 43, "beside: and its own lifetime");
	munmap(b, third);
	destroy(fd);
}

/* No place that is aligned, but room for less: better that than nothing. */
static void crowded(void)
{
	uint64_t size = size_of(3), top = 1ull << 47;
	char *taken[400];
	unsigned int n = 0;
	int fd = create(3, NULL);
	char *p;

	/* One page in every aligned 512 GiB of the lower 47 bits. */
	for (uint64_t addr = size; addr < top && n < 400; addr += size) {
		p = mmap((void *)(addr + size / 2), PAGE, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
				 MAP_FIXED_NOREPLACE, -1, 0);
		if (p != MAP_FAILED)
			taken[n++] = p;
	}
	p = mmap(NULL, size - PAGE, RW, MAP_SHARED, fd, 0);
	ok(p != MAP_FAILED, "crowded: mapped where no aligned place is left");
	if (p != MAP_FAILED) {
		*word(p, 5) = 55;
		is(*word(p, 5), 55, "crowded: and works");
		munmap(p, size - PAGE);
	}
	while (n)
		munmap(taken[--n], PAGE);
	destroy(fd);
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);

	for (unsigned int order = 1; order <= max_order(); order++) {
		uint64_t size = size_of(order), part = size_of(order - 1);
		uint64_t addr = free_addr(order, 0);

		range(order, addr, 0, size, "whole");
		range(order, addr + PAGE, 0, size, "a page off");
		range(order, addr + part, 0, size, "an element off");
		range(order, 0, PAGE, size - PAGE, "without the first page");
		range(order, 0, 0, size - PAGE, "without the last page");
		range(order, 0, size / 2, size / 2, "upper half");
		range(order, 0, part, PAGE, "one page");
		range(order, 0, part, part, "one element");
		range(order, 0, part / 2 / PAGE * PAGE, part, "across two elements");
		range(order, addr + 7 * PAGE, 3 * PAGE, part + 9 * PAGE,
		      "ragged and skewed");
		rights(order, addr + part, 0, size, "an element off");
		rights(order, 0, PAGE, size - PAGE, "without the first page");
		rights(order, 0, size / 2, size / 2, "upper half");
		rights(order, 0, part, part, "one element");
		rights(order, addr + 7 * PAGE, 3 * PAGE, part + 9 * PAGE,
		       "ragged and skewed");
		chosen(order);
	}
	chosen(0);
	beside();
	crowded();
	return done();
}

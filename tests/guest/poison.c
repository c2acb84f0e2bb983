// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory errors.  The kernel marks the frame and can do no more, for it knows
 * no page of ours by its mappings: who is to be given it afterwards gets SIGBUS,
 * all others keep what they have, and nothing comes apart when the morsel goes.
 */
#include "guest.h"

#include <signal.h>

static uint64_t frame_of(char *p)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry;

	if (fd < 0 || pread(fd, &entry, 8, (uintptr_t)p / PAGE * 8) != 8 ||
	    !(entry >> 63))
		bail("pagemap of %p", p);
	close(fd);
	return entry & ((1ull << 55) - 1);
}

/* An error that the machine found.  What the kernel says to it is its own. */
static void offline(uint64_t pfn)
{
	int fd = open("/sys/devices/system/memory/hard_offline_page",
		      O_WRONLY | O_CLOEXEC);
	char text[32];
	int n = snprintf(text, sizeof(text), "%#llx",
			 (unsigned long long)pfn * PAGE);

	if (fd < 0)
		bail("hard_offline_page: %s", strerror(errno));
	note("hard_offline_page: %s",
	     write(fd, text, n) == n ? "done" : strerror(errno));
	close(fd);
}

/* One page of it, at an address where no table fits. */
static char *map_page(int fd, uint64_t page)
{
	char *p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, page * PAGE);

	if (p == MAP_FAILED)
		bail("mmap: %s", strerror(errno));
	return p;
}

static void error_in(unsigned int order)
{
	uint64_t bad = pages_of(order) / 2, good = bad ^ (order > 0);
	struct morsel_info before, after;
	int fd = create(order, NULL);
	char *p = map(fd, RW), *q;

	*word(p, good) = stamp(good);
	*word(p, bad) = stamp(bad);
	/* A clean page is one that the kernel would try to throw away. */
	before = info(fd);
	offline(frame_of(p + bad * PAGE));
	is(*word(p, bad), stamp(bad), "order %u: who has the page keeps it",
	   order);
	is(*word(p, good), stamp(good), "order %u: and its neighbour", order);
	q = map_page(fd, bad);
	is(probe(q, READ), SIGBUS, "order %u: who wants it gets SIGBUS", order);
	is(probe(q, WRITE), SIGBUS, "order %u: every time", order);
	munmap(q, PAGE);
	if (order) {
		q = map_page(fd, good);
		is(*word(q, 0), stamp(good), "order %u: its neighbour is had",
		   order);
		munmap(q, PAGE);
	}
	after = info(fd);
	ok(before.data_frames == after.data_frames &&
	   before.table_frames == after.table_frames,
	   "order %u: the frame is still the morsel's", order);
	if (order) {
		is(morsel_punch(fd, bad * PAGE, PAGE, NULL), 0,
		   "order %u: punched", order);
		is(*word(p, bad), 0, "order %u: and replaced", order);
		*word(p, bad) = stamp(bad);
		q = map_page(fd, bad);
		is(*word(q, 0), stamp(bad), "order %u: for everybody", order);
		munmap(q, PAGE);
	}
	unmap(p, order);
	destroy(fd);
}

/* By the process itself, which takes a reference that is never given back. */
static void hwpoison(unsigned int order)
{
	int fd = create(order, NULL);
	char *p = map(fd, RW);

	*word(p, 0) = stamp(0);
	note("MADV_HWPOISON: %s", madvise(p, PAGE, MADV_HWPOISON) ?
					  strerror(errno) : "done");
	unmap(p, order);
	destroy(fd);
	ok(1, "order %u: destroyed after MADV_HWPOISON", order);
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	for (unsigned int order = 0; order <= 3; order++)
		error_in(order);
	hwpoison(0);
	hwpoison(2);
	return guest_done();
}

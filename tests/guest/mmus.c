// SPDX-License-Identifier: GPL-2.0-only
/*
 * Other MMUs: a device that has page tables of its own over a process's, as GPUs
 * and KVM have, sees a morsel as that process does, and loses what the process
 * loses, be it by its own doing or by another process's.  The device is the
 * kernel's own for such tests, CONFIG_TEST_HMM.
 */
#include "guest.h"

#include <linux/types.h>

/* Of lib/test_hmm_uapi.h in the kernel's source, which is not installed. */
struct mirror_cmd {
	__u64 addr, ptr, npages;
	__u64 cpages, faults;
};

#define MIRROR_READ  _IOWR('H', 0x00, struct mirror_cmd)
#define MIRROR_WRITE _IOWR('H', 0x01, struct mirror_cmd)

static int mirror;

static int mirror_do(unsigned long how, char *p, void *buffer)
{
	struct mirror_cmd cmd = { .addr = (uintptr_t)p,
				  .ptr = (uintptr_t)buffer,
				  .npages = 1 };

	return ioctl(mirror, how, &cmd) ? errno : 0;
}

static uint64_t *buffer(void)
{
	static uint64_t page[PAGE / 8] __attribute__((aligned(PAGE)));

	return page;
}

/* What the device reads there, or ~0 when it cannot. */
static uint64_t mirror_read(char *p)
{
	return mirror_do(MIRROR_READ, p, buffer()) ? ~0ull : *buffer();
}

/* Whether the device can write; what it does. */
static bool mirror_write(char *p, uint64_t value)
{
	*buffer() = value;
	return !mirror_do(MIRROR_WRITE, p, buffer());
}

struct job {
	uint64_t id;
	uint64_t page;
};

static int punch_one(void *arg)
{
	struct job *job = arg;
	int fd = select_id(job->id, 0);

	need(!morsel_punch(fd, job->page * PAGE, PAGE, NULL));
	return 0;
}

static int write_one(void *arg)
{
	struct job *job = arg;

	*word(map_id(job->id, RW), job->page) = 77;
	return 0;
}

static void protect(unsigned int order, char *p, uint64_t page, size_t from,
		    size_t size, const char *what)
{
	char *at = (char *)word(p, page);

	ok(mirror_write(at, 10), "order %u: %s: writes", order, what);
	is(*word(p, page), 10, "order %u: %s: what the CPU reads", order, what);
	is(mprotect(p + from, size, R), 0, "order %u: %s: read-only", order, what);
	ok(!mirror_write(at, 11), "order %u: %s: writes no longer", order, what);
	is(*word(p, page), 10, "order %u: %s: and has not", order, what);
	is(mirror_read(at), 10, "order %u: %s: still reads", order, what);
	is(mprotect(p + from, size, PROT_NONE), 0, "order %u: %s: without rights",
	   order, what);
	is(mirror_read(at), ~0ull, "order %u: %s: reads no longer", order, what);
	is(mprotect(p + from, size, RW), 0, "order %u: %s: read-write", order,
	   what);
	ok(mirror_write(at, 12), "order %u: %s: writes again", order, what);
	is(*word(p, page), 12, "order %u: %s: what the CPU reads", order, what);
}

static void views(unsigned int order)
{
	size_t size = morsel_size(order);
	uint64_t page = pages_of(order) / 2 + 3, id;
	struct job job = { .page = page };
	int fd = create(order, &id);
	char *p = map(fd, RW), *to;

	job.id = id;
	/*
	 * In its own tables, which the attached entry hides, the kernel has a path
	 * to the page that is touched first, and to no other: of what lies before
	 * that it says nothing when rights change.
	 */
	*word(p, pages_of(order) - 1) = 1;
	is(mirror_read((char *)word(p, page)), 0,
	   "order %u: reads a page that nobody has touched", order);
	*word(p, page) = 1;
	is(mirror_read((char *)word(p, page)), 1, "order %u: reads what the CPU wrote",
	   order);
	is(reap(spawn(write_one, &job)), 0, "order %u: another process writes",
	   order);
	is(mirror_read((char *)word(p, page)), 77, "order %u: and it reads that",
	   order);

	protect(order, p, page, 0, size, "all of it");
	protect(order, p, page, page * PAGE, PAGE, "one page");
	/* With nothing attached, but in the device's tables. */
	is(madvise(p, size, MADV_DONTNEED), 0, "order %u: DONTNEED", order);
	protect(order, p, page, 0, size, "after DONTNEED");

	is(mirror_read((char *)word(p, page)), 12, "order %u: has the page", order);
	is(reap(spawn(punch_one, &job)), 0, "order %u: another process punches it",
	   order);
	is(mirror_read((char *)word(p, page)), 0, "order %u: reads the new one",
	   order);
	ok(mirror_write((char *)word(p, page), 5), "order %u: writes to it", order);
	is(*word(p, page), 5, "order %u: what the CPU reads", order);

	unmap(p, order);
	p = map(fd, RW);
	to = (char *)free_addr(order, 2);
	ok(mirror_write((char *)word(p, page), 6), "order %u: writes", order);
	ok(mremap(p, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to,
	   "order %u: moved", order);
	is(mirror_read((char *)word(p, page)), ~0ull,
	   "order %u: reads no longer where it was", order);
	is(mirror_read((char *)word(to, page)), 6, "order %u: but where it is",
	   order);
	unmap(to, order);
	is(mirror_read((char *)word(to, page)), ~0ull, "order %u: nor when unmapped",
	   order);
	destroy(fd);
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	mirror = open("/dev/hmm_dmirror0", O_RDWR | O_CLOEXEC);
	if (mirror < 0) {
		skip("another MMU", "the kernel has no CONFIG_TEST_HMM");
		return guest_done();
	}
	for (unsigned int order = 1; order <= max_order(); order++)
		views(order);
	close(mirror);
	return guest_done();
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's own walkers and advisers pass over attached content and leave
 * it as it was.
 */
#include <pthread.h>

#include "guest.h"

#include <sys/prctl.h>

#ifndef MADV_COLD
#define MADV_COLD 20
#define MADV_PAGEOUT 21
#endif

#define N 1024 /* pages with a stamp */

/* Reads a file of /proc/self to its end; false when there is none. */
static bool read_all(const char *name)
{
	static char buffer[65536];
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	do
		n = read(fd, buffer, sizeof(buffer));
	while (n > 0);
	close(fd);
	return n == 0;
}

static bool write_to(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CLOEXEC);
	bool written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return written;
}

static void proc(char *p, unsigned int order)
{
	static const char *const files[] = {
		"/proc/self/maps",
		"/proc/self/numa_maps",
		"/proc/self/smaps",
		"/proc/self/smaps_rollup",
	};
	uint64_t entries[512];
	int fd;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		if (access(files[i], R_OK))
			skip(files[i], "not in this kernel");
		else
			ok(read_all(files[i]), "order %u: %s", order, files[i]);
		is(bad_stamps(p, order, N), 0, "order %u: content after it",
		   order);
	}
	fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	is(pread(fd, entries, sizeof(entries), (uintptr_t)p / PAGE * 8),
	   sizeof(entries), "order %u: pagemap", order);
	close(fd);
	ok(write_to("/proc/self/clear_refs", "1"), "order %u: clear_refs 1",
	   order);
	is(bad_stamps(p, order, N), 0, "order %u: content after it", order);
	/* needs CONFIG_MEM_SOFT_DIRTY */
	write_to("/proc/self/clear_refs", "4");
	is(bad_stamps(p, order, N), 0, "order %u: content after clear_refs 4",
	   order);
	ok(!probe(p, WRITE), "order %u: still writable", order);
}

static atomic_bool stop;

static void *keep_touching(void *p)
{
	while (!stop)
		++*word(p, 0);
	return NULL;
}

/*
 * The second soft-dirty round finds the VMAs as it wants them, so it announces
 * the whole address space while faults can still come in, and then waits for
 * the lock that a fault may hold.  A few rounds do for order 4: each may visit
 * all its 2^27 slots.
 */
static void clear_refs_against_faults(unsigned int order)
{
	int fd = create(order, NULL);
	char *p = map(fd, RW);
	pthread_t thread;
	int rounds = 0, all = order < 4 ? 100 : 3;

	stop = false;
	if (pthread_create(&thread, NULL, keep_touching, p))
		bail("pthread_create");
	for (int i = 0; i < all; i++)
		rounds += write_to("/proc/self/clear_refs", "4");
	stop = true;
	pthread_join(thread, NULL);
	ok(rounds == all || !rounds, "order %u: clear_refs 4 against faults",
	   order);
	unmap(p, order);
	destroy(fd);
}

static void advice(char *p, unsigned int order)
{
	static const struct {
		const char *name;
		int advice;
	} advices[] = {
		{ "NORMAL", MADV_NORMAL },
		{ "RANDOM", MADV_RANDOM },
		{ "SEQUENTIAL", MADV_SEQUENTIAL },
		{ "WILLNEED", MADV_WILLNEED },
		{ "DONTNEED", MADV_DONTNEED },
		{ "FREE", MADV_FREE },
		{ "COLD", MADV_COLD },
		{ "PAGEOUT", MADV_PAGEOUT },
		{ "HUGEPAGE", MADV_HUGEPAGE },
		{ "NOHUGEPAGE", MADV_NOHUGEPAGE },
		{ "MERGEABLE", MADV_MERGEABLE },
		{ "UNMERGEABLE", MADV_UNMERGEABLE },
		{ "DONTFORK", MADV_DONTFORK },
		{ "DOFORK", MADV_DOFORK },
		{ "DODUMP", MADV_DODUMP },
		{ "DONTDUMP", MADV_DONTDUMP },
	};
	size_t size = morsel_size(order);

	for (size_t i = 0; i < sizeof(advices) / sizeof(*advices); i++) {
		int ret = madvise(p, size, advices[i].advice) ? errno : 0;

		is(bad_stamps(p, order, N), 0,
		   "order %u: content after MADV_%s (errno %d)", order,
		   advices[i].name, ret);
		if (advices[i].advice == MADV_NOHUGEPAGE)
			word(p, pages_of(order) - 70)[1] = 1;
	}
}

static void calls(char *p, unsigned int order)
{
	size_t part = 2 << 20;
	unsigned char present[512];

	mincore(p, part, present);
	is(bad_stamps(p, order, N), 0, "order %u: content after mincore",
	   order);
	if (!mlock(p, part))
		munlock(p, part);
	is(bad_stamps(p, order, N), 0, "order %u: content after mlock", order);
	for (int flags = 1; flags < 8;
	     flags <<= 1) /* MS_ASYNC, MS_INVALIDATE, MS_SYNC */
		msync(p, part, flags);
	is(bad_stamps(p, order, N), 0, "order %u: content after msync", order);
	if (!remap_file_pages(p, PAGE, 0, 1, 0)) {
		is(*word(p, 0), stamp(1), "order %u: remap_file_pages", order);
		remap_file_pages(p, PAGE, 0, 0, 0);
	}
	is(bad_stamps(p, order, N), 0,
	   "order %u: content after remap_file_pages", order);
}

static int child_without(void *p)
{
	need(probe(p, READ));
	return 0;
}

static void dontfork(char *p, unsigned int order)
{
	madvise(p, morsel_size(order), MADV_DONTFORK);
	is(reap(spawn(child_without, p)), 0,
	   "order %u: a child after MADV_DONTFORK lacks it", order);
	madvise(p, morsel_size(order), MADV_DOFORK);
	is(bad_stamps(p, order, N), 0, "order %u: the parent has it", order);
}

/* Without transparent huge pages nothing may differ. */
static void without_thp(unsigned int order, bool by_prctl)
{
	int fd = create(order, NULL);
	char *p = map(fd, RW);

	prctl(PR_SET_THP_DISABLE, by_prctl, 0, 0, 0);
	if (!by_prctl)
		madvise(p, morsel_size(order), MADV_NOHUGEPAGE);
	put_stamps(p, order, N);
	unmap(p, order);
	p = map(fd, R);
	is(bad_stamps(p, order, N), 0,
	   "order %u: populated without huge pages, by %s", order,
	   by_prctl ? "prctl" : "madvise");
	is(info(fd).data_frames, N < pages_of(order) ? N : pages_of(order),
	   "order %u: data frames", order);
	is(info(fd).table_frames, 2 * tables_for_spread(order, N),
	   "order %u: table frames, for writers and for readers", order);
	unmap(p, order);
	prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
	destroy(fd);
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	for (unsigned int order = 1; order <= max_order(); order++) {
		uint64_t n = N < pages_of(order) ? N : pages_of(order);
		int fd = create(order, NULL);
		char *p = map(fd, RW);

		put_stamps(p, order, N);
		proc(p, order);
		advice(p, order);
		calls(p, order);
		dontfork(p, order);
		ok(info(fd).data_frames >= n, "order %u: no frame is missing",
		   order);
		unmap(p, order);
		is(info(fd).attachments, 0, "order %u: nothing is attached",
		   order);
		destroy(fd);
		without_thp(order, false);
		without_thp(order, true);
		clear_refs_against_faults(order);
	}
	return guest_done();
}

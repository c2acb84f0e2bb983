// SPDX-License-Identifier: GPL-2.0-only
/*
 * mprotect against faults.  A thread writes whenever it may: none of its
 * writes is lost, and none comes after the right to write was taken away.
 */
#include "race.h"

#include <sched.h>
#include <signal.h>

static _Atomic uint64_t *counter(struct arena *a, char *p)
{
	return word(p, spread(a->order, N - 1, N)) + 2;
}

/*
 * Whoever still can write does so within this many looks, if it runs at all; now
 * and then it is given a processor for that.
 */
static int nobody_writes(struct arena *a, char *p)
{
	uint64_t count = *counter(a, p);

	for (int i = 0; i < 500; i++)
		need(*counter(a, p) == count);
	if (random64() % 4 == 0) {
		usleep(200);
		need(*counter(a, p) == count);
	}
	return 0;
}

/* The counter is in the other half; the parts attach smaller tables for good. */
static int flip_half(struct arena *a, char *p)
{
	size_t size = morsel_size(a->order);
	int fd = select_id(a->id, 0);

	need(!mprotect(p, size / 2, RW));
	if (nobody_writes(a, p))
		return 1;
	need(!mprotect(p, size, RW));
	usleep(random64() % 200);
	need(!mprotect(p + size / 2, size / 2, R));
	if (nobody_writes(a, p))
		return 1;
	need(mmap(p, size, RW, MAP_SHARED | MAP_FIXED, fd, 0) == p);
	close(fd);
	return 0;
}

static int flip(struct arena *a, char *p)
{
	size_t size = morsel_size(a->order);

	need(!mprotect(p, size, R));
	if (nobody_writes(a, p))
		return 1;
	if (random64() % 4 == 0 && flip_half(a, p))
		return 1;
	need(!mprotect(p, size, RW)); /* or the writer would wait for ever */
	usleep(random64() % 200);
	return 0;
}

/*
 * Refused writes are tried again by returning from the handler, up to a
 * point.
 */
static atomic_ulong refused;

static void try_again(int sig)
{
	(void)sig;
	if (refused++ > 50000000)
		_exit(97);
	sched_yield();
}

/* Each write that the CPU let through is there in the end. */
static int write_when_allowed(struct arena *a, char *p)
{
	_Atomic uint64_t *count = counter(a, p);
	uint64_t writes = 0, start = *count;

	signal(SIGSEGV, try_again);
	for (; !a->stop; writes++, a->uses++)
		atomic_fetch_add(count, 1);
	need(*count == start + writes);
	a->refused += refused;
	return 0;
}

/*
 * Also writes to the page that the other one may write to no longer: had both one
 * leaf, the kernel would make it writable again for this one.
 */
static int write_always(struct arena *a, char *p)
{
	while (!a->stop) {
		counter(a, p)[1]++;
		if (populate_one(a, p))
			return 1;
	}
	return 0;
}

static const struct race race = {
	.name = "mprotect",
	.change = flip,
	.thread = write_when_allowed,
	.peer = write_always,
};

int main(int argc, char **argv)
{
	return race_main(argc, argv, &race);
}

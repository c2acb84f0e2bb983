// SPDX-License-Identifier: GPL-2.0-only
/*
 * Races over views of one morsel: its address spaces change their mappings
 * while others fault and use the same tables.  In each, one process runs
 * change() beside a thread of its own and beside a second process.
 */
#include "guest.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#define N 1024 /* pages with a stamp */

struct arena {
	unsigned int order;
	uint64_t id;
	atomic_int stop;
	atomic_ulong changes, uses, refused;
};

struct race {
	const char *name;
	/* In a loop until told to stop; beside it (or NULL); in the other. */
	int (*change)(struct arena *a, char *p);
	int (*thread)(struct arena *a, char *p);
	int (*peer)(struct arena *a, char *p);
};

static int check_one(struct arena *a, char *p)
{
	uint64_t page = spread(a->order, random64() % N, N);

	need(*word(p, page) == stamp(page));
	a->uses++;
	return 0;
}

static int check_many(struct arena *a, char *p)
{
	while (!a->stop)
		if (check_one(a, p))
			return 1;
	return 0;
}

/* Checks, and populates pages that nobody has touched, so tables change too. */
static int check_and_populate(struct arena *a, char *p)
{
	while (!a->stop) {
		uint64_t page = spread(a->order, random64() % N, N) + 64 +
				random64() % 256;

		if (check_one(a, p))
			return 1;
		if (page < pages_of(a->order))
			word(p, page)[1] = 1;
	}
	return 0;
}

static int drop(struct arena *a, char *p)
{
	size_t size = morsel_size(a->order),
	       part = random64() % (size / PAGE) * PAGE;

	need(!madvise(p, size, MADV_DONTNEED));
	need(!madvise(p + part, size - part, MADV_DONTNEED));
	return check_one(a, p);
}

static int map_and_unmap(struct arena *a, char *p)
{
	char *q = map_id(a->id, random64() % 2 ? R : RW);

	(void)p;
	for (int i = 0; i < 4; i++)
		if (check_one(a, q))
			return 1;
	munmap(q, morsel_size(a->order) / 2);
	unmap(q, a->order);
	return 0;
}

static int flip(struct arena *a, char *p)
{
	size_t size = morsel_size(a->order);

	need(!mprotect(p, size, R));
	if (random64() % 2)
		need(!mprotect(p, size / 2, RW));
	need(!mprotect(p, size, RW)); /* or the writer would wait for ever */
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
	_Atomic uint64_t *count = word(p, spread(a->order, N - 1, N)) + 2;
	uint64_t writes = 0, start = *count;

	signal(SIGSEGV, try_again);
	for (; !a->stop; writes++)
		atomic_fetch_add(count, 1);
	need(*count == start + writes);
	a->uses += writes;
	a->refused += refused;
	return 0;
}

struct copy {
	struct arena *a;
	char *p;
};

static int check_copy(void *arg)
{
	struct copy *copy = arg;

	for (int i = 0; i < 16; i++)
		if (check_one(copy->a, copy->p))
			return 1;
	word(copy->p, spread(copy->a->order, random64() % N, N))[3] = 1;
	return 0;
}

static int fork_one(struct arena *a, char *p)
{
	struct copy copy = { a, p };

	need(reap(spawn(check_copy, &copy)) == 0);
	return check_one(a, p);
}

/* There and back again, so that the caller's address stays good. */
static int move(struct arena *a, char *p)
{
	size_t size = morsel_size(a->order);
	char *to = (char *)free_addr(a->order, 2);

	need(mremap(p, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	if (check_one(a, to))
		return 1;
	need(mremap(to, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, p) == p);
	return check_one(a, p);
}

static const struct race races[] = {
	{ "MADV_DONTNEED", drop, check_many, check_and_populate },
	{ "mmap and munmap", map_and_unmap, check_many, check_and_populate },
	{ "mprotect", flip, write_when_allowed, check_and_populate },
	{ "fork", fork_one, check_and_populate, check_and_populate },
	{ "mremap", move, NULL, check_and_populate },
};

struct actor {
	const struct race *race;
	struct arena *a;
	char *p;
	int failed;
};

static void *run_thread(void *arg)
{
	struct actor *me = arg;

	me->failed = me->race->thread(me->a, me->p);
	return NULL;
}

static int changer(void *arg)
{
	struct actor *me = arg;
	pthread_t thread;
	int failed = 0;

	/* Not inherited: this process has the mapping to itself. */
	me->p = map_id(me->a->id, RW);
	if (me->race->thread)
		pthread_create(&thread, NULL, run_thread, me);
	for (; !me->a->stop && !failed; me->a->changes++)
		failed = me->race->change(me->a, me->p);
	if (me->race->thread)
		pthread_join(thread, NULL);
	return failed || me->failed;
}

static int peer(void *arg)
{
	struct actor *me = arg;

	return me->race->peer(me->a, map_id(me->a->id, RW));
}

static int raced(const struct arena *a)
{
	return a->changes > 10 && a->uses > 100;
}

static void run(const struct race *race, unsigned int order)
{
	struct arena *a = shared(sizeof(*a));
	struct actor actor = { .race = race, .a = a };
	pid_t left, right;
	int fd;
	char *p;

	a->order = order;
	fd = create(order, &a->id);
	p = map(fd, RW);
	put_stamps(p, order, N);
	unmap(p, order);
	left = spawn(changer, &actor);
	right = spawn(peer, &actor);
	for (double start = now(); !a->stop && goes_on(start, raced(a));)
		usleep(10000);
	a->stop = 1;
	is(reap(left), 0, "order %u: %s: the changing process", order,
	   race->name);
	is(reap(right), 0, "order %u: %s: the other process", order,
	   race->name);
	note("%lu changes, %lu uses, %lu refused", a->changes, a->uses,
	     a->refused);
	ok(raced(a), "order %u: %s: there was a race", order, race->name);
	p = map(fd, R);
	is(bad_stamps(p, order, N), 0, "order %u: %s: content", order,
	   race->name);
	unmap(p, order);
	is(info(fd).attachments, 0, "order %u: %s: nothing is attached", order,
	   race->name);
	destroy(fd);
	munmap(a, sizeof(*a));
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	for (size_t i = 0; i < sizeof(races) / sizeof(*races); i++) {
		run(&races[i], 2);
		run(&races[i], i % 2 ? 1 : 3);
		if (max_order() == 4)
			run(&races[i], 4);
	}
	return guest_done();
}

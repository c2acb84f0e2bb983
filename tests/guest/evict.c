// SPDX-License-Identifier: GPL-2.0-only
/*
 * Punching while everybody uses the pages.  A register for each page says what
 * it must hold: what was written last, or 0 once anybody has seen 0.  A
 * processor that still reaches the old page, in whatever address space, sees
 * something else sooner or later; and so does who gets the old frame next.
 */
#include "guest.h"

#include <pthread.h>
#include <string.h>

#define PAGES 8

struct arena {
	unsigned int order;
	int fd;
	uint64_t first;			/* page of the morsel */
	atomic_int stop, failed;
	atomic_ulong punches, uses, holes;
	struct {
		atomic_int lock;
		uint64_t value;
	} reg[PAGES];
};

static void lock(atomic_int *l)
{
	while (atomic_exchange(l, 1))
		while (*l)
			sched_yield();
}

/* One page through one mapping, against its register. */
static int use(struct arena *a, unsigned int i, char *p, bool writes)
{
	_Atomic uint64_t *w = word(p, i);
	uint64_t seen, twice;
	int err = 0;

	lock(&a->reg[i].lock);
	seen = *w;
	if (seen && seen != a->reg[i].value)
		err = 1;
	if (!seen && a->reg[i].value) {
		a->reg[i].value = 0;
		a->holes++;
	}
	if (writes && !err) {
		a->reg[i].value = random64() | 1;
		*w = a->reg[i].value;
		/* What was written is there, or was punched. */
		twice = *w;
		err = twice && twice != a->reg[i].value;
	}
	a->reg[i].lock = 0;
	a->uses++;
	if (err) {
		a->failed++;
		a->stop = 1;
	}
	return err;
}

static char *map_pages(struct arena *a, int kind)
{
	static const int prots[] = { RW, R, RW, RW | X };
	uint64_t size = morsel_size(a->order);
	char *p;

	if (kind == 2) /* leaves of its own */
		return mmap(NULL, PAGES * PAGE, RW, MAP_SHARED, a->fd,
			    a->first * PAGE);
	p = mmap(NULL, size, prots[kind], MAP_SHARED, a->fd, 0);
	return p == MAP_FAILED ? p : p + a->first * PAGE;
}

static int user(struct arena *a, int kind)
{
	char *p = map_pages(a, kind);
	int err = 0;

	need(p != MAP_FAILED);
	while (!a->stop && !err)
		err = use(a, random64() % PAGES, p, kind != 1);
	if (kind == 2)
		munmap(p, PAGES * PAGE);
	else
		unmap(p - a->first * PAGE, a->order);
	return err;
}

struct job {
	struct arena *a;
	int kind;
};

static int child(void *arg)
{
	struct job *job = arg;

	return user(job->a, job->kind);
}

static void *thread(void *arg)
{
	user(arg, 0);
	return NULL;
}

/* Takes frames from the same allocator, and looks whether they stay as they are. */
static int bystander(void *arg)
{
	struct arena *a = arg;
	size_t size = 64 * PAGE;

	while (!a->stop) {
		char *p = mmap(NULL, size, RW,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

		need(p != MAP_FAILED);
		for (size_t i = 0; i < 64; i++)
			*word(p, i) = stamp(i);
		sched_yield();
		for (size_t i = 0; i < 64; i++)
			if (*word(p, i) != stamp(i)) {
				a->failed++;
				a->stop = 1;
			}
		munmap(p, size);
	}
	return 0;
}

static bool met(const struct arena *a)
{
	return a->punches > 4 && a->holes > 4;
}

static void evict(unsigned int order)
{
	struct arena *a = shared(sizeof(*a));
	double start = now();
	pthread_t t;
	pid_t pids[5];
	struct job jobs[4];
	int failed = 0;
	char *p;

	*a = (struct arena){ .order = order, .fd = create(order, NULL),
			     .first = pages_of(order) / 2 };
	p = map_pages(a, 0);
	for (int i = 0; i < 4; i++) {
		jobs[i] = (struct job){ a, i };
		pids[i] = spawn(child, &jobs[i]);
	}
	pids[4] = spawn(bystander, a);
	pthread_create(&t, NULL, thread, a);

	while (!a->stop && goes_on(start, met(a))) {
		uint64_t first = random64() % PAGES, n, done;

		n = 1 + random64() % (PAGES - first);
		switch (random64() % 4) {
		case 0:
			failed |= madvise(p + first * PAGE, n * PAGE,
					  MADV_REMOVE);
			break;
		case 1: /* views that come and go meanwhile */
			failed |= madvise(p, PAGES * PAGE, MADV_DONTNEED);
			/* fall through */
		default:
			failed |= morsel_punch(a->fd, (a->first + first) * PAGE,
					       n * PAGE, &done);
		}
		a->punches++;
	}
	a->stop = 1;
	pthread_join(t, NULL);
	for (int i = 0; i < 5; i++)
		failed |= reap(pids[i]);
	ok(!failed && !a->failed,
	   "order %u: %lu punches, %lu uses, %lu holes seen: all see the same",
	   order, a->punches, a->uses, a->holes);
	ok(met(a), "order %u: they did meet", order);
	munmap(p - a->first * PAGE, morsel_size(order));
	destroy(a->fd);
	munmap(a, sizeof(*a));
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	split_time(max_order());
	for (unsigned int order = 1; order <= max_order(); order++)
		evict(order);
	return guest_done();
}

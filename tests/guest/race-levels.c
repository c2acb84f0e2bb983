// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two address spaces populate the same tables, at all levels and in step: one
 * life of a morsel after the other, each page the first of a table of one level
 * or another, by faults or in batches.  No page is ever two pages, and each life holds exactly the frames
 * that it needs.
 */
#include "guest.h"

#include <sched.h>

#define PAGES 64 /* in one life */
#define BATCH 64 /* pages */

struct arena {
	unsigned int order;
	atomic_int stop, failed;
	atomic_int here; /* of the two, counted up */
	uint64_t id;
	bool readers; /* one of the two maps it to read */
	bool batches; /* BATCH pages from each of the pages on, by the ioctl */
	uint64_t pages[PAGES]; /* ascending */
	uint64_t n;
	uint8_t turns[PAGES]; /* in this order they are touched */
	atomic_ulong lives, uses;
};

/* Both leave at the same moment; false when the other one is gone. */
static bool meet(struct arena *a, int round)
{
	long patience = 0;

	atomic_fetch_add(&a->here, 1);
	while (a->here < 2 * round) {
		if (a->failed)
			return false;
		/* Whoever is alone on the only processor left would wait long. */
		if (++patience % 10000 == 0)
			sched_yield();
	}
	return true;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Neighbours of a page that is there, by a level at random, or anywhere. */
static void choose_pages(struct arena *a)
{
	uint64_t all[PAGES];

	for (int i = 0; i < PAGES; i++) {
		unsigned int level = random64() % (a->order + 1);
		uint64_t near = i ? all[random64() % i] : 0;

		all[i] = (near ^ random64() % pages_of(level)) %
			 pages_of(a->order);
		if (a->batches)
			all[i] -= all[i] % BATCH;
	}
	qsort(all, PAGES, sizeof(*all), by_value);
	a->n = 0;
	for (int i = 0; i < PAGES; i++)
		if (!i || all[i] != all[i - 1])
			a->pages[a->n++] = all[i];
	for (unsigned int i = 0; i < a->n; i++) {
		unsigned int j = random64() % (i + 1);

		a->turns[i] = a->turns[j];
		a->turns[j] = i;
	}
}

/* One of the two, in one life. */
static int populate(struct arena *a, int who)
{
	bool reads = who && a->readers;
	int round = 0;
	char *p = map_id(a->id, reads ? R : RW);
	int fd = a->batches ? morsel_open(device(), a->id, 0) : -1;

	for (uint64_t i = 0; i < a->n; i++) {
		_Atomic uint64_t *w = word(p, a->pages[a->turns[i]]);

		if (!meet(a, ++round))
			return 1;
		if (a->batches)
			need(!morsel_populate(fd, a->pages[a->turns[i]] * PAGE,
					      BATCH * PAGE, NULL));
		if (reads)
			(void)*w;
		else
			atomic_fetch_add(w, 1);
		a->uses++;
	}
	if (!meet(a, ++round))
		return 1;
	for (uint64_t i = 0; i < a->n; i++)
		need(*word(p, a->pages[i]) == (a->readers ? 1 : 2));
	unmap(p, a->order);
	close(fd);
	return 0;
}

static int frames(struct arena *a, struct morsel_info i)
{
	uint64_t tables = tables_for(a->order, a->pages, a->n);

	need(i.data_frames == a->n * (a->batches ? BATCH : 1));
	/* Who reads has tables of its own, over the same pages. */
	need(i.table_frames == (a->readers ? 2 : 1) * tables);
	return 0;
}

struct job {
	struct arena *a;
	int who;
	atomic_int *life; /* counted up to begin one */
	atomic_int *over; /* by each of the two to end it */
};

static int lives(void *arg)
{
	struct job *job = arg;
	struct arena *a = job->a;

	for (int life = 1;; life++) {
		while (*job->life < life && !a->stop)
			sched_yield();
		if (a->stop)
			return 0;
		if (populate(a, job->who)) {
			a->failed = 1;
			return 1;
		}
		atomic_fetch_add(job->over, 1);
	}
}

static bool raced(const struct arena *a)
{
	return a->lives > 10;
}

static void levels(unsigned int order)
{
	struct {
		struct arena arena;
		atomic_int life, over;
	} *s = shared(sizeof(*s));
	struct arena *a = &s->arena;
	double start = now();
	struct job jobs[2];
	pid_t pids[2];

	a->order = order;
	for (int i = 0; i < 2; i++) {
		jobs[i] = (struct job){ a, i, &s->life, &s->over };
		pids[i] = spawn(lives, &jobs[i]);
	}
	while (!a->failed && goes_on(start, raced(a))) {
		int fd = create(order, &a->id);

		a->batches = random64() % 4 == 0;
		a->readers = random64() % 4 == 0;
		choose_pages(a);
		a->here = 0;
		s->life++;
		while (s->over < 2 * s->life && !a->failed)
			usleep(200);
		if (!a->failed && frames(a, info(fd)))
			a->failed = 1;
		/* Who failed still has it mapped, until it is reaped. */
		if (!a->failed)
			destroy(fd);
		else
			close(fd);
		a->lives++;
	}
	start = now() - start;
	a->stop = 1;
	for (int i = 0; i < 2; i++)
		is(reap(pids[i]), 0, "order %u: process %d", order, i);
	note("%lu lives, %lu times a page was touched, in %.1f s", a->lives,
	     a->uses, start);
	ok(!a->failed, "order %u: pages and frames are as they should be",
	   order);
	ok(raced(a), "order %u: there was a race", order);
	munmap(s, sizeof(*s));
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	split_time(max_order());
	for (unsigned int order = 1; order <= max_order() && !tap_failed; order++)
		levels(order);
	return guest_done();
}

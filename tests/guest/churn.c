// SPDX-License-Identifier: GPL-2.0-only
/*
 * Races over the life of morsels: creation, selection by ID and destruction
 * from all sides.
 */
#include "guest.h"

#include <pthread.h>
#include <sched.h>

#define STORM 2 /* processes that open whatever ID they see */

struct arena {
	_Atomic uint64_t id;
	atomic_int stop;
	atomic_ulong lives, busy, opened, missed;
	atomic_int fd, failed; /* fd: what is to be mapped, or -1 */
	atomic_int inside; /* somebody uses it */
};

/*
 * Makes one morsel after the other, tells its ID, and destroys it under the
 * storm.
 */
static int make_and_destroy(void *arg)
{
	struct arena *a = arg;

	while (!a->stop) {
		uint64_t id;
		int fd = create(random64() % 4, &id), err;
		char *p = map(fd, RW);

		*word(p, 0) = id;
		a->id = id;
		unmap(p, morsel_id_order(id));
		while ((err = morsel_destroy(fd)) == -EBUSY)
			a->busy++;
		need(!err);
		close(fd);
		a->lives++;
	}
	return 0;
}

/*
 * Who destroys wins at a moment when nobody uses it.  Where a busy host runs one
 * processor of the guest at a time, such moments have to be made.
 */
static void give_way(void)
{
	if (random64() % 4 == 0)
		usleep(random64() % 200);
}

/*
 * Opens, and when that works the morsel is alive and the right one as long as
 * it is open.
 */
static int open_what_is_told(void *arg)
{
	struct arena *a = arg;

	while (!a->stop) {
		uint64_t id = a->id;
		int fd = morsel_open(device(), id,
				     random64() % 2 ? MORSEL_OPEN_RDONLY : 0);
		struct morsel_info i;
		char *p;

		if (fd == -ENOENT) {
			a->missed++;
			continue;
		}
		need(fd >= 0);
		need(!morsel_info(fd, &i) && i.id == id);
		p = map(fd, R);
		need(*word(p, 0) == id);
		unmap(p, i.order);
		close(fd);
		a->opened++;
		give_way();
	}
	return 0;
}

static void storm(void)
{
	struct arena *a = shared(sizeof(*a));
	pid_t pids[STORM + 1];

	pids[0] = spawn(make_and_destroy, a);
	for (int i = 1; i <= STORM; i++)
		pids[i] = spawn(open_what_is_told, a);
	for (double start = now();
	     goes_on(start, a->lives > 10 && a->opened > 10);)
		usleep(10000);
	a->stop = 1;
	is(reap(pids[0]), 0, "destroyed amid opens by ID");
	for (int i = 1; i <= STORM; i++)
		is(reap(pids[i]), 0, "opened amid destruction");
	note("%lu lives, %lu times busy, %lu opens, %lu too late", a->lives,
	     a->busy, a->opened, a->missed);
	ok(a->lives > 10 && a->opened > 10, "there was a race");
	munmap(a, sizeof(*a));
}

/* Maps by a descriptor that may be destroyed under it: all of it or nothing. */
static int map_it(struct arena *a, int fd)
{
	struct morsel_info i;
	char *p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED) {
		need(errno == ESTALE);
		a->missed++;
		return 0;
	}
	need(!morsel_info(fd, &i) && i.mappings == 1);
	need(*word(p, 0) == 0 || *word(p, 0) == i.id);
	*word(p, 0) = i.id;
	need(*word(p, 0) == i.id);
	need(!munmap(p, PAGE));
	a->opened++;
	return 0;
}

static void *map_again_and_again(void *arg)
{
	struct arena *a = arg;

	run_on(1);
	while (!a->stop) {
		int fd;

		a->inside = 1;
		fd = a->fd;
		if (fd >= 0 && map_it(a, fd)) {
			a->failed = 1;
			a->stop = 1;
		}
		a->inside = 0;
		give_way();
	}
	return NULL;
}

/* One thread maps what the other one destroys, by the same descriptor. */
static void destroy_and_map(void)
{
	struct arena *a = shared(sizeof(*a));
	double start = now();
	pthread_t thread;

	a->fd = -1;
	run_on(0);
	pthread_create(&thread, NULL, map_again_and_again, a);
	while (!a->stop && goes_on(start, a->lives > 10 && a->opened > 10)) {
		unsigned long before = a->opened;
		int fd = create(random64() % 4, NULL), err;

		/* After it was mapped, or at the moment that it is for the first time. */
		a->fd = fd;
		if (random64() % 8 == 0)
			while (a->opened == before && !a->stop)
				sched_yield();
		else
			for (volatile int n = random64() % 4000; n > 0; n--)
				;
		while ((err = morsel_destroy(fd)) == -EBUSY)
			a->busy++;
		if (err)
			a->failed = 1;
		a->fd = -1;
		while (a->inside)
			sched_yield();
		close(fd);
		a->lives++;
	}
	a->stop = 1;
	pthread_join(thread, NULL);
	run_anywhere();
	note("%lu lives, %lu times busy, %lu mappings, %lu too late", a->lives,
	     a->busy, a->opened, a->missed);
	ok(!a->failed, "destroyed amid mapping, by one descriptor");
	ok(a->lives > 10 && a->opened > 10, "there was a race");
	munmap(a, sizeof(*a));
}

/* Whole lives, sized at random, on each CPU at once. */
static int live(void *arg)
{
	struct arena *a = arg;

	while (!a->stop) {
		unsigned int order = random64() % (max_order() + 1);
		uint64_t n = order ? 1 + random64() % 100 : 1;
		int fd = create(order, NULL);
		char *p = map(fd, RW), *q;

		put_stamps(p, order, n);
		q = map(fd, R);
		need(bad_stamps(q, order, n) == 0);
		need(info(fd).data_frames == n);
		if (random64() % 2)
			unmap(q, order);
		else
			munmap(q + morsel_size(order) / 2, PAGE);
		unmap(p, order);
		munmap(q, morsel_size(order));
		need(!morsel_destroy(fd));
		close(fd);
		a->lives++;
	}
	return 0;
}

static void lives(void)
{
	struct arena *a = shared(sizeof(*a));
	pid_t pids[3];

	for (int i = 0; i < 3; i++)
		pids[i] = spawn(live, a);
	for (double start = now(); goes_on(start, a->lives > 10);)
		usleep(10000);
	a->stop = 1;
	for (int i = 0; i < 3; i++)
		is(reap(pids[i]), 0, "whole lives in parallel");
	note("%lu lives", a->lives);
	ok(a->lives > 10, "there were some");
	munmap(a, sizeof(*a));
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	split_time(3);
	storm();
	destroy_and_map();
	lives();
	return guest_done();
}

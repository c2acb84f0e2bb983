/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes that use files at the same time, in rounds: each does its turns until
 * the round is over, or until one has found something wrong.  Between rounds nobody
 * does anything, and what must hold then is looked at.
 */
#ifndef CREW_H
#define CREW_H

#include "fs.h"

#include <pthread.h>
#include <sched.h>

#define CREW_MOST 12 /* processes of a race, and threads of a process */
#define CREW_COUNTS 8
#define CREW_LEAST 10 /* of each that is counted, or it has been no race */

struct crew {
	atomic_bool stop;
	atomic_int ready, wrong;
	atomic_ulong counts[CREW_COUNTS];
};

/* Shared by all processes of the test. */
static struct crew *crew;

struct hand {
	void (*begin)(void); /* in its process, before the first turn; or NULL */
	void (*turn)(void);
	unsigned int threads; /* more of them */
};

struct race {
	const struct hand *hands;
	unsigned int n;
	double seconds; /* of a round */
	void (*before)(void), (*after)(void); /* each round; or NULL */
	const char *const *counted; /* with a NULL at the end */
};

static inline void crew_count(int what)
{
	atomic_fetch_add_explicit(&crew->counts[what], 1, memory_order_relaxed);
}

#define crew_wrong(fmt, ...)                            \
	do {                                            \
		if (!atomic_fetch_add(&crew->wrong, 1)) \
			note(fmt, ##__VA_ARGS__);       \
		atomic_store(&crew->stop, true);        \
	} while (0)

static inline void *crew_turns(void *arg)
{
	const struct hand *hand = arg;

	while (!atomic_load(&crew->stop))
		hand->turn();
	return NULL;
}

static inline int crew_member(void *arg)
{
	const struct hand *hand = arg;
	pthread_t ids[CREW_MOST];

	if (hand->begin)
		hand->begin();
	atomic_fetch_add(&crew->ready, 1);
	for (unsigned int i = 0; i < hand->threads; i++)
		need(!pthread_create(&ids[i], NULL, crew_turns, arg));
	crew_turns(arg);
	for (unsigned int i = 0; i < hand->threads; i++)
		pthread_join(ids[i], NULL);
	return 0;
}

static inline void crew_round(const struct race *race)
{
	pid_t pids[CREW_MOST];
	int failed = 0;

	if (race->before)
		race->before();
	atomic_store(&crew->stop, false);
	atomic_store(&crew->ready, 0);
	for (unsigned int i = 0; i < race->n; i++)
		pids[i] = spawn(crew_member, (void *)&race->hands[i]);
	await(&crew->ready, race->n);
	for (double end = now() + race->seconds; now() < end && !crew->stop;)
		usleep(10000);
	atomic_store(&crew->stop, true);
	for (unsigned int i = 0; i < race->n; i++)
		failed += reap(pids[i]) != 0;
	if (failed)
		crew_wrong("%d processes have failed", failed);
	if (!crew->wrong && race->after)
		race->after();
}

static inline bool crew_enough(const struct race *race)
{
	for (int i = 0; race->counted[i]; i++)
		if (atomic_load(&crew->counts[i]) < CREW_LEAST)
			return false;
	return true;
}

/* For the time of -s, and longer while it has not been a race yet. */
static inline void crew_race(const struct race *race)
{
	double start = now();
	unsigned int rounds = 0;

	crew = shared(sizeof(*crew));
	do {
		crew_round(race);
		rounds++;
	} while (!crew->wrong &&
		 (now() - start < opt_seconds ||
		  (!crew_enough(race) && now() - start < opt_seconds + 120)));
	is(crew->wrong, 0, "nothing wrong was found in %u rounds", rounds);
	for (int i = 0; race->counted[i]; i++)
		ok(crew->counts[i] >= CREW_LEAST, "%s: %lu", race->counted[i],
		   crew->counts[i]);
}

/*
 * Places in a file: pages around the borders where tables end, of which there are
 * few, so that they meet.
 */
#define PLACES 24
#define SPAN (GIB + PLACES * PAGE)

static inline off_t place(unsigned int i)
{
	static const off_t start[] = { 0, 2 * MIB - 4 * PAGE, GIB - 4 * PAGE };

	return start[i % 3] + i / 3 * PAGE;
}

static inline off_t any_place(void)
{
	return place(random64() % PLACES);
}

/* The word of a file at an offset; of a seed, which tells files apart. */
static inline uint64_t word_of(off_t offset, unsigned int seed)
{
	uint64_t word;

	fill((char *)&word, offset, sizeof(word), seed);
	return word;
}

/*
 * Is it zero or the file's own, byte by byte?  The kernel copies and clears bytes:
 * who looks meanwhile may find some of both.
 */
static inline bool word_fits(uint64_t got, off_t offset, unsigned int seed)
{
	uint64_t differ = got ^ word_of(offset, seed);

	for (int i = 0; i < 64; i += 8)
		if (got >> i & 0xff && differ >> i & 0xff)
			return false;
	return true;
}

/* Pages of which a file says that they have data. */
static inline long pages_there(int fd)
{
	off_t data = 0, hole = 0;
	long pages = 0;

	while ((data = lseek(fd, hole, SEEK_DATA)) >= 0) {
		hole = lseek(fd, data, SEEK_HOLE);
		pages += (hole + PAGE - 1) / PAGE - data / PAGE;
	}
	return pages;
}

/* Pages that it takes, wherever they are; its tables are none. */
static inline long pages_taken(int fd)
{
	return status(fd).st_blocks * 512 / PAGE - tables(fd);
}

#endif /* CREW_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * time.c - how long recovery and moving take, by the number of pages
 *
 * A pool with 8 GiB in one file, or in as many as are asked for, whose pages nobody
 * touches: 4096 tables with 2^21 leaves.  Recovery by one worker and several in turn.
 *
 * time [WORKERS [ROUNDS [FILES]]]
 */
#include <stdio.h>
#include <time.h>

#include "steady.h"

#define PAGES	(1ull << 21)
#define FRAMES	(PAGES + PAGES / 256)
#define ROUNDS	64u

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static double recovery(unsigned int workers)
{
	struct morsel_pool_found found;
	double begin, end;

	steady_forget();
	begin = now();
	if (morsel_pool_recover(&steady_pool, true, workers, &found))
		abort();
	end = now();
	if (found.pages < PAGES || found.tables < PAGES / MORSEL_ENTRIES)
		abort();
	return end - begin;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void report(const char *what, unsigned int workers, double *times,
		   unsigned int n)
{
	qsort(times, n, sizeof(*times), by_value);
	printf("%s by %u: %.1f ms [%.1f, %.1f], %.2f ns per page\n", what, workers,
	       times[n / 2] / 1e6, times[0] / 1e6, times[n - 1] / 1e6,
	       times[n / 2] / PAGES);
}

static unsigned int argument(int argc, char **argv, int i, unsigned int least,
			     unsigned int otherwise, unsigned int most)
{
	unsigned long value = i < argc ? strtoul(argv[i], NULL, 0) : otherwise;

	return value < least ? least : min(value, most);
}

int main(int argc, char **argv)
{
	unsigned int workers = argument(argc, argv, 1, 1, 2, 64);
	unsigned int rounds = argument(argc, argv, 2, 1, 5, ROUNDS);
	unsigned int files = argument(argc, argv, 3, 1, 1, 999), i;
	double one[ROUNDS], several[ROUNDS], begin;
	const char *why;

	if (steady_make(FRAMES))
		return 1;
	for (i = 0; i < files; i++) {
		/* The last one has what is left. */
		u64 pages = PAGES / files + (i == files - 1 ? PAGES % files : 0);

		steady_populate(steady_file(i, pages * MORSEL_PAGE_SIZE), 0, pages - 1);
	}
	for (i = 0; i < rounds; i++) {
		one[i] = recovery(1);
		several[i] = recovery(workers);
	}
	report("recovery", 1, one, rounds);
	report("recovery", workers, several, rounds);
	morsel_arena -= 8 * MORSEL_ENTRIES;
	morsel_pool_init(&steady_pool, 8, &steady_source);
	begin = now();
	if (morsel_pool_check_super(&steady_pool, FRAMES, &why) ||
	    morsel_pool_move(&steady_pool, &why))
		abort();
	begin = now() - begin;
	report("move", 1, &begin, 1);
	return 0;
}

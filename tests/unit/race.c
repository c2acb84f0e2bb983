// SPDX-License-Identifier: GPL-2.0-only
/*
 * race.c - threads that populate the same tree
 *
 * Each thread notes the frame it got for each page.  All must agree, exactly
 * one must have been told that it added the page, and no frame of a loser may
 * be lost: the counts are exact at the end.
 */
#include <pthread.h>

#include "arena.h"
#include "tap.h"
#include "tree.h"

#define THREADS	4
#define PAGES	2048u
#define ROUNDS	8

static struct morsel_tree tree;
static u64 got[THREADS][PAGES];
static int added[THREADS][PAGES];
static u64 stride;
static pthread_barrier_t barrier;

static void *populate(void *arg)
{
	long me = (long)arg;
	unsigned int i;

	pthread_barrier_wait(&barrier);
	for (i = 0; i < PAGES; i++) {
		/* Even threads from the front, odd ones from the back. */
		unsigned int n = me & 1 ? PAGES - 1 - i : i;

		added[me][n] = arena_populate(&tree, n * stride,
						    &got[me][n]);
		if (added[me][n] < 0)
			abort();
	}
	return NULL;
}

static void run(unsigned int order)
{
	bool agree = true, once = true;
	pthread_t thread[THREADS];
	long t, tables = -1;
	int round;

	stride = morsel_level_pages(order) / PAGES;
	if (!stride)
		stride = 1;
	for (round = 0; round < ROUNDS; round++) {
		unsigned int n, pages = PAGES;

		if (morsel_level_pages(order) < pages)
			return;
		arena_reset();
		morsel_tree_init(&tree, &arena, order);
		pthread_barrier_init(&barrier, NULL, THREADS);
		for (t = 0; t < THREADS; t++)
			pthread_create(&thread[t], NULL, populate, (void *)t);
		for (t = 0; t < THREADS; t++)
			pthread_join(thread[t], NULL);
		pthread_barrier_destroy(&barrier);

		for (n = 0; n < pages; n++) {
			int sum = 0;

			for (t = 0; t < THREADS; t++) {
				agree &= got[t][n] == got[0][n];
				sum += added[t][n];
			}
			once &= sum == 1 && got[0][n] ==
				morsel_tree_lookup(&tree, n * stride);
		}
		agree &= arena_data() == PAGES;
		agree &= tables < 0 || tables == arena_tables();
		tables = arena_tables();
		agree &= arena_empties_intact();
		morsel_tree_destroy(&tree);
		agree &= !arena_data() && !arena_tables();
	}
	ok(agree, "order %u: all threads agree, no loser's frame is lost",
	   order);
	ok(once, "order %u: each page was added once", order);
}

int main(void)
{
	unsigned int order;

	for (order = 2; order < MORSEL_LEVELS; order++)
		run(order);
	return done();
}

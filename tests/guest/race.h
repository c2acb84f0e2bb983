/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Races over views of one morsel: its address spaces change their mappings
 * while others fault and use the same tables.  In each, one process runs
 * change() beside a thread of its own, and beside a second process.
 */
#ifndef RACE_H
#define RACE_H

#include "guest.h"

#define N 1024 /* pages with a stamp */

struct arena {
	unsigned int order;
	uint64_t id;
	atomic_int stop;
	/*
	 * Counted up before a change and after it: what was the case all through
	 * an even turn is known.
	 */
	atomic_ulong turn;
	atomic_ulong changes, uses, refused;
};

struct race {
	const char *name;
	/* In a loop until told to stop; beside it (or NULL); in the other. */
	int (*change)(struct arena *a, char *p);
	int (*thread)(struct arena *a, char *p);
	int (*peer)(struct arena *a, char *p);
	/* Set up, and looked at in the end, by who has no part in it; or NULL. */
	void (*before)(int fd, unsigned int order);
	void (*after)(int fd, unsigned int order);
};

/* Where change() has the morsel, and where it may take it to. */
char *race_home(const struct arena *a);
char *race_away(const struct arena *a);

/* One stamp; all of them until the end. */
int check_one(struct arena *a, char *p);
int check_many(struct arena *a, char *p);
/* Checks, and populates pages that nobody has touched, so tables change too. */
int populate_one(struct arena *a, char *p);
int check_and_populate(struct arena *a, char *p);
/*
 * One stamp, where the morsel comes and goes: it is there while the turn modulo
 * 4 is @when, and not while it is another even number.
 */
int look(struct arena *a, char *p, unsigned long when);

/* The race in one morsel; and the whole of a test: in one of each order. */
void race_run(const struct race *race, unsigned int order);
int race_main(int argc, char **argv, const struct race *race);

#endif /* RACE_H */

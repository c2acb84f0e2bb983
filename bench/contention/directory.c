// SPDX-License-Identifier: GPL-2.0-only
/*
 * directory.c - who has which cache line, and in which state
 *
 * Caches are private, of unlimited size, and kept coherent by invalidation: a
 * line is modified in one cache, or it is clean in any number.  What no cache
 * has comes from memory.
 *
 * Lines are spread over many tables, each under its own lock.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "directory.h"

#define TABLES 1024
#define ROOM_FIRST 256

/* @holders 0: this place is free. */
struct line {
	uint64_t number;
	uint64_t holders;
	bool modified;
};

struct table {
	pthread_mutex_t lock;
	struct line *lines;
	unsigned int used, room;
};

static struct table tables[TABLES] = {
	[0 ... TABLES - 1] = { .lock = PTHREAD_MUTEX_INITIALIZER },
};

static uint64_t hash(uint64_t number)
{
	return number * 0x9e3779b97f4a7c15;
}

static struct table *table_of(uint64_t number)
{
	return &tables[hash(number) >> 54];
}

/* The line, or the place for it. */
static struct line *find(struct table *t, uint64_t number)
{
	unsigned int i = hash(number) >> 20;

	for (;; i++) {
		struct line *line = &t->lines[i & (t->room - 1)];

		if (!line->holders || line->number == number)
			return line;
	}
}

static void grow(struct table *t)
{
	struct line *old = t->lines;
	unsigned int room = t->room;

	t->room = room ? 2 * room : ROOM_FIRST;
	t->lines = calloc(t->room, sizeof(*t->lines));
	if (!t->lines)
		abort();
	for (unsigned int i = 0; i < room; i++)
		if (old[i].holders)
			*find(t, old[i].number) = old[i];
	free(old);
}

static struct line *get(struct table *t, uint64_t number)
{
	struct line *line;

	if (2 * t->used >= t->room)
		grow(t);
	line = find(t, number);
	if (!line->holders) {
		line->number = number;
		line->modified = false;
		t->used++;
	}
	return line;
}

void directory_clear(void)
{
	for (unsigned int i = 0; i < TABLES; i++) {
		struct table *t = &tables[i];

		pthread_mutex_lock(&t->lock);
		if (t->lines)
			memset(t->lines, 0, t->room * sizeof(*t->lines));
		t->used = 0;
		pthread_mutex_unlock(&t->lock);
	}
}

bool directory_read(unsigned int cpu, uint64_t number)
{
	struct table *t = table_of(number);
	uint64_t me = UINT64_C(1) << cpu;
	bool transfer = false;
	struct line *line;

	pthread_mutex_lock(&t->lock);
	line = get(t, number);
	if (!(line->holders & me)) {
		transfer = line->modified;
		line->modified = false;
		line->holders |= me;
	}
	pthread_mutex_unlock(&t->lock);
	return transfer;
}

unsigned int directory_write(unsigned int cpu, uint64_t number)
{
	struct table *t = table_of(number);
	uint64_t me = UINT64_C(1) << cpu;
	unsigned int others;
	struct line *line;

	pthread_mutex_lock(&t->lock);
	line = get(t, number);
	others = __builtin_popcountll(line->holders & ~me);
	line->holders = me;
	line->modified = true;
	pthread_mutex_unlock(&t->lock);
	return others;
}

// SPDX-License-Identifier: GPL-2.0-only
/* tally.c - transfers of a run; see tally.h.  The caller serialises. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tally.h"

#define HOT_LINES 40

/* Transfers of one line by one instruction; @count 0: a free place. */
struct entry {
	struct transfer transfer; /* the first one */
	uint64_t count, of_line;
};

static struct entry *entries;
static size_t used, room;

static bool same(const struct transfer *a, const struct transfer *b)
{
	return a->line == b->line && a->pc == b->pc;
}

static struct entry *find(const struct transfer *t)
{
	size_t i = ((t->line ^ t->pc << 32) * 0x9e3779b97f4a7c15) >> 20;

	for (;; i++) {
		struct entry *e = &entries[i & (room - 1)];

		if (!e->count || same(&e->transfer, t))
			return e;
	}
}

static void grow(void)
{
	struct entry *old = entries;
	size_t old_room = room;

	room = room ? 2 * room : 4096;
	entries = calloc(room, sizeof(*entries));
	if (!entries)
		abort();
	for (size_t i = 0; i < old_room; i++)
		if (old[i].count)
			*find(&old[i].transfer) = old[i];
	free(old);
}

void tally_clear(void)
{
	if (entries)
		memset(entries, 0, room * sizeof(*entries));
	used = 0;
}

void tally_add(const struct transfer *t)
{
	struct entry *e;

	if (2 * used >= room)
		grow();
	e = find(t);
	if (!e->count) {
		e->transfer = *t;
		used++;
	}
	e->count++;
}

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int by_line(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return compare(x->transfer.line, y->transfer.line);
}

static int by_pc(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return compare(x->transfer.pc, y->transfer.pc);
}

/* The hottest line first, and of each line the hottest instruction. */
static int by_heat(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return compare(y->of_line, x->of_line) ?:
		       by_line(a, b)	       ?:
						 compare(y->count, x->count);
}

/* From table to array. */
static void pack(void)
{
	size_t n = 0;

	for (size_t i = 0; i < room; i++)
		if (entries[i].count)
			entries[n++] = entries[i];
}

static void write_instructions(FILE *to)
{
	uint64_t sum = 0, lines = 0;

	qsort(entries, used, sizeof(*entries), by_pc);
	for (size_t i = 0; i < used; i++) {
		sum += entries[i].count;
		lines++;
		if (i + 1 < used && !by_pc(&entries[i], &entries[i + 1]))
			continue;
		fprintf(to, "instruction %#lx %lu %lu\n",
			entries[i].transfer.pc, sum, lines);
		sum = 0;
		lines = 0;
	}
}

static void write_lines(FILE *to)
{
	size_t first, i, k, lines = 0;

	qsort(entries, used, sizeof(*entries), by_line);
	for (first = 0; first < used; first = i) {
		uint64_t sum = 0;

		for (i = first; i < used; i++) {
			if (by_line(&entries[first], &entries[i]))
				break;
			sum += entries[i].count;
		}
		for (k = first; k < i; k++)
			entries[k].of_line = sum;
	}

	qsort(entries, used, sizeof(*entries), by_heat);
	for (i = 0; i < used && lines <= HOT_LINES; i++) {
		struct entry *e = &entries[i];

		if (!i || by_line(e, e - 1)) {
			if (++lines > HOT_LINES)
				break;
			fprintf(to, "line %#lx %lu\n", e->transfer.line,
				e->of_line);
		}
		fprintf(to, "at %#lx %#lx %lu\n", e->transfer.vaddr,
			e->transfer.pc, e->count);
	}
}

void tally_write(FILE *to)
{
	pack();
	write_instructions(to);
	write_lines(to);
	tally_clear();
}

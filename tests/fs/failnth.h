/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each operation of a file system with each of its allocations failing in turn.
 *
 *   failnth.c        the tries, and what must hold after each
 *   failnth-state.c  what there is: names, attributes, content
 *   failnth-names.c  operations on names and attributes, handles, mounts
 *   failnth-data.c   operations on content, by descriptor
 *   failnth-maps.c   operations on content, by mapping
 *
 * Each runs in an empty directory of its own, in which state_make() has made the
 * files "data" and "other", and state_make_names() what operations on names find.
 */
#ifndef FS_FAILNTH_H
#define FS_FAILNTH_H

#include "fs.h"

#include "../guest/failnth.h"

#define WINDOWS 3
#define WINDOW (4 * PAGE)
#define SPAN (GIB + 2 * PAGE)

/* What "data" has in it: nothing, a page, all windows. */
enum base { EMPTY, PAGE_ONE, FULL };

struct op {
	const char *name;
	enum base base;
	int (*before)(void); /* what else it needs; or NULL */
	int (*run)(void); /* 0 or an errno */
	/* It may have done a part of what it does to "data" when it fails. */
	bool parts;
};

extern const struct op on_names[], on_data[], on_maps[];
extern const size_t n_on_names, n_on_data, n_on_maps;

/* Names with all that they have, one a line; and the content of "data". */
struct state {
	char names[8 * KIB];
	off_t size;
	char data[WINDOWS][WINDOW];
};

off_t window(unsigned int n);
void state_make(enum base base);
void state_make_names(void);
void state_take(struct state *s);
bool state_same(const struct state *a, const struct state *b);
/* Every byte of "data" is as in one of both, and all names are as in @from. */
bool state_between(const struct state *s, const struct state *from,
		   const struct state *to);
/* A mapping of "data" has the same in it. */
bool state_mapped(const struct state *s);

/* 0 where all was done, else why not. */
static inline int all_done(ssize_t done, size_t wanted)
{
	return done < 0 ? errno : done == (ssize_t)wanted ? 0 : ENOMEM;
}

#endif /* FS_FAILNTH_H */

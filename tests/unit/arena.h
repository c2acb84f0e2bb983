/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * arena.h - a source of frames for tests, which knows the state of each frame
 *
 * Freeing what is free, freeing as the wrong kind, and freeing a table that
 * still names a child abort the program.
 */
#ifndef ARENA_H
#define ARENA_H

#include "tree.h"

#define ARENA_FRAMES	(1u << 16)
#define ARENA_LEAF	0x8000000000000267ull	/* NX, special, dirty, RW */
#define ARENA_TABLE	0x67ull

extern struct morsel_source arena;

void arena_reset(void);
/* Frames in use; those of the shared empty tables are not counted. */
long arena_data(void);
long arena_tables(void);
/* The @n-th allocation from now fails, and all after it; 0: none does. */
void arena_fail_after(long n);
/* From now on who wants to fill is killed while waiting; or not any more. */
void arena_kill(bool kill);
/* From now on nobody may fill this page, nor any behind it. */
void arena_set_limit(u64 first);
/* Whether all entries of the shared empty tables are as they were made. */
bool arena_empties_intact(void);

/* What a punch does around taking pages out: nobody fills meanwhile. */
void arena_hold(void);
void arena_release(void);
/* A page of the arena comes back to it. */
void arena_take(void *unused, u64 pfn);

/* One page; also says which frame it has. */
static inline int arena_populate(struct morsel_tree *tree, u64 index, u64 *pfn)
{
	int ret = morsel_tree_populate(tree, index, index, NULL);

	*pfn = morsel_tree_lookup(tree, index);
	return ret;
}

#endif /* ARENA_H */

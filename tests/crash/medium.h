/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * medium.h - a persistent medium that can lose its power after every store
 *
 * It is the arena that frames are numbers of.  Every store to it goes through one of
 * the primitives of plat.h, which tells us.  Caches persist (eADR), so that what is
 * left after a crash is the memory as it is; or they do not (ADR), and of what was
 * stored since the last medium_persist() of its line there is left, for each line by
 * itself, any number of stores from the first one on.
 */
#ifndef MEDIUM_H
#define MEDIUM_H

#include "pool.h"

#define MEDIUM_FRAMES	96u	/* of the pool */
#define MEDIUM_BYTES	(MEDIUM_FRAMES * MORSEL_PAGE_SIZE)

/* What is done with each image that a crash can leave. */
typedef void medium_crash(void *image);

extern struct morsel_source medium_source;
extern bool medium_adr;
/* Of moments with very much that is not persistent look at few only: of a move. */
extern bool medium_thin;
/* Look at more of what can be left of who mends. */
extern bool medium_thorough;

/*
 * Where the machine has it, or a copy of it: the number of its first frame, from the next
 * medium_put() on.
 */
extern u64 medium_base;
/* A copy is what frames are in, at medium_base; returns what was. */
void *medium_put(void *copy);
void *medium_memory(void);
/* All of an image that was ever in use. */
void medium_copy(void *to, const void *from);
size_t medium_used(void);

/* All zeroes, and no crash. */
void medium_reset(void);
/* From here on each store is followed by all crashes there can be then. */
void medium_arm(medium_crash *crash);
void medium_disarm(void);
/*
 * As medium_arm(), where the memory is as it was at the last medium_disarm(): what was
 * not persistent then is not, unless there is very much of it.
 */
void medium_go_on(medium_crash *crash);
/*
 * And so is each store to an image, of who mends it, as long as that is the arena and
 * fewer than @few stores to it are not persistent; and else one of @every.  All that is
 * in it now is persistent.
 */
void medium_arm_image(medium_crash *crash, unsigned int few, unsigned int every);
void medium_disarm_image(void);
/* All that was stored to the arena, or to the image that it is, is persistent. */
bool medium_persistent(void);
/* All crashes that there can be now. */
void medium_look(medium_crash *crash);

/*
 * Who interleaves is asked whether a store is worth a crash, and called where others may
 * do something: after stores, before atomic operations, after lines were written back.
 */
struct medium_racing {
	bool (*worth)(const void *p);
	void (*turn)(const void *p);
};
extern const struct medium_racing *medium_racing;

/* Images that were looked at; and those that were left out, of too many. */
unsigned long medium_states(void);
unsigned long medium_sampled(void);
/* Stores to what is in use, whether it crashes or not. */
unsigned long medium_stores(void);
/* This one was not looked at. */
void medium_skip(void);

/* The pool whose frames the source hands out. */
void medium_use(struct morsel_pool *pool);
/*
 * The n-th frame from now cannot be had; 0: all can.  No crash comes before the one before it
 * was: who does without that one has looked at those.
 */
void medium_fail_after(long n);

#endif /* MEDIUM_H */

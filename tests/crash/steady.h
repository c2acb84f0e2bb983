/* SPDX-License-Identifier: GPL-2.0-only */
/* steady.h - a pool in memory that never loses its power, as large as it has to be */
#ifndef STEADY_H
#define STEADY_H

#include "pool.h"

extern struct morsel_pool steady_pool;
extern struct morsel_source steady_source;

/* An empty one of so many frames; its memory is there when it is touched. */
int steady_make(u64 frames);
/* Nothing is in use, as far as is known, and so recovery can begin. */
void steady_forget(void);
/* A file in the root directory, by the number that it has there, below 1000. */
struct morsel_pool_inode *steady_file(unsigned int number, u64 bytes);
/* Pages of it from @first to @last. */
void steady_populate(struct morsel_pool_inode *inode, u64 first, u64 last);

#endif /* STEADY_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* judge.h - is what a crash has left as it has to be? */
#ifndef JUDGE_H
#define JUDGE_H

#include "disk.h"

#define TEXT 8192

/* What it is to be, one or the other; the name of what is being done. */
extern char judge_before[TEXT], judge_after[TEXT];
extern const char *judge_doing;
/* A pool is being made, so that there may be none. */
extern bool judge_formatting;
/* What was not so, so far. */
extern unsigned int judge_violations;
/* Who wants to know only whether anything fails has seen enough when it does. */
extern bool judge_first_only;
void judge_end_if_failed(void);

/* Who knows better than by these texts whether it is what it is to be. */
extern bool (*judge_otherwise)(struct disk *disk);
/* Of an image; for medium_arm(). */
void judge(void *image);
/* Is a frame in use that nothing leads to, or the other way round? */
bool judge_leaks(struct disk *disk);

#endif /* JUDGE_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* A process that does one thing whenever it is asked, and says what came of it. */
#ifndef BENCH_SERVANT_H
#define BENCH_SERVANT_H

#include "bench.h"

struct servant {
	pid_t pid;
	int ask, answer;
};

/*
 * Forks; the child calls @start, then @serve for each question.  When this
 * returns, @start has.
 */
struct servant servant_start(void (*start)(void *), double (*serve)(void *),
			     void *with);
double servant_ask(struct servant *s);
/* The process ends, and is gone. */
void servant_stop(struct servant *s);

#endif /* BENCH_SERVANT_H */

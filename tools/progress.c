// SPDX-License-Identifier: GPL-2.0-only
/*
 * The progress bar.
 */
#include <stdio.h>
#include <unistd.h>

#include "tool.h"

#define FIRST_SECONDS 1.0
#define REDRAW_SECONDS 0.1
#define BAR_WIDTH 30

static double elapsed(const struct progress *p)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - p->start.tv_sec) +
	       (now.tv_nsec - p->start.tv_nsec) / 1e9;
}

void progress_start(struct progress *p, const char *verb, uint64_t total)
{
	p->verb = verb;
	p->total = total;
	p->next = isatty(STDERR_FILENO) ? FIRST_SECONDS : -1;
	p->drawn = false;
	clock_gettime(CLOCK_MONOTONIC, &p->start);
}

void progress_update(struct progress *p, uint64_t done)
{
	static const char full[BAR_WIDTH + 1] =
		"##############################";
	char size[16], rate[16];
	double now;

	if (p->next < 0)
		return;
	now = elapsed(p);
	if (now < p->next)
		return;
	p->next = now + REDRAW_SECONDS;
	p->drawn = true;

	human_size(size, sizeof(size), done);
	human_size(rate, sizeof(rate), done / now);
	if (p->total && done <= p->total) {
		double part = (double)done / p->total;

		fprintf(stderr, "\r%s [%-*.*s] %3.0f%%  %s, %s/s\033[K",
			p->verb, BAR_WIDTH, (int)(part * BAR_WIDTH), full,
			part * 100, size, rate);
	} else {
		fprintf(stderr, "\r%s %s, %s/s\033[K", p->verb, size, rate);
	}
}

void progress_end(struct progress *p)
{
	if (p->drawn)
		fprintf(stderr, "\r\033[K");
}

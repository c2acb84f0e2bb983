// SPDX-License-Identifier: GPL-2.0-only
/* Times and their quantiles; see sample.h. */
#include "sample.h"

#include <stdlib.h>
#include <time.h>

#include "demo.h"

void sample_add(struct sample *s, double t)
{
	if (s->n < SAMPLE_MAX)
		s->t[s->n++] = t;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double sample_quantile(struct sample *s, double q)
{
	qsort(s->t, s->n, sizeof(*s->t), compare);
	return s->t[(int)(q * (s->n - 1) + 0.5)];
}

void sample_print(struct sample *s)
{
	printf("  %9.3f [%8.3f %8.3f]", sample_median(s) * 1e3,
	       sample_quantile(s, 0.1) * 1e3, sample_quantile(s, 0.9) * 1e3);
}

void print_bar(const char *what, double value, const char *limit, int met)
{
	printf("%s  %s: %.2f (%s)\n", met ? "bar met   " : "bar missed", what,
	       value, limit);
}

double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

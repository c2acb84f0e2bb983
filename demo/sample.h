/* SPDX-License-Identifier: GPL-2.0-only */
/* Times of one thing, measured again and again, their quantiles, and bars. */
#ifndef SAMPLE_H
#define SAMPLE_H

#define SAMPLE_MAX 512

struct sample {
	int n;
	double t[SAMPLE_MAX];
};

void sample_add(struct sample *s, double t);
/* @q from 0 to 1; sorts what is there. */
double sample_quantile(struct sample *s, double q);
static inline double sample_median(struct sample *s)
{
	return sample_quantile(s, 0.5);
}

/* Median, 10th and 90th percentile in ms, as a column of a table. */
void sample_print(struct sample *s);
void print_bar(const char *what, double value, const char *limit, int met);

#endif /* SAMPLE_H */

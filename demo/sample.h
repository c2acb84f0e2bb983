/* SPDX-License-Identifier: GPL-2.0-only */
/* Times of one thing, measured again and again, and their quantiles. */
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

#endif /* SAMPLE_H */

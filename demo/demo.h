/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The demonstration: a file handed over in a morsel (handover.c), then what
 * that costs beside POSIX shared memory (bench.c), and what it costs to have
 * the memory at all (population.c).
 */
#ifndef DEMO_H
#define DEMO_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>

#include <morsel.h>

#define MIB (1 << 20)

#define DIGEST_BYTES 32

/* Says why on one line, and leaves with a failure. */
#define die(fmt, ...)                                                     \
	do {                                                              \
		fprintf(stderr, "morsel-demo: " fmt "\n", ##__VA_ARGS__); \
		exit(1);                                                  \
	} while (0)

/* Says why on one line, for a caller that has something to clean up. */
#define fail(fmt, ...) \
	(fprintf(stderr, "morsel-demo: " fmt "\n", ##__VA_ARGS__), 1)

/* An open file and its size; only regular files that fit a 1-GiB morsel. */
struct input {
	const char *name;
	int fd;
	size_t size;
};

void input_open(struct input *in, const char *name);
void sha256(const void *data, size_t size, unsigned char *digest);
void sha256_file(const struct input *in, unsigned char *digest);

/* The writing side; it starts the other one. Return 0 or 1, as main() does. */
int handover(int dev, const char *file);
/* The reading side, a program of its own: the ID comes by standard input. */
int handover_reader(int dev, const char *file);

/* Tables and bars, touching as @prot says: 0, or 1 when frames were lost. */
int bench(int dev, int prot);
/* Explicit population, beside shared memory. */
void population(int dev);

double seconds(void);

#endif /* DEMO_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the benchmarks share: one that is run, the results it leaves, and how to
 * say why it cannot go on.  The kinds of memory that are compared are in memory.h.
 */
#ifndef BENCH_H
#define BENCH_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/types.h>

#include <morsel.h>

#define KIB (1ul << 10)
#define MIB (1ul << 20)
#define GIB (1ul << 30)
#define PAGE ((size_t)MORSEL_PAGE_SIZE)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Says why on one line, and leaves with a failure. */
#define die(fmt, ...)                                                      \
	do {                                                               \
		fprintf(stderr, "morsel-bench: " fmt "\n", ##__VA_ARGS__); \
		exit(1);                                                   \
	} while (0)

/* What the caller of a benchmark may choose. */
struct options {
	int rounds; /* 0: the benchmark's own number */
	bool quick; /* everything small: does it work, not how fast is it */
	const char *file; /* of the model, or NULL: one is made */
	const char *dir; /* on a disk, for files */
	const char *morselfs, *tmpfs; /* directories in such, or NULL */
	const char *repository; /* that is cloned and built, or NULL */
	int cpus; /* that may be used */
};

struct benchmark {
	const char *name, *what;
	void (*run)(const struct options *);
	int rounds;
};

extern const struct benchmark benchmark_faults, benchmark_populate,
	benchmark_map, benchmark_attach, benchmark_growth, benchmark_transfer,
	benchmark_model, benchmark_processes, benchmark_fork, benchmark_files,
	benchmark_build;

/*
 * Results.  A series is one number measured again and again: of a metric, for
 * one peer, at one place of an axis (threads, pages ...; NULL: there is none).
 * Made when it is first asked for.
 */
struct series;

struct series *series(const char *metric, const char *unit, const char *peer,
		      const char *axis, double x);
void series_add(struct series *s, double value);
/* While on, nothing is added: a round that warms up. */
void series_ignore(bool on);
/* Something that was chosen, a size for one; stands among the options. */
void result_option(const char *key, int64_t value);
/* A peer that cannot be had here, and why; said once. */
void result_missing(const char *peer, const char *why);
/* Median, 10th and 90th percentile of every series, for people. */
void result_print(void);
/* All of it and all there is to know of the machine, as JSON. */
void result_write(const char *name, const struct options *o, FILE *to);

/* Monotonic, in seconds. */
double seconds(void);

/*
 * Each round runs every step once, so that peers share what the machine does
 * meanwhile; the first round warms up and does not count.  Shows how far it is.
 */
struct step {
	/* Returns what it measured, or a negative number: nothing. */
	double (*run)(void *with);
	void *with;
	struct series *to;
};

void rounds_run(const struct step *steps, int n, int rounds);
void progress(const char *what, double part);
extern const char *benchmark_name; /* that runs */

/* Waits for a child; anything but an end with 0 is the end of the benchmark, too. */
void child_wait(pid_t pid);
/* Runs on one processor of those there are. */
void pin_to(int cpu);
/* A number of a file of the kernel, or -1. */
long long number_in(const char *file, const char *key);
int device(void);

#endif /* BENCH_H */

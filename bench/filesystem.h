/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file systems that are compared: morselfs and tmpfs, mounted by the caller of
 * the benchmark, with a directory of its own in each.
 */
#ifndef BENCH_FILESYSTEM_H
#define BENCH_FILESYSTEM_H

#include "bench.h"

#define FILESYSTEMS 2

struct filesystem {
	const char *name;
	char *dir; /* empty at first, gone at the end with all that is in it */
};

/* Those that there are; another one stands in the results as missing. */
int filesystems(const struct options *o, struct filesystem fs[FILESYSTEMS]);
/* What is to be freed. */
char *filesystem_path(const struct filesystem *fs, const char *name);
/* A directory with all that is in it, or a file. */
void filesystem_remove(const char *path);

#endif /* BENCH_FILESYSTEM_H */

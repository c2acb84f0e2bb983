/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random operations on files against a model in memory, after Avadis Tevanian's
 * fsx.  All of a process follows from its seed:
 *
 *   fsx.c        options, processes, what is reported
 *   fsx-model.c  what a file must hold, and how a process compares
 *   fsx-ops.c    operations by descriptor
 *   fsx-maps.c   operations by mapping
 *
 * A process has files of its own, or shares one with others, who each have bytes
 * of their own in it; then its size is fixed.  Data are only ever in a few windows:
 * at the start and across the borders of 2 MiB and 1 GiB, where tables end.
 */
#ifndef FSX_H
#define FSX_H

#include "fs.h"

#define FILES 2
#define WINDOWS 3
#define WINDOW (256 * KIB)
#define SPAN (GIB + WINDOW / 2)
#define LENGTH (64 * KIB) /* of one operation, at most */
#define LOG 24 /* operations that are shown when one went wrong */

struct fsx_file {
	char name[32];
	int fd;
	off_t size;
	char *map; /* a page more than all windows, shared */
	char *model; /* zero from the size on */
};

struct fsx {
	uint64_t seed, random, operation;
	unsigned int slice, slices; /* its part of the windows */
	bool alone; /* may change sizes */
	struct fsx_file files[FILES];
	char *buffer;
	char log[LOG][96];
};

struct range {
	off_t from;
	size_t len;
};

struct operation {
	const char *name;
	bool alone; /* changes the size */
	void (*run)(struct fsx *x, struct fsx_file *f);
};

extern const struct operation fsx_ops[], fsx_maps[];
extern const unsigned int fsx_n_ops, fsx_n_maps;

/* Ends the process. */
__attribute__((format(printf, 2, 3), noreturn)) void
wrong(struct fsx *x, const char *fmt, ...);
#define must(x, cond)                                      \
	do {                                               \
		if (!(cond))                               \
			wrong(x, "%s is false: %s", #cond, \
			      strerrorname_np(errno));     \
	} while (0)
/* Adds to what is said about the operation. */
__attribute__((format(printf, 2, 3))) void say(struct fsx *x, const char *fmt,
					       ...);

uint64_t below(struct fsx *x, uint64_t n);
struct fsx_file *any_file(struct fsx *x);
/* In one window, in the part that is this process's. */
struct range any_range(struct fsx *x);
/* What of it is before the end of the file. */
struct range clip(const struct fsx_file *f, struct range r);
/* New content, in the buffer. */
void draw_data(struct fsx *x, size_t len);

void fsx_open(struct fsx *x, struct fsx_file *f);
void fsx_close(struct fsx_file *f);

/* The model follows: bytes were written, were cleared, the size was set. */
void model_write(struct fsx_file *f, off_t from, const void *data, size_t len);
void model_clear(struct fsx *x, struct fsx_file *f, off_t from, off_t to);
void model_resize(struct fsx *x, struct fsx_file *f, off_t size);
bool model_is_zero(struct fsx *x, struct fsx_file *f, off_t from, off_t to);

/* Compare with the model: bytes, a range of the file, all there is. */
void compare(struct fsx *x, struct fsx_file *f, const char *got,
	     struct range r);
void check(struct fsx *x, struct fsx_file *f, struct range r);
void check_all(struct fsx *x, struct fsx_file *f);

#endif /* FSX_H */

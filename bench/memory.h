/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kinds of memory, the morsel's and its peers', behind one interface: open an
 * object of some size, map it, close it.
 */
#ifndef BENCH_MEMORY_H
#define BENCH_MEMORY_H

#include "bench.h"

#include <sys/mman.h>

#define RW (PROT_READ | PROT_WRITE)

/* Bytes of huge pages that are reserved when they are first asked for. */
#define MEMORY_HUGETLB_MOST GIB

struct memory {
	const char *name;
	/* A new, empty object; NULL: mmap makes it (anonymous). */
	int (*open)(const struct memory *, size_t size);
	int flags; /* of mmap */
	int advice; /* madvise() after it, 0: none */
	size_t page; /* what one fault fills, at least */
	/* Why it cannot be had here, or NULL. */
	const char *(*lacks)(const struct memory *);
	/* A morsel, mapped whole however little of it is used: by one entry. */
	bool whole;
	int order; /* of a morsel; 0: the smallest that holds it */
	const char *options; /* of a file system */
};

extern const struct memory memory_morsel, memory_morsel_part, memory_morsel3,
	memory_morsel_sequential,
	memory_anonymous,
	memory_anonymous_huge, memory_private, memory_private_huge, memory_shm,
	memory_memfd, memory_tmpfs, memory_tmpfs_huge, memory_hugetlb,
	memory_file;

/* Whether it can be had; if not, that stands in the results. */
bool memory_there(const struct memory *m);
/* -1 for what has none. */
int memory_open(const struct memory *m, size_t size);
/* One with every page written to. */
int memory_filled(const struct memory *m, size_t size);
void memory_close(int fd);
char *memory_map(const struct memory *m, int fd, size_t size, int prot,
		 int flags);
void memory_unmap(const struct memory *m, char *p, size_t size);
/* Writes, or reads, a word of each @page from @p on. */
void memory_write(char *p, size_t size, size_t page);
void memory_read(char *p, size_t size, size_t page);
/* Where files go that are to lie on a disk. */
void memory_set_directory(const char *dir);
/* Unmounts and removes whatever the kinds needed. */
void memory_cleanup(void);

#endif /* BENCH_MEMORY_H */

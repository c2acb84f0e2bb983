/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What all tests in a guest share, of morsels and of files: children, access
 * probes, small files of the kernel, numbers, time.
 */
#ifndef COMMON_H
#define COMMON_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define R PROT_READ
#define W PROT_WRITE
#define X PROT_EXEC
#define RW (R | W)

/* The probes below need its handlers. */
void catch_faults(void);

/*
 * Access rights as the CPU sees them: 0, or the signal that the access
 * raised.
 */
enum access { READ, WRITE, EXECUTE };
int probe(void *addr, enum access how);
/* Puts "return 42" at @addr, which is what probe(EXECUTE) expects to find. */
void put_code(void *addr);
/* Reads a word, or writes one, where that raises no signal. */
bool peek(void *addr, uint64_t *value);
bool poke(void *addr, uint64_t value);

/* Stays on that processor; false when there is none. */
bool run_on(int cpu);
void run_anywhere(void);

/*
 * Children: reap() gives the exit status, or minus the signal that killed it.
 */
pid_t spawn(int (*fn)(void *arg), void *arg);
int reap(pid_t pid);

/* Zeroed memory that children share; a step counter to keep them in line. */
void *shared(size_t size);
void await(atomic_int *step, int value);

/* Small files of the kernel; put_back() takes what get_text() gave. */
void put_text(const char *path, const char *text);
void get_text(const char *path, char *text, size_t size);
void put_back(const char *path, char *text);

uint64_t random64(void);
double now(void);

#endif /* COMMON_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* directory.h - who has which cache line, and in which state */
#ifndef CONTENTION_DIRECTORY_H
#define CONTENTION_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>

#define LINE_SHIFT 6
#define DIRECTORY_CPUS 64

/* Every cache is empty. */
void directory_clear(void);
/* Whether the line comes out of another cache, where it was modified. */
bool directory_read(unsigned int cpu, uint64_t line);
/* How many other caches lose the line. */
unsigned int directory_write(unsigned int cpu, uint64_t line);

#endif /* CONTENTION_DIRECTORY_H */

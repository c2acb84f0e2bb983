/* SPDX-License-Identifier: GPL-2.0-only */
/* tally.h - transfers of a run, by line and by the instruction that caused them */
#ifndef CONTENTION_TALLY_H
#define CONTENTION_TALLY_H

#include <stdint.h>
#include <stdio.h>

struct transfer {
	uint64_t line; /* number of the line in physical memory */
	uint64_t vaddr; /* of the access */
	uint64_t pc;
};

void tally_clear(void);
void tally_add(const struct transfer *t);
/* The lines with the most transfers, and all instructions, as lines of text. */
void tally_write(FILE *to);

#endif /* CONTENTION_TALLY_H */

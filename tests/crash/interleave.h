/* SPDX-License-Identifier: GPL-2.0-only */
/* interleave.h - two operations at once, step by step in any order, and crashes */
#ifndef INTERLEAVE_H
#define INTERLEAVE_H

#include <stdbool.h>

/*
 * Each pair in all orders in which one of them is interrupted @switches times at most, and
 * in @more at random; with caches that persist and, unless @kept_only, that do not.
 * Returns how many orders that were.
 */
unsigned long pairs(unsigned int switches, unsigned int more, bool kept_only);

#endif /* INTERLEAVE_H */

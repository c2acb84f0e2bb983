/* SPDX-License-Identifier: GPL-2.0-only */
/* walk.h - operations at random, one after the other, with a crash at each store */
#ifndef WALK_H
#define WALK_H

#include <stdbool.h>

/* So many of them, with caches that persist and, unless @kept_only, that do not. */
void walk(unsigned int operations, bool kept_only);

#endif /* WALK_H */

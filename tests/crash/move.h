/* SPDX-License-Identifier: GPL-2.0-only */
/* move.h - a medium that comes back at another address, with a crash at each store */
#ifndef MOVE_H
#define MOVE_H

#include <stdbool.h>

/* With caches that persist and, unless @kept_only, that do not. */
void moves(bool kept_only);

#endif /* MOVE_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* debug.h - what root can see of all trees */
#ifndef MORSEL_DEBUG_H
#define MORSEL_DEBUG_H

void morsel_debug_setup(void);
void morsel_debug_teardown(void);

#endif /* MORSEL_DEBUG_H */

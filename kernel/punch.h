/* SPDX-License-Identifier: GPL-2.0-only */
/* punch.h - pages taken out of a living, mapped morsel */
#ifndef MORSEL_PUNCH_H
#define MORSEL_PUNCH_H

#include "object.h"

int morsel_punch(struct morsel_object *object, u64 *next, u64 last);
void morsel_set_limit(struct morsel_object *object, u64 limit);
void morsel_revoke(struct morsel_pmem *pmem);

#endif /* MORSEL_PUNCH_H */

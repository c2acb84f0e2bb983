// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Orders: what holds how much, and what an ID says of its morsel.
 */
#include <errno.h>

#include "morsel.h"

int morsel_order_for(uint64_t bytes)
{
	for (int order = 0; order <= MORSEL_ORDER_MAX; order++) {
		if (bytes <= morsel_size(order))
			return order;
	}
	return -EFBIG;
}

int morsel_id_order(uint64_t id)
{
	int tag = (id >> MORSEL_ID_ORDER_SHIFT) & MORSEL_ID_ORDER_MASK;

	if (tag < 1 || tag > MORSEL_ORDER_MAX + 1)
		return -EINVAL;
	return tag - 1;
}

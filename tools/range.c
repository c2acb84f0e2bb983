// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ranges: which part of a morsel an offset and a number of bytes name.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tool.h"

/*
 * A whole morsel of a larger order is hardly what anybody means.  A file is as
 * long as somebody made it.
 */
#define WHOLE_ORDER_MAX 2

int range_resolve(struct range *range, const struct target *target,
		  uint64_t size)
{
	uint64_t left;
	char reason[64];

	if (!range->bytes_given && !target->path &&
	    size > morsel_size(WHOLE_ORDER_MAX)) {
		fail_target_text(target,
				 "too large as a whole; say how much with -n");
		return EXIT_USAGE;
	}

	left = range->offset > size ? 0 : size - range->offset;
	if (!range->bytes_given)
		range->bytes = left;
	if (range->offset <= size && range->bytes <= left)
		return EXIT_SUCCESS;
	snprintf(reason, sizeof(reason), "has only %llu bytes",
		 (unsigned long long)size);
	return fail_target_text(target, reason);
}

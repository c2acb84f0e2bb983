// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ranges: which part of a morsel an offset and a number of bytes name.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tool.h"

/* A whole morsel of a larger order is hardly what anybody means. */
#define WHOLE_ORDER_MAX 2

int range_resolve(struct range *range, const struct morsel_info *info)
{
	uint64_t left;
	char reason[64];

	if (!range->bytes_given && info->order > WHOLE_ORDER_MAX) {
		fail_text(info->id,
			  "too large as a whole; say how much with -n");
		return EXIT_USAGE;
	}

	left = range->offset > info->size ? 0 : info->size - range->offset;
	if (!range->bytes_given)
		range->bytes = left;
	if (range->offset <= info->size && range->bytes <= left)
		return EXIT_SUCCESS;
	snprintf(reason, sizeof(reason), "has only %llu bytes",
		 (unsigned long long)info->size);
	return fail_text(info->id, reason);
}

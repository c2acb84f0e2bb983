/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * id.h - the morsel ID: a page-table entry with an order tag
 *
 * Source: thesis 3.3.1; the layout is in the user interface header.  The
 * generation is an addition: a frame that was a root once is soon a root
 * again, and an ID of then must not name the morsel of now.
 */
#ifndef MORSEL_ID_H
#define MORSEL_ID_H

#ifdef __KERNEL__
#include <uapi/linux/morsel.h>
#else
#include <linux/morsel.h>
#endif
#include "entry.h"

/* Present, writable, user, accessed, dirty: the entry at its widest. */
#define MORSEL_ID_FLAGS		0x67ull

#define MORSEL_GENERATIONS	1024u

/**
 * morsel_id_make() - build the ID of a plain (not meta) morsel
 * @pfn:        frame of its root
 * @order:      0 to MORSEL_ORDER_MAX
 * @generation: any number; taken modulo MORSEL_GENERATIONS
 */
static inline u64 morsel_id_make(u64 pfn, unsigned int order,
				 unsigned int generation)
{
	u64 lo = generation & MORSEL_ID_GEN_LO_MASK;
	u64 hi = (generation >> 3) & MORSEL_ID_GEN_HI_MASK;

	return MORSEL_ID_FLAGS | pfn << MORSEL_PAGE_SHIFT |
	       lo << MORSEL_ID_GEN_LO_SHIFT | hi << MORSEL_ID_GEN_HI_SHIFT |
	       (u64)(order + 1) << MORSEL_ID_ORDER_SHIFT;
}

/**
 * morsel_id_make_meta() - build the ID of a meta morsel
 * @pfn:        its frame
 * @generation: any number; taken modulo MORSEL_GENERATIONS
 */
static inline u64 morsel_id_make_meta(u64 pfn, unsigned int generation)
{
	return morsel_id_make(pfn, 0, generation) | MORSEL_ID_META;
}

/* Frame that an ID claims as its root: a key to look up, nothing more. */
static inline u64 morsel_id_pfn(u64 id)
{
	return (id & MORSEL_ID_PFN_MASK) >> MORSEL_PAGE_SHIFT;
}

#endif /* MORSEL_ID_H */

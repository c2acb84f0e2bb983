/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * entry.h - levels of the tree and the format of its entries
 *
 * A table of level l has 512 entries; each names an element of level l - 1.
 * Level 0 is a page, 1 a PTE table, 2 a PMD table, 3 a PUD table, 4 a P4D
 * table.  A morsel of order n is an element of level n.
 */
#ifndef MORSEL_ENTRY_H
#define MORSEL_ENTRY_H

#include "plat.h"

#define MORSEL_LEVELS		5	/* 0 to 4 */
#define MORSEL_ENTRIES		512u
#define MORSEL_PAGE_SHIFT	12
#define MORSEL_PAGE_SIZE	4096u

/* No frame has this number: the platform never hands out frame 0. */
#define MORSEL_PFN_NONE		0ull

/* Pages that an element of @level covers. */
static inline u64 morsel_level_pages(unsigned int level)
{
	return 1ull << (9 * level);
}

/* Bytes that an element of @level covers. */
static inline u64 morsel_level_size(unsigned int level)
{
	return morsel_level_pages(level) << MORSEL_PAGE_SHIFT;
}

/* Position in a table of @level (1 to 4) on the way to page @index. */
static inline unsigned int morsel_level_slot(unsigned int level, u64 index)
{
	return (index >> (9 * (level - 1))) % MORSEL_ENTRIES;
}

static inline u64 morsel_entry_make(u64 pfn, u64 flags)
{
	return pfn << MORSEL_PAGE_SHIFT | flags;
}

static inline u64 morsel_entry_pfn(u64 entry)
{
	return (entry & MORSEL_PFN_MASK) >> MORSEL_PAGE_SHIFT;
}

#endif /* MORSEL_ENTRY_H */

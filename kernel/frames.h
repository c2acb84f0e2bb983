/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * frames.h - where a tree gets its frames from
 *
 * A source hands out zeroed frames by number and takes them back.  The tree
 * above knows no other allocator; DRAM is one source, a pool on persistent
 * memory can be another.
 */
#ifndef MORSEL_FRAMES_H
#define MORSEL_FRAMES_H

#include "entry.h"

struct morsel_source;

/* Pages that are allocated and linked in one go: 256 KiB. */
#define MORSEL_BATCH		64u

/**
 * struct morsel_source_ops - what a source of frames can do
 * @table_alloc:   a zeroed frame made ready to be a page table of @level
 *                 (1 to 4); 0 or a negative errno, -ENOMEM or what else the
 *                 source refuses for; may sleep
 * @table_free:    takes such a frame back; nothing may point at it any more
 * @pages_alloc:   zeroed frames for the @count pages from @index on, 1 to
 *                 MORSEL_BATCH; returns how many there are, at least 1, or a
 *                 negative errno; may sleep.  @hint is the populating caller's,
 *                 for the source to know what to do with.
 * @page_new:      a frame for page @index, to be filled by the caller before anybody
 *                 sees it, zeroed on demand; 0 or a negative errno; may sleep
 * @page_free:     takes such a frame back; who holds another reference to it
 *                 keeps it until that is dropped
 * @fill_begin:    from here to @fill_end no page in [first, *last] is taken out;
 *                 waits while one is.  Nothing in between may sleep.  0, with
 *                 @last made less where pages behind it may not be filled in; or
 *                 -ERANGE, when that is so of @first, too; or -EINTR when the
 *                 caller was killed meanwhile.  Then it may fill nothing, and calls
 *                 @fill_end all the same.
 * @fill_end:      ends that
 * @leaves_lock:   who reads leaves in a PTE table under the lock of that table
 *                 is kept out, from here to @leaves_unlock
 * @leaves_unlock: ends that
 */
struct morsel_source_ops {
	int (*table_alloc)(struct morsel_source *source, unsigned int level,
			   u64 *pfn);
	void (*table_free)(struct morsel_source *source, unsigned int level,
			   u64 pfn);
	int (*pages_alloc)(struct morsel_source *source, u64 index, void *hint,
			   u64 *pfns, unsigned int count);
	int (*page_new)(struct morsel_source *source, u64 index, bool zeroed, u64 *pfn);
	void (*page_free)(struct morsel_source *source, u64 pfn);
	int (*fill_begin)(struct morsel_source *source, u64 first, u64 *last);
	void (*fill_end)(struct morsel_source *source);
	void (*leaves_lock)(struct morsel_source *source, u64 table);
	void (*leaves_unlock)(struct morsel_source *source, u64 table);
};

/**
 * struct morsel_source - a source of frames
 * @ops:         its operations
 * @table_flags: flag bits of an entry that points to a table
 * @leaf_flags:  flag bits of an entry that points to a page
 * @hole:        by level of the table, the entry that stands for "nothing
 *               here".  0 in PTE and PMD tables.  In PUD and P4D tables it
 *               points to a shared table that is always empty: were it not
 *               present, the kernel's fault path would put a table of its own
 *               there, under a lock that other address spaces do not take.
 *               A present hole has its accessed bit set from the start, so
 *               that the hardware never changes it under a compare-and-swap.
 *               Processors may walk through one for a while after it was
 *               filled; who faults and finds the page there flushes its own.
 * @persist:     makes that a range outlives a crash before anything that is written
 *               after it does; NULL where nothing does, or all that is visible does.
 *               Pages come from @pages_alloc persistent.
 */
struct morsel_source {
	const struct morsel_source_ops *ops;
	u64 table_flags;
	u64 leaf_flags;
	u64 hole[MORSEL_LEVELS];
	void (*persist)(const void *p, size_t bytes);
};

#endif /* MORSEL_FRAMES_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* dram.h - frames from the kernel's page allocator */
#ifndef MORSEL_DRAM_H
#define MORSEL_DRAM_H

#include <linux/percpu.h>

#include "budget.h"
#include "frames.h"
#include "hold.h"
#include "reserve.h"

struct address_space;
struct morsel_pmem;
struct vm_area_struct;

/**
 * struct morsel_frame_counts - frames, one share per processor
 * @data:      frames that hold pages
 * @table:     by level, frames that hold tables; at level 0 meta morsels
 * @allocated: frames that were ever taken for pages, those that lost a race and
 *             went straight back included
 *
 * A share can be negative (allocated here, freed there); only sums mean
 * something.
 */
struct morsel_frame_counts {
	long data;
	long table[MORSEL_LEVELS];
	long allocated;
};

/**
 * struct morsel_dram_share - one processor's share of a source
 * @counts:  of the frames that it took and gave back
 * @reserve: what it has ahead
 */
struct morsel_dram_share {
	struct morsel_frame_counts counts;
	struct morsel_reserve reserve;
};

/**
 * struct morsel_dram - a source of frames for one object
 * @source:  what the tree sees
 * @mapping: the object's address space, which its pages name as their owner
 * @hold:    pages that are being taken out
 * @shares:  what this object uses and has used
 * @budget:  what its frames are charged to, or NULL
 * @pmem:    where its frames are, or NULL: in the kernel's memory
 * @damaged: with @pmem, one of its pages is known to be bad, so that no table is to be
 *           attached; so from the start, or never
 */
struct morsel_dram {
	struct morsel_source source;
	struct address_space *mapping;
	struct morsel_hold hold;
	struct morsel_dram_share __percpu *shares;
	struct morsel_budget *budget;
	struct morsel_pmem *pmem;
	bool damaged;
};

/* What a source takes besides its frames, in bytes, and no budget knows of. */
static inline size_t morsel_dram_price(void)
{
	return num_possible_cpus() * L1_CACHE_ALIGN(sizeof(struct morsel_dram_share));
}

static inline struct morsel_dram *morsel_dram_of(struct morsel_source *source)
{
	return container_of(source, struct morsel_dram, source);
}

/*
 * A hint to the source: nobody asked for these pages, so nobody is to wait, or to be
 * reclaimed or killed for them.
 */
#define MORSEL_DRAM_AHEAD	((void *)1)

int morsel_dram_setup(void);
void morsel_dram_teardown(void);
int morsel_dram_init(struct morsel_dram *dram, struct address_space *mapping,
		     u64 limit, struct morsel_budget *budget);
void morsel_dram_exit(struct morsel_dram *dram);
bool morsel_dram_one_by_one(const struct vm_area_struct *vma);
void morsel_dram_drain(struct morsel_dram *dram);
u64 morsel_dram_page_adopt(struct morsel_dram *dram, struct page *page, u64 index);
void morsel_dram_page_disown(u64 pfn);
void morsel_dram_count_data(struct morsel_dram *dram, long data);
void morsel_dram_count_table(struct morsel_dram *dram, unsigned int level, long table);
int morsel_dram_fill_begin(struct morsel_source *source, u64 first, u64 *last);
void morsel_dram_fill_end(struct morsel_source *source);
void morsel_dram_leaves_lock(struct morsel_source *source, u64 table);
void morsel_dram_leaves_unlock(struct morsel_source *source, u64 table);
u64 morsel_dram_leaf_flags(unsigned long vm_flags);
struct morsel_frame_counts morsel_dram_sum(const struct morsel_dram *dram);
unsigned long morsel_dram_reserve(const struct morsel_dram *dram);
long morsel_frame_tables(const struct morsel_frame_counts *counts);

#endif /* MORSEL_DRAM_H */

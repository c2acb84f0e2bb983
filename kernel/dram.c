// SPDX-License-Identifier: GPL-2.0-only
/*
 * dram.c - frames from the kernel's page allocator
 *
 * Owns the shared empty tables and the counters of frames in use.  Counters
 * are per processor, so that faults share no cache line.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/pagemap.h>

#include "compat.h"
#include "dram.h"
#include "tlb.h"

static DEFINE_PER_CPU(struct morsel_frame_counts, dram_counts);

/* By level: a table that is empty for ever, or NULL where none is needed. */
static struct page *dram_empty[MORSEL_LEVELS];
static u64 dram_hole[MORSEL_LEVELS];

static struct morsel_dram *to_dram(struct morsel_source *source)
{
	return container_of(source, struct morsel_dram, source);
}

static void dram_count(struct morsel_dram *dram, long data, long table)
{
	this_cpu_add(dram->counts->data, data);
	this_cpu_add(dram->counts->table, table);
	this_cpu_add(dram_counts.data, data);
	this_cpu_add(dram_counts.table, table);
}

static struct page *dram_table_new(unsigned int level, gfp_t gfp)
{
	struct page *page = alloc_page(gfp | __GFP_ZERO);

	if (page && !morsel_table_ctor(page, level)) {
		__free_page(page);
		return NULL;
	}
	return page;
}

static void dram_table_delete(struct page *page, unsigned int level)
{
	morsel_table_dtor(page, level);
	__free_page(page);
}

static u64 dram_table_alloc(struct morsel_source *source, unsigned int level)
{
	struct page *page = dram_table_new(level, GFP_KERNEL_ACCOUNT);

	if (!page)
		return MORSEL_PFN_NONE;
	dram_count(to_dram(source), 0, 1);
	return page_to_pfn(page);
}

static void dram_table_free(struct morsel_source *source, unsigned int level,
			    u64 pfn)
{
	dram_table_delete(pfn_to_page(pfn), level);
	dram_count(to_dram(source), 0, -1);
}

static u64 dram_page_alloc(struct morsel_source *source, u64 index)
{
	struct morsel_dram *dram = to_dram(source);
	struct page *page = alloc_page(GFP_USER | __GFP_ACCOUNT | __GFP_ZERO);

	if (!page)
		return MORSEL_PFN_NONE;

	/* Owner and position: what a process-shared futex is keyed by. */
	page->mapping = dram->mapping;
	page->index = index;
	dram_count(dram, 1, 0);
	return page_to_pfn(page);
}

static void dram_page_free(struct morsel_source *source, u64 pfn)
{
	struct page *page = pfn_to_page(pfn);

	/*
	 * A pin (direct I/O under way) may outlive the object.  Who holds one
	 * looks at ->mapping under the page lock.
	 */
	lock_page(page);
	page->mapping = NULL;
	unlock_page(page);
	put_page(page);
	dram_count(to_dram(source), -1, 0);
}

static void dram_hole_filled(struct morsel_source *source)
{
	morsel_tlb_table_swapped(NULL);
}

static const struct morsel_source_ops dram_ops = {
	.table_alloc = dram_table_alloc,
	.table_free = dram_table_free,
	.page_alloc = dram_page_alloc,
	.page_free = dram_page_free,
	.hole_filled = dram_hole_filled,
};

/**
 * morsel_dram_leaf_flags() - flag bits of a leaf with the rights of a VMA
 * @vm_flags: VM_READ, VM_WRITE, VM_EXEC; others are ignored
 *
 * Accessed, and for writers dirty, from the start: that saves the hardware a
 * write.  Not dirty without the right to write, which would make the leaf one
 * of a shadow stack.
 */
u64 morsel_dram_leaf_flags(unsigned long vm_flags)
{
	pgprot_t prot = vm_get_page_prot((vm_flags & VM_ACCESS_FLAGS) |
					 VM_SHARED);

	return pgprot_val(prot) | _PAGE_ACCESSED |
	       (vm_flags & VM_WRITE ? _PAGE_DIRTY : 0);
}

/**
 * morsel_dram_init() - make a source for one object
 * @dram:    the source
 * @mapping: address space of the object's inode; outlives every frame
 *
 * Return: 0 or -ENOMEM.
 */
int morsel_dram_init(struct morsel_dram *dram, struct address_space *mapping)
{
	dram->counts = alloc_percpu_gfp(struct morsel_frame_counts,
					GFP_KERNEL_ACCOUNT);
	if (!dram->counts)
		return -ENOMEM;

	dram->mapping = mapping;
	dram->source.ops = &dram_ops;
	dram->source.table_flags = _PAGE_TABLE;
	dram->source.leaf_flags = morsel_dram_leaf_flags(VM_READ | VM_WRITE);
	memcpy(dram->source.hole, dram_hole, sizeof(dram_hole));
	return 0;
}

/**
 * morsel_dram_exit() - end a source whose frames are all back
 * @dram: the source
 */
void morsel_dram_exit(struct morsel_dram *dram)
{
	free_percpu(dram->counts);
}

/**
 * morsel_dram_sum() - frames in use
 * @dram: a source, or NULL for the sum of all
 */
struct morsel_frame_counts morsel_dram_sum(const struct morsel_dram *dram)
{
	struct morsel_frame_counts sum = {};
	int cpu;

	for_each_possible_cpu(cpu) {
		struct morsel_frame_counts *share =
			dram ? per_cpu_ptr(dram->counts, cpu) :
			       per_cpu_ptr(&dram_counts, cpu);

		sum.data += READ_ONCE(share->data);
		sum.table += READ_ONCE(share->table);
	}
	return sum;
}

/**
 * morsel_dram_setup() - make the shared empty tables
 *
 * One PMD table that is empty, and one PUD table full of it.  They stand in
 * the holes of PUD and P4D tables; see struct morsel_source.
 *
 * Return: 0 or -ENOMEM.
 */
int morsel_dram_setup(void)
{
	unsigned int level, i;

	for (level = 2; level <= 3; level++) {
		struct page *page = dram_table_new(level, GFP_KERNEL);
		u64 *table;

		if (!page) {
			morsel_dram_teardown();
			return -ENOMEM;
		}
		dram_empty[level] = page;

		table = morsel_frame_table(page_to_pfn(page));
		for (i = 0; i < MORSEL_ENTRIES; i++)
			table[i] = dram_hole[level];
		dram_hole[level + 1] =
			morsel_entry_make(page_to_pfn(page), _PAGE_TABLE);
	}
	return 0;
}

/**
 * morsel_dram_teardown() - free the shared empty tables, report leaked frames
 */
void morsel_dram_teardown(void)
{
	struct morsel_frame_counts sum = morsel_dram_sum(NULL);
	unsigned int level;

	if (sum.data || sum.table)
		pr_err("%ld data and %ld table frames leaked\n", sum.data,
		       sum.table);
	for (level = 0; level < MORSEL_LEVELS; level++) {
		if (dram_empty[level])
			dram_table_delete(dram_empty[level], level);
		dram_empty[level] = NULL;
	}
}

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

static DEFINE_PER_CPU(struct morsel_frame_counts, dram_counts);

/* By level: a table that is empty for ever, or NULL where none is needed. */
static struct page *dram_empty[MORSEL_LEVELS];
static u64 dram_hole[MORSEL_LEVELS];

/**
 * morsel_dram_count_data() - pages came, or went
 * @dram: the source
 * @data: how many
 */
void morsel_dram_count_data(struct morsel_dram *dram, long data)
{
	this_cpu_add(dram->shares->counts.data, data);
	this_cpu_add(dram_counts.data, data);
	if (data > 0) {
		this_cpu_add(dram->shares->counts.allocated, data);
		this_cpu_add(dram_counts.allocated, data);
	}
}

/**
 * morsel_dram_count_table() - tables came, or went
 * @dram:  the source
 * @level: their level
 * @table: how many
 */
void morsel_dram_count_table(struct morsel_dram *dram, unsigned int level, long table)
{
	this_cpu_add(dram->shares->counts.table[level], table);
	this_cpu_add(dram_counts.table[level], table);
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

static int dram_table_alloc(struct morsel_source *source, unsigned int level,
			    u64 *pfn)
{
	struct morsel_dram *dram = morsel_dram_of(source);
	int err = morsel_budget_charge_table(dram->budget);
	struct page *page;

	if (err)
		return err;
	page = dram_table_new(level, GFP_KERNEL_ACCOUNT);
	if (!page) {
		morsel_budget_uncharge(dram->budget, 1);
		return -ENOMEM;
	}
	morsel_dram_count_table(dram, level, 1);
	*pfn = page_to_pfn(page);
	return 0;
}

static void dram_table_free(struct morsel_source *source, unsigned int level,
			    u64 pfn)
{
	struct morsel_dram *dram = morsel_dram_of(source);

	dram_table_delete(pfn_to_page(pfn), level);
	morsel_dram_count_table(dram, level, -1);
	morsel_budget_uncharge(dram->budget, 1);
}

#define DRAM_PAGE_GFP	(GFP_USER | __GFP_ACCOUNT | __GFP_ZERO)
/*
 * A block is a bonus: nobody is to wait or to be reclaimed for it, no last
 * reserve is there for it, and none of another node is better than single pages
 * of this one.
 */
#define DRAM_BLOCK_GFP	((DRAM_PAGE_GFP & ~__GFP_DIRECT_RECLAIM) | \
			 __GFP_THISNODE | __GFP_NOMEMALLOC | __GFP_NORETRY | \
			 __GFP_NOWARN)

/* Where the policy of the VMA wants it, else where the task's does. */
static struct page *dram_page_new(void *hint, u64 index)
{
#ifdef CONFIG_NUMA
	struct vm_area_struct *vma = hint;
#endif

	if (hint == MORSEL_DRAM_AHEAD)
		return alloc_page(DRAM_BLOCK_GFP);
#ifdef CONFIG_NUMA
	if (vma && vma->vm_policy) {
		unsigned long addr = vma->vm_start +
				     ((index - vma->vm_pgoff) << PAGE_SHIFT);
		struct folio *folio = vma_alloc_folio(DRAM_PAGE_GFP, 0, vma,
						      addr, false);

		return folio ? folio_page(folio, 0) : NULL;
	}
#endif
	return alloc_page(DRAM_PAGE_GFP);
}

/**
 * morsel_dram_one_by_one() - must pages be taken singly?
 * @vma: where they are for, or NULL
 *
 * Policies that spread pages do so page by page.
 */
bool morsel_dram_one_by_one(const struct vm_area_struct *vma)
{
#ifdef CONFIG_NUMA
	return current->mempolicy || (vma && vma->vm_policy);
#else
	return false;
#endif
}

/* Pages one after the other, 2^@order of them, or NULL. */
static struct page *dram_block_new(unsigned int order)
{
	struct page *page = alloc_pages(DRAM_BLOCK_GFP, order);

	if (page)
		split_page(page, order);
	return page;
}

/* A page of the processor's reserve, which is filled when it is empty; or NULL. */
static struct page *dram_page_ahead(struct morsel_dram *dram)
{
	struct morsel_reserve __percpu *reserve = &dram->shares->reserve;
	unsigned int want;
	struct page *page = morsel_reserve_take(reserve, &want);

	if (page || want == 1)
		return page;
	page = dram_block_new(ilog2(want));
	if (page)
		morsel_reserve_put(reserve, page + 1, want - 1);
	return page;
}

/**
 * morsel_dram_page_adopt() - say whose a page is
 * @dram:  the source
 * @page:  the page
 * @index: where it is
 *
 * Owner and position are what a process-shared futex is keyed by.
 *
 * Return: its frame.
 */
u64 morsel_dram_page_adopt(struct morsel_dram *dram, struct page *page, u64 index)
{
	page->mapping = dram->mapping;
	page->index = index;
	return page_to_pfn(page);
}

/* Several pages, of which there may be fewer; returns how many. */
static noinline unsigned int dram_pages_new(struct morsel_dram *dram, u64 index,
					    void *hint, u64 *pfns,
					    unsigned int count)
{
	struct page *block = NULL;
	unsigned int i;

	if (hint == MORSEL_DRAM_AHEAD || !morsel_dram_one_by_one(hint))
		block = dram_block_new(ilog2(count));
	if (block)
		count = 1u << ilog2(count);
	for (i = 0; i < count; i++) {
		struct page *page = block ? block + i :
					    dram_page_new(hint, index + i);

		if (!page)
			break;
		pfns[i] = morsel_dram_page_adopt(dram, page, index + i);
	}
	return i;
}

/* A single page for a fault: of what is ahead, which is in no budget, or a new one. */
static struct page *dram_page_for(struct morsel_dram *dram, u64 index, void *hint)
{
	struct page *page = NULL;

	if (hint && hint != MORSEL_DRAM_AHEAD && !dram->budget &&
	    !morsel_dram_one_by_one(hint))
		page = dram_page_ahead(dram);
	return page ? : dram_page_new(hint, index);
}

/*
 * @hint is the VMA of the fault, MORSEL_DRAM_AHEAD, or NULL.  Only faults have others
 * to follow one by one.
 */
static int dram_pages_alloc(struct morsel_source *source, u64 index, void *hint,
			    u64 *pfns, unsigned int count)
{
	struct morsel_dram *dram = morsel_dram_of(source);
	unsigned int got = 1;
	struct page *page;
	int err = morsel_budget_charge(dram->budget, count);

	/* Of the last of a budget singly. */
	if (unlikely(err) && count > 1) {
		count = 1;
		err = morsel_budget_charge(dram->budget, count);
	}
	if (unlikely(err))
		return err;
	if (count > 1) {
		got = dram_pages_new(dram, index, hint, pfns, count);
	} else {
		page = dram_page_for(dram, index, hint);
		if (page)
			*pfns = morsel_dram_page_adopt(dram, page, index);
		else
			got = 0;
	}
	if (unlikely(got < count))
		morsel_budget_uncharge(dram->budget, count - got);
	morsel_dram_count_data(dram, got);
	return got ? : -ENOMEM;
}

static int dram_page_new_for(struct morsel_source *source, u64 index, bool zeroed,
			     u64 *pfn)
{
	struct morsel_dram *dram = morsel_dram_of(source);
	int err = morsel_budget_charge(dram->budget, 1);
	struct page *page;

	if (err)
		return err;
	page = alloc_page(zeroed ? DRAM_PAGE_GFP : DRAM_PAGE_GFP & ~__GFP_ZERO);
	if (!page) {
		morsel_budget_uncharge(dram->budget, 1);
		return -ENOMEM;
	}
	*pfn = morsel_dram_page_adopt(dram, page, index);
	morsel_dram_count_data(dram, 1);
	return 0;
}

/**
 * morsel_dram_page_disown() - the page is nobody's any more
 * @pfn: frame of a page that was taken out
 *
 * Whoever looks at the owner does so under the page lock: after this nobody
 * maps the page any more (see fault_page()), or keys a futex by it.
 *
 * Context: process context, may sleep.
 */
void morsel_dram_page_disown(u64 pfn)
{
	struct page *page = pfn_to_page(pfn);

	lock_page(page);
	page->mapping = NULL;
	unlock_page(page);
}

static void dram_page_free(struct morsel_source *source, u64 pfn)
{
	/* A pin (direct I/O under way) may outlive the object. */
	morsel_dram_page_disown(pfn);
	put_page(pfn_to_page(pfn));
	morsel_dram_count_data(morsel_dram_of(source), -1);
	morsel_budget_uncharge(morsel_dram_of(source)->budget, 1);
}

int morsel_dram_fill_begin(struct morsel_source *source, u64 first, u64 *last)
	__acquires(RCU)
{
	return morsel_hold_enter(&morsel_dram_of(source)->hold, first, last);
}

void morsel_dram_fill_end(struct morsel_source *source) __releases(RCU)
{
	morsel_hold_leave(&morsel_dram_of(source)->hold);
}

void morsel_dram_leaves_lock(struct morsel_source *source, u64 table)
	__acquires(ptlock)
{
	morsel_table_lock(pfn_to_page(table));
}

void morsel_dram_leaves_unlock(struct morsel_source *source, u64 table)
	__releases(ptlock)
{
	morsel_table_unlock(pfn_to_page(table));
}

static const struct morsel_source_ops dram_ops = {
	.table_alloc = dram_table_alloc,
	.table_free = dram_table_free,
	.pages_alloc = dram_pages_alloc,
	.page_new = dram_page_new_for,
	.page_free = dram_page_free,
	.fill_begin = morsel_dram_fill_begin,
	.fill_end = morsel_dram_fill_end,
	.leaves_lock = morsel_dram_leaves_lock,
	.leaves_unlock = morsel_dram_leaves_unlock,
};

/**
 * morsel_dram_leaf_flags() - flag bits of a leaf with the rights of a VMA
 * @vm_flags: VM_READ, VM_WRITE, VM_EXEC; others are ignored
 *
 * Accessed, and for writers dirty, from the start: that saves the hardware a
 * write.  Not dirty without the right to write, which would make the leaf one
 * of a shadow stack.  And soft-dirty for good: the leaf is many processes', so
 * who looks for what one of them wrote is told of too much rather than of too
 * little.
 */
u64 morsel_dram_leaf_flags(unsigned long vm_flags)
{
	pgprot_t prot = vm_get_page_prot((vm_flags & VM_ACCESS_FLAGS) |
					 VM_SHARED);

	return pgprot_val(prot) | _PAGE_ACCESSED |
	       (vm_flags & VM_WRITE ? _PAGE_DIRTY | _PAGE_SOFT_DIRTY : 0);
}

/**
 * morsel_dram_init() - make a source for one object
 * @dram:    the source
 * @mapping: address space of the object's inode; outlives every frame
 * @limit:   first page that the object does not have
 * @budget:  what its frames are charged to, or NULL; outlives every frame
 *
 * Return: 0 or -ENOMEM.
 */
int morsel_dram_init(struct morsel_dram *dram, struct address_space *mapping,
		     u64 limit, struct morsel_budget *budget)
{
	/* Lines of their own: other processors may read what lies beside them. */
	dram->shares = __alloc_percpu_gfp(L1_CACHE_ALIGN(sizeof(*dram->shares)),
					  L1_CACHE_BYTES, GFP_KERNEL_ACCOUNT);
	if (!dram->shares)
		return -ENOMEM;

	dram->mapping = mapping;
	dram->budget = budget;
	morsel_hold_init(&dram->hold, limit);
	dram->source.ops = &dram_ops;
	dram->source.table_flags = _PAGE_TABLE;
	dram->source.leaf_flags = morsel_dram_leaf_flags(VM_READ | VM_WRITE);
	memcpy(dram->source.hole, dram_hole, sizeof(dram_hole));
	return 0;
}

/**
 * morsel_dram_drain() - give back the frames that are ahead of need
 * @dram: the source; nobody takes any more
 */
void morsel_dram_drain(struct morsel_dram *dram)
{
	morsel_reserve_drain(&dram->shares->reserve);
}

/**
 * morsel_dram_exit() - end a source whose frames are all back
 * @dram: the source
 */
void morsel_dram_exit(struct morsel_dram *dram)
{
	free_percpu(dram->shares);
}

/**
 * morsel_dram_sum() - frames in use, and used
 * @dram: a source, or NULL for the sum of all
 */
struct morsel_frame_counts morsel_dram_sum(const struct morsel_dram *dram)
{
	struct morsel_frame_counts sum = {};
	unsigned int level;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct morsel_frame_counts *share =
			dram ? per_cpu_ptr(&dram->shares->counts, cpu) :
			       per_cpu_ptr(&dram_counts, cpu);

		sum.data += READ_ONCE(share->data);
		sum.allocated += READ_ONCE(share->allocated);
		for (level = 0; level < MORSEL_LEVELS; level++)
			sum.table[level] += READ_ONCE(share->table[level]);
	}
	return sum;
}

/**
 * morsel_dram_reserve() - frames that are ahead of need
 * @dram: a source, or NULL for the sum of all
 */
unsigned long morsel_dram_reserve(const struct morsel_dram *dram)
{
	return morsel_reserve_sum(dram ? &dram->shares->reserve : NULL);
}

/**
 * morsel_frame_tables() - frames that hold tables, of all levels
 * @counts: what morsel_dram_sum() gave
 */
long morsel_frame_tables(const struct morsel_frame_counts *counts)
{
	unsigned int level;
	long sum = 0;

	for (level = 0; level < MORSEL_LEVELS; level++)
		sum += counts->table[level];
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
	long tables = morsel_frame_tables(&sum);
	unsigned long ahead = morsel_dram_reserve(NULL);
	unsigned int level;

	if (sum.data || tables || ahead)
		pr_err("%ld data, %ld table and %lu reserve frames leaked\n",
		       sum.data, tables, ahead);
	for (level = 0; level < MORSEL_LEVELS; level++) {
		if (dram_empty[level])
			dram_table_delete(dram_empty[level], level);
		dram_empty[level] = NULL;
	}
}

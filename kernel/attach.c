// SPDX-License-Identifier: GPL-2.0-only
/*
 * attach.c - subtrees hung into address spaces, one entry each
 *
 * A view is what one VMA has attached.  The VMA is the truth; the attached
 * entries are a cache of it, filled by faults and dropped whenever the kernel
 * announces a change of the range.
 *
 * How a table is attached without the kernel's unexported allocators: let the
 * kernel build its own empty table at the slot (the placeholder), then swap
 * the entry for one that points into the morsel, and swap it back to detach.
 * The counters of the mm stay right, the placeholder is freed with the VMA,
 * and no table becomes none while faults may be in it.  Faults that are under way
 * in a placeholder while it is swapped out do no harm: it stays allocated until
 * munmap, which waits for them.
 *
 * munmap would look through all of the empty placeholder.  It has the VMA to
 * itself, so the entry may become none: the kernel has nothing to do then, and the
 * placeholder is freed with the view.  Not before: who came by the reverse map may
 * still be in it until the kernel takes the VMA out of there, which is between its
 * announcement and the end of the VMA.
 *
 * Locks, outermost first:
 *   mmap lock or VMA lock   held by every caller here but the notifier; the
 *                           gate is waited for under the mmap lock only
 *   gate                    mmu_interval_read_begin()/retry(): between the
 *                           start and the end of an invalidation nothing is
 *                           attached in its range; a fault sleeps until then,
 *                           and until all others of the mm have ended
 *   view->lock              the slots, and the gate's second half; a detach
 *                           holds it until the TLBs are flushed, so who finds
 *                           a slot gone may rely on that being done
 *   page table lock         the slot's entry (page_table_lock, or for a PMD
 *                           slot the lock of the PMD table)
 */
#include <linux/mmu_notifier.h>
#include <linux/pkeys.h>
#include <linux/rbtree.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/pgalloc.h>

#include "attach.h"
#include "compat.h"
#include "tlb.h"
#include "trace.h"

/**
 * struct morsel_view - what one VMA has attached
 * @gate:        the kernel's announcements about the VMA's range
 * @lock:        protects @slots and @vacant; see the locks above
 * @slots:       struct morsel_slot, one for each attached entry, by address
 * @vacant:      slots that are none now, whose placeholders are freed with the
 *               view; those of an mremap() that failed add up until then
 * @id:          the object's ID, for who traces
 * @attachments: the object's count of attached entries
 */
struct morsel_view {
	struct mmu_interval_notifier gate;
	spinlock_t lock;	/* protects slots, vacant */
	struct rb_root slots;
	struct morsel_slot *vacant;
	u64 id;
	struct morsel_attachments *attachments;
};

/**
 * struct morsel_slot - one attached entry
 * @node:        in &morsel_view.slots; they do not overlap
 * @next:        in &morsel_view.vacant
 * @addr:        first address that the entry covers
 * @level:       level of the attached table (1 to 4)
 * @placeholder: the kernel's own entry, put back on detach if it is needed
 */
struct morsel_slot {
	union {
		struct rb_node node;
		struct morsel_slot *next;
	};
	unsigned long addr;
	unsigned int level;
	u64 placeholder;
};

/* Attached entries in all address spaces, one share per processor. */
static DEFINE_PER_CPU(long, view_attachments);

/*
 * The entry above a table of @level at @addr, or NULL where a table is missing.
 * Without a lock: others may put a table in meanwhile, so each entry is read once.
 */
static u64 *slot_entry(struct mm_struct *mm, unsigned long addr,
		       unsigned int level)
{
	u64 *entry = (u64 *)pgd_offset(mm, addr);
	unsigned int above = pgtable_l5_enabled() ? 4 : 3;

	for (; above > level; above--) {
		u64 value = READ_ONCE(*entry);

		if (!(value & _PAGE_PRESENT))
			return NULL;
		entry = morsel_frame_table(morsel_entry_pfn(value)) +
			morsel_level_slot(above, addr >> PAGE_SHIFT);
	}
	return entry;
}

/* The lock that the kernel takes to change the entry above a table of @level. */
static spinlock_t *slot_ptl(struct mm_struct *mm, u64 *entry, unsigned int level)
{
	return level == 1 ? pmd_lockptr(mm, (pmd_t *)entry) : &mm->page_table_lock;
}

/* set_p4d() and set_pgd() reach the user half of a PTI pair through pv_ops. */
static void slot_set(u64 *entry, unsigned int level, u64 value)
{
	switch (level) {
	case 1:
		set_pmd((pmd_t *)entry, __pmd(value));
		break;
	case 2:
		set_pud((pud_t *)entry, __pud(value));
		break;
	case 3:
		set_p4d((p4d_t *)entry, __p4d(value));
		break;
	case 4:
		set_pgd((pgd_t *)entry, __pgd(value));
		break;
	}
}

static unsigned long slot_end(const struct morsel_slot *slot)
{
	return slot->addr + morsel_level_size(slot->level);
}

static bool slot_before(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct morsel_slot, node)->addr <
	       rb_entry(b, struct morsel_slot, node)->addr;
}

/* The first slot that ends after @start; view->lock held. */
static struct morsel_slot *slot_first(struct morsel_view *view,
				      unsigned long start)
{
	struct rb_node *node = view->slots.rb_node;
	struct morsel_slot *found = NULL;

	while (node) {
		struct morsel_slot *slot = rb_entry(node, struct morsel_slot, node);

		if (slot_end(slot) > start) {
			found = slot;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found;
}

/*
 * It may have leaves of a VMA that had no view yet, and tables of a fault that was
 * under way in it when another one attached.  Only where no fault can run does the
 * answer stay true.
 */
static bool placeholder_empty(const struct morsel_slot *slot)
{
	return !memchr_inv(morsel_frame_table(morsel_entry_pfn(slot->placeholder)),
			   0, PAGE_SIZE);
}

static void placeholder_free(struct mm_struct *mm, const struct morsel_slot *slot)
{
	u64 *table = morsel_frame_table(morsel_entry_pfn(slot->placeholder));

	switch (slot->level) {
	case 1:
		pte_free(mm, virt_to_page(table));
		mm_dec_nr_ptes(mm);
		break;
	case 2:
		pmd_free(mm, (pmd_t *)table);
		mm_dec_nr_pmds(mm);
		break;
	case 3:
		pud_free(mm, (pud_t *)table);
		mm_dec_nr_puds(mm);
		break;
	case 4:
		p4d_free(mm, (p4d_t *)table);
		break;
	}
}

/* What is done in one section of view->lock; each may look through a page. */
#define DROP_BATCH	64u

/*
 * Put back the placeholders of the first slots in [start, end), or none where
 * @vacate permits, and flush; view->lock held.  Flush ourselves, because the kernel
 * finds nothing there and flushes nothing.  Returns whether there may be more.
 */
static bool view_drop(struct morsel_view *view, unsigned long start,
		      unsigned long end, bool vacate)
{
	struct mm_struct *mm = view->gate.mm;
	struct morsel_slot *slot, *next;
	unsigned int count = 0;

	lockdep_assert_held(&view->lock);
	for (slot = slot_first(view, start);
	     slot && slot->addr < end && count < DROP_BATCH; slot = next) {
		u64 *entry = slot_entry(mm, slot->addr, slot->level);
		bool vacant = vacate && placeholder_empty(slot);

		next = rb_entry_safe(rb_next(&slot->node), struct morsel_slot, node);
		spin_lock(slot_ptl(mm, entry, slot->level));
		slot_set(entry, slot->level, vacant ? 0 : slot->placeholder);
		spin_unlock(slot_ptl(mm, entry, slot->level));
		atomic_long_dec(&view->attachments->now);
		this_cpu_dec(view_attachments);
		trace_morsel_detach(view->id, slot->addr, slot->level);
		rb_erase(&slot->node, &view->slots);
		if (vacant) {
			slot->next = view->vacant;
			view->vacant = slot;
		} else {
			kfree(slot);
		}
		count++;
	}
	if (count)
		morsel_tlb_flush_mm(mm);
	return count == DROP_BATCH;
}

/* All slots in [start, end), while the caller sees to it that none is added. */
static void view_drop_all(struct morsel_view *view, unsigned long start,
			  unsigned long end, bool vacate, bool may_sleep)
{
	bool more;

	do {
		spin_lock(&view->lock);
		more = view_drop(view, start, end, vacate);
		spin_unlock(&view->lock);
		if (more && may_sleep)
			cond_resched();
	} while (more);
}

/*
 * unmap_vmas() (munmap, MAP_FIXED, exit) or move_page_tables() (mremap): with no
 * fault in the VMA and none to come.  The OOM killer's reaper calls what it does by
 * the same name, but has no lock that says so; it may not sleep, which tells it from
 * them.  Slots lie in such a range as a whole: they lie in their VMA, and of one that
 * is in it in part all was detached by ->may_split before.
 */
static bool range_vanishes(const struct mmu_notifier_range *range)
{
	return range->event == MMU_NOTIFY_UNMAP &&
	       mmu_notifier_range_blockable(range);
}

/*
 * The kernel is about to zap, move or free tables in the range.  It may not
 * see ours: detach.  From mmu_interval_set_seq() on nothing is attached in the
 * range.
 */
static bool view_invalidate(struct mmu_interval_notifier *gate,
			    const struct mmu_notifier_range *range,
			    unsigned long seq)
{
	struct morsel_view *view = container_of(gate, struct morsel_view, gate);

	spin_lock(&view->lock);
	mmu_interval_set_seq(gate, seq);
	spin_unlock(&view->lock);
	view_drop_all(view, range->start, range->end, range_vanishes(range),
		      mmu_notifier_range_blockable(range));
	return true;
}

static const struct mmu_interval_notifier_ops view_ops = {
	.invalidate = view_invalidate,
};

/**
 * morsel_view_create() - begin to cache a VMA
 * @vma:         a VMA of a morsel, whole range known
 * @id:          ID of the object
 * @attachments: its count of attached entries; outlives the VMA
 *
 * Context: mmap lock held for writing.  The first view of an mm takes all
 * locks of all its VMAs once (mm_take_all_locks).
 * Return: the view, or an ERR_PTR of -ENOMEM or -EINTR.
 */
struct morsel_view *morsel_view_create(struct vm_area_struct *vma, u64 id,
				       struct morsel_attachments *attachments)
{
	/*
	 * Not charged to the memory cgroup: a fault that cannot get a view
	 * would be tried again for ever, and there is one for a VMA at most.
	 */
	struct morsel_view *view = kmalloc(sizeof(*view), GFP_KERNEL);
	int err;

	if (!view)
		return ERR_PTR(-ENOMEM);
	spin_lock_init(&view->lock);
	view->slots = RB_ROOT;
	view->vacant = NULL;
	view->id = id;
	view->attachments = attachments;
	err = mmu_interval_notifier_insert_locked(&view->gate, vma->vm_mm,
						  vma->vm_start,
						  vma->vm_end - vma->vm_start,
						  &view_ops);
	if (err) {
		kfree(view);
		return ERR_PTR(err);
	}
	return view;
}

/**
 * morsel_view_detach() - drop every attached entry of a view
 * @view: a view, or NULL
 *
 * For changes that the kernel does not announce, or announces too late
 * (mprotect: it has loaded the entry by then).
 *
 * Context: no fault of the VMA can run: mmap lock held for writing and, where
 * there are VMA locks, the VMA write-locked.  May sleep.
 */
void morsel_view_detach(struct morsel_view *view)
{
	if (view)
		view_drop_all(view, 0, ULONG_MAX, false, true);
}

/**
 * morsel_view_destroy() - the VMA goes away
 * @view: a view, or NULL
 *
 * Context: process context, may sleep until an invalidation has ended.
 */
void morsel_view_destroy(struct morsel_view *view)
{
	struct morsel_slot *slot, *next;

	if (!view)
		return;
	morsel_view_detach(view);
	mmu_interval_notifier_remove(&view->gate);
	for (slot = view->vacant; slot; slot = next) {
		next = slot->next;
		placeholder_free(view->gate.mm, slot);
		kfree(slot);
		cond_resched();
	}
	kfree(view);
}

/*
 * Shared tables exist for the rights that are common.  A protection key is a
 * process's own affair, and a mapping without any right is hardly used: both
 * get leaves in the process's own tables.
 */
static bool rights_shared(unsigned long vm_flags)
{
	return (vm_flags & VM_ACCESS_FLAGS) && !(vm_flags & ARCH_VM_PKEY_FLAGS);
}

/**
 * morsel_view_attachments() - attached entries in all address spaces
 */
long morsel_view_attachments(void)
{
	long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(view_attachments, cpu));
	return max(sum, 0L);
}

/**
 * morsel_view_level() - largest table that can be attached around an address
 * @vma:   a VMA of a morsel
 * @addr:  an address in it
 * @order: order of the morsel
 *
 * It must be aligned alike in the address space and in the object, and lie in
 * the VMA as a whole.
 *
 * Return: 1 to @order, or 0: a single page, mapped by the kernel.
 */
unsigned int morsel_view_level(struct vm_area_struct *vma, unsigned long addr,
			       unsigned int order)
{
	unsigned long skew = vma->vm_start - (vma->vm_pgoff << PAGE_SHIFT);
	unsigned int level;

	if (!rights_shared(vma->vm_flags))
		return 0;
	for (level = order; level; level--) {
		unsigned long size = morsel_level_size(level);
		unsigned long start = ALIGN_DOWN(addr, size);

		if (IS_ALIGNED(skew, size) && start >= vma->vm_start &&
		    size <= vma->vm_end - start)
			break;
	}
	return level;
}

/*
 * Swap the entry of a slot for one that points to @table; view->lock held.
 * Returns whether it is attached now; false when the placeholder is missing.
 */
static bool slot_attach(struct morsel_view *view, struct vm_fault *vmf,
			struct morsel_slot *slot, u64 *entry, u64 value)
{
	struct mm_struct *mm = view->gate.mm;
	bool done = true;
	u64 old;

	spin_lock(slot_ptl(mm, entry, slot->level));
	old = READ_ONCE(*entry);
	if (old) {
		/*
		 * With PTI, NX in the kernel's copy of a top-level entry is
		 * the kernel's own addition: written back through set_p4d() it
		 * would reach the user's copy.
		 */
		slot->placeholder = old & ~(u64)_PAGE_NX;
	} else if (slot->level == 1 && vmf->prealloc_pte) {
		/* The fault path brought the PTE table it would have used. */
		slot->placeholder =
			morsel_entry_make(page_to_pfn(vmf->prealloc_pte),
					  _PAGE_TABLE);
		mm_inc_nr_ptes(mm);
		vmf->prealloc_pte = NULL;
	} else {
		done = false;
	}
	if (done)
		slot_set(entry, slot->level, value);
	spin_unlock(slot_ptl(mm, entry, slot->level));
	return done;
}

/* The table that is wanted at a fault, and the entry for it; not 0: there is none. */
static vm_fault_t slot_table(struct vm_fault *vmf, struct morsel_tree *tree, u64 index,
			     unsigned int level, u64 **entry, u64 *table)
{
	int err;

	*entry = slot_entry(vmf->vma->vm_mm,
			    ALIGN_DOWN(vmf->address, morsel_level_size(level)), level);
	if (!*entry)
		return VM_FAULT_NOPAGE;
	err = morsel_tree_table(tree, index, level, table);
	if (err)
		return err == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
	return 0;
}

/**
 * morsel_view_attached() - is a table attached at a fault?
 * @vmf:   the fault
 * @tree:  the morsel's tree for the rights of the VMA
 * @index: the page of the morsel that the fault is at
 * @level: what morsel_view_level() said, at least 1
 * @present: the page was in @tree before the fault
 *
 * It is for all faults but the first: this reads one entry and takes no lock.  When
 * the page was there too, somebody was faster, or the processor has a stale entry;
 * see morsel_tlb_flush_local().
 *
 * Context: fault path; may sleep.
 * Return: VM_FAULT_NOPAGE when the access is to be tried again, 0 when
 * morsel_view_attach() is next, VM_FAULT_OOM, or VM_FAULT_SIGBUS where there is no
 * budget for a table.
 */
vm_fault_t morsel_view_attached(struct vm_fault *vmf, struct morsel_tree *tree, u64 index,
				unsigned int level, bool present)
{
	u64 *entry, table;
	vm_fault_t ret = slot_table(vmf, tree, index, level, &entry, &table);

	if (ret)
		return ret;
	if (morsel_entry_pfn(READ_ONCE(*entry)) != table)
		return 0;
	if (present)
		morsel_tlb_flush_local();
	return VM_FAULT_NOPAGE;
}

/**
 * morsel_view_begin() - wait until a table can be attached
 * @view: the view of the VMA
 * @vmf:  the fault
 * @seq:  out: for morsel_view_attach()
 *
 * Sleeps as long as invalidations of the address space overlap, which a process can
 * draw out as it likes.
 *
 * Context: fault path, with nothing held that others wait for.
 * Return: 0, or VM_FAULT_RETRY, the VMA lock dropped, when this wants the mmap lock.
 */
vm_fault_t morsel_view_begin(struct morsel_view *view, struct vm_fault *vmf,
			     unsigned long *seq)
{
	/*
	 * Not under the lock of the VMA: clear_refs waits for that between the start
	 * and the end of one.  Under the mmap lock no invalidator waits for us.
	 */
	if (vmf->flags & FAULT_FLAG_VMA_LOCK) {
		vma_end_read(vmf->vma);
		return VM_FAULT_RETRY;
	}
	*seq = mmu_interval_read_begin(&view->gate);
	return 0;
}

/**
 * morsel_view_attach() - attach a table at a fault, unless one is by now
 * @view:  the view of the VMA
 * @vmf:   the fault
 * @tree:  the morsel's tree for the rights of the VMA
 * @index: the page of the morsel that the fault is at
 * @level: what morsel_view_level() said, at least 1
 * @seq:   from morsel_view_begin()
 *
 * Context: fault path under the mmap lock; may sleep.
 * Return: VM_FAULT_NOPAGE, VM_FAULT_OOM or VM_FAULT_SIGBUS, as morsel_view_attached().
 */
vm_fault_t morsel_view_attach(struct morsel_view *view, struct vm_fault *vmf,
			      struct morsel_tree *tree, u64 index,
			      unsigned int level, unsigned long seq)
{
	unsigned long addr = ALIGN_DOWN(vmf->address, morsel_level_size(level));
	struct morsel_slot *slot;
	u64 *entry, table, value;
	vm_fault_t ret = slot_table(vmf, tree, index, level, &entry, &table);

	if (ret)
		return ret;
	slot = kmalloc(sizeof(*slot), GFP_KERNEL_ACCOUNT);
	if (!slot)
		return VM_FAULT_OOM;
	slot->addr = addr;
	slot->level = level;
	value = morsel_entry_make(table, tree->source->table_flags);

	spin_lock(&view->lock);
	if (mmu_interval_read_retry(&view->gate, seq) ||
	    morsel_entry_pfn(READ_ONCE(*entry)) == table)
		goto unchanged;
	if (!slot_attach(view, vmf, slot, entry, value))
		goto unchanged;
	rb_add(&slot->node, &view->slots, slot_before);
	atomic_long_inc(&view->attachments->now);
	this_cpu_inc(view_attachments);
	atomic_long_inc(&view->attachments->ever);
	trace_morsel_attach(view->id, addr, level);
	spin_unlock(&view->lock);
	return VM_FAULT_NOPAGE;

unchanged:
	spin_unlock(&view->lock);
	kfree(slot);
	return VM_FAULT_NOPAGE;
}

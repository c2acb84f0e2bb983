// SPDX-License-Identifier: GPL-2.0-only
/*
 * mapping.c - VMAs of morsels: mmap, faults, and changes of a VMA
 *
 * A fault populates the page in the object's tree and then makes it visible:
 * by attaching the largest table that fits (attach.c), or, where none fits or
 * there are no shared tables for the VMA's rights, by handing the page to the
 * kernel, which maps it like a page of any file.  Never below an attached
 * entry, where the kernel's leaf would land in a shared table:
 * morsel_view_level() depends on the VMA alone, and whatever changes a VMA
 * detaches it first.  The other way round it may be: a VMA that has no view yet
 * gets leaves of its own, and a table that is attached later hides them, in
 * its placeholder, until it is detached, which comes before any zapping.
 *
 * vma->vm_private_data is the view.  It is set at mmap, and lazily by a fault
 * in VMAs that come from fork, split or mremap; changed with the mmap lock
 * held for writing and the VMA write-locked, read by faults under either.
 *
 * So is vma->vm_ops.  Faults of a new VMA that holds nothing but whole tables run
 * under its lock only after one that populated something: to attach takes the mmap
 * lock, and when all is there nothing else is to be done.  To find that out under
 * the lock of the VMA, the kernel would allocate a page table and throw it away.
 * What changes a VMA, so that its tables may no longer fit, ends that, too.
 */
#include <linux/compat.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pagemap.h>
#include <linux/ptrace.h>
#include <linux/sched/signal.h>
#include <asm/syscall.h>
#include <asm/unistd.h>

#include "attach.h"
#include "compat.h"
#include "mapping.h"
#include "object.h"
#include "pmem.h"

static const struct vm_operations_struct morsel_vm_ops;
#ifdef MORSEL_HAVE_VMA_LOCK
static const struct vm_operations_struct morsel_vm_ops_locked;
#endif

static struct morsel_object *vma_object(const struct vm_area_struct *vma)
{
	return morsel_object_of(vma->vm_file);
}

static u64 vma_index(const struct vm_area_struct *vma, unsigned long addr)
{
	return vma->vm_pgoff + ((addr - vma->vm_start) >> PAGE_SHIFT);
}

static bool vma_is_ours(const struct vm_area_struct *vma)
{
#ifdef MORSEL_HAVE_VMA_LOCK
	if (vma->vm_ops == &morsel_vm_ops_locked)
		return true;
#endif
	return vma->vm_ops == &morsel_vm_ops;
}

/* What is written to a private mapping goes to pages of the process's own. */
static bool vma_is_private(const struct vm_area_struct *vma)
{
	return !(vma->vm_flags & VM_MAYSHARE);
}

/* Level of the largest table that can be attached around an address; 0: a page. */
static unsigned int vma_level(struct vm_area_struct *vma, unsigned long addr)
{
	struct morsel_object *object = vma_object(vma);

	/* Who has a table has all of its pages, bad ones too. */
	if (vma_is_private(vma) || object->dram.damaged)
		return 0;
	return morsel_view_level(vma, addr, object->order);
}

/* From now on faults run under the lock of the VMA; it is new or write-locked. */
static void vma_lock_faults(struct vm_area_struct *vma)
{
#ifdef MORSEL_HAVE_VMA_LOCK
	vma->vm_ops = &morsel_vm_ops_locked;
#endif
}

/* Give the VMA at @addr a view, if it is still ours and has none. */
static void vma_add_view(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma;
	struct morsel_view *view;

	if (mmap_write_lock_killable(mm))
		return;
	vma = find_vma(mm, addr);
	if (vma && vma->vm_start <= addr && vma_is_ours(vma) &&
	    !vma->vm_private_data) {
		struct morsel_object *object = vma_object(vma);

		view = morsel_view_create(vma, object->id,
					  &object->attachments);
		if (!IS_ERR(view)) {
			vma_start_write(vma);
			vma->vm_private_data = view;
		}
	}
	mmap_write_unlock(mm);
}

/* Whether ->fault may give up the mmap lock. */
static bool fault_may_unlock(const struct vm_fault *vmf)
{
	return !(vmf->flags & (FAULT_FLAG_VMA_LOCK | FAULT_FLAG_TRIED |
			       FAULT_FLAG_RETRY_NOWAIT)) &&
	       vmf->flags & FAULT_FLAG_ALLOW_RETRY && !signal_pending(current);
}

/*
 * A VMA without a view, after fork for one: make it at the first touch.  That
 * takes the mmap lock for writing, so give up the lock of the fault and have
 * it tried again.  Returns 0 where the fault may not be dropped, was tried
 * before, or would fail for a pending signal (not every caller of the fault
 * path counts its tries); it then maps a single page, which needs no view.
 */
static vm_fault_t vma_want_view(struct vm_fault *vmf)
{
	struct mm_struct *mm = vmf->vma->vm_mm;
	unsigned long addr = vmf->address;

	if (vmf->flags & FAULT_FLAG_VMA_LOCK) {
		vma_end_read(vmf->vma);
		return VM_FAULT_RETRY;
	}
	if (!fault_may_unlock(vmf))
		return 0;

	mmap_read_unlock(mm);
	vma_add_view(mm, addr);
	return VM_FAULT_RETRY;
}

/*
 * The system call under which the kernel faults in a page, with its arguments,
 * or -1 where it is not a page of the caller.  Nothing else tells such faults
 * from one another: what is made of it may be of use, and must do no harm to
 * whoever is fooled.
 */
static int fault_syscall(struct vm_fault *vmf, unsigned long *args)
{
	if (vmf->vma->vm_mm != current->mm ||
	    (current->flags & (PF_KTHREAD | PF_IO_WORKER)) || in_compat_syscall())
		return -1;
	syscall_get_arguments(current, current_pt_regs(), args);
	return syscall_get_nr(current, current_pt_regs());
}

/*
 * mlockall(MCL_ONFAULT), and an mmap() after it, are to populate nothing.  But
 * the kernel does not mark a VMA that may not be expanded with VM_LOCKONFAULT,
 * and so goes through all of it.  It takes an error there for the VMA's end.
 */
static noinline bool fault_unwanted(struct vm_fault *vmf)
{
	unsigned long args[6];

	switch (fault_syscall(vmf, args)) {
	case __NR_mlockall:
		return args[0] & MCL_ONFAULT;
	case __NR_mmap:
		return (current->mm->def_flags & VM_LOCKONFAULT) &&
		       !(args[3] & MAP_POPULATE);
	}
	return false;
}

/*
 * The last page to populate with the one of a fault by the kernel.  It is that
 * page, but for MADV_POPULATE_* and MAP_POPULATE, which have the kernel fault
 * in one page after the other: a PTE table of them is populated at once, and
 * the kernel finds the others present.
 */
static noinline u64 fault_last(struct vm_fault *vmf, u64 index)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long args[6], end = vma->vm_end;

	switch (fault_syscall(vmf, args)) {
	case __NR_madvise:
		if (args[2] != MADV_POPULATE_READ &&
		    args[2] != MADV_POPULATE_WRITE)
			return index;
		end = min(end, args[0] + args[1]);
		break;
	case __NR_mmap:
		if (!(args[3] & MAP_POPULATE))
			return index;
		break;
	default:
		return index;
	}
	if (end <= vmf->address)
		return index;
	return min(vma_index(vma, end - 1), index | (MORSEL_ENTRIES - 1));
}

/* What is populated with a page where MADV_SEQUENTIAL says that more will follow. */
#define SEQUENTIAL_PAGES	16u

/* The last page to populate with the one of a fault of the program's own. */
static u64 fault_last_sequential(struct vm_area_struct *vma, u64 index)
{
	if (morsel_dram_one_by_one(vma))
		return index;
	return min(vma_index(vma, vma->vm_end - 1), index | (SEQUENTIAL_PAGES - 1));
}

/* What is ahead is a bonus: that it cannot be had is no error. */
static int fault_populate(struct morsel_object *object, struct vm_area_struct *vma,
			  unsigned long vm_flags, u64 index, u64 last, bool ahead,
			  struct morsel_tree **tree)
{
	int added;

	if (unlikely(ahead)) {
		added = morsel_object_populate(object, vm_flags, index, last,
					       MORSEL_DRAM_AHEAD, tree);
		if (added >= 0)
			return added;
		last = index;
	}
	return morsel_object_populate(object, vm_flags, index, last, vma, tree);
}

/* Have the kernel map a page, unless it is taken out before it can. */
static vm_fault_t fault_page(struct vm_fault *vmf, u64 index)
{
	struct morsel_object *object = vma_object(vmf->vma);
	struct page *page = morsel_object_page(object, index);

	if (!page)
		return VM_FAULT_NOPAGE;
	/* Held until the kernel has mapped it; see morsel_dram_page_disown(). */
	lock_page(page);
	if (page->mapping != object->inode->i_mapping) {
		unlock_page(page);
		put_page(page);
		return VM_FAULT_NOPAGE;
	}
	/* Not left to the kernel, which would evict it as a page of its cache. */
	if (PageHWPoison(page)) {
		unlock_page(page);
		put_page(page);
		return VM_FAULT_HWPOISON;
	}
	/* Should it fail now, the kernel would do so yet, but for one that is dirty. */
	if (!PageDirty(page))
		SetPageDirty(page);
	vmf->page = page;
	return VM_FAULT_LOCKED;
}

/*
 * Who was killed while waiting goes back to where the signal is looked for; and who
 * finds the object shorter than a moment ago, to where that is.
 */
static vm_fault_t fault_error(int err)
{
	switch (err) {
	case -EINTR:
	case -ERANGE:
		return VM_FAULT_NOPAGE;
	case -ENOSPC:
	case -EIO:
		return VM_FAULT_SIGBUS;
	}
	return VM_FAULT_OOM;
}

/*
 * A fault under the mmap lock has populated a page: more will follow.  They are
 * to run under the lock of the VMA.
 */
static vm_fault_t fault_populated(struct vm_fault *vmf, vm_fault_t ret)
{
#ifdef MORSEL_HAVE_VMA_LOCK
	unsigned long addr = vmf->address;
	struct vm_area_struct *vma;
	struct mm_struct *mm;

	/* First: else it may have been let go. */
	if (ret != VM_FAULT_NOPAGE || vmf->vma->vm_ops != &morsel_vm_ops ||
	    !fault_may_unlock(vmf))
		return ret;

	mm = vmf->vma->vm_mm;
	/* The kernel goes on with a page unless it is told that there is none. */
	ret |= VM_FAULT_COMPLETED;
	mmap_read_unlock(mm);
	if (mmap_write_lock_killable(mm))
		return ret;
	vma = vma_lookup(mm, addr);
	if (vma && vma->vm_ops == &morsel_vm_ops) {
		vma_start_write(vma);
		vma_lock_faults(vma);
	}
	mmap_write_unlock(mm);
#endif
	return ret;
}

/*
 * Pages up to @last are there, and that of the fault is visible; at @level 0 it is to be,
 * and at others where that is 0: by the table of @tree.
 */
static vm_fault_t fault_make(struct vm_fault *vmf, u64 index, u64 last, bool ahead,
			     unsigned int level, int *added, struct morsel_tree **tree)
{
	struct vm_area_struct *vma = vmf->vma;
	struct morsel_object *object = vma_object(vma);
	/* Whatever rights the kernel gives its own leaf. */
	unsigned long rights = level ? vma->vm_flags : VM_READ | VM_WRITE;

	*added = fault_populate(object, vma, rights, index, last, ahead, tree);
	if (*added < 0)
		return fault_error(*added);
	if (!level)
		return fault_page(vmf, index);
	return morsel_view_attached(vmf, *tree, index, level, !*added);
}

/* Who stops a device does not wait for who waits here for others. */
static vm_fault_t fault_attach(struct vm_fault *vmf, struct morsel_tree *tree, u64 index,
			       unsigned int level)
{
	struct vm_area_struct *vma = vmf->vma;
	struct morsel_pmem *pmem = vma_object(vma)->dram.pmem;
	unsigned long seq;
	vm_fault_t ret = morsel_view_begin(vma->vm_private_data, vmf, &seq);

	if (ret)
		return ret;
	if (unlikely(pmem) && !morsel_pmem_enter(pmem))
		return VM_FAULT_SIGBUS;
	ret = morsel_view_attach(vma->vm_private_data, vmf, tree, index, level, seq);
	if (unlikely(pmem))
		morsel_pmem_leave(pmem);
	return ret;
}

static vm_fault_t morsel_vm_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct morsel_object *object = vma_object(vma);
	struct morsel_pmem *pmem = object->dram.pmem;
	u64 index = vma_index(vma, vmf->address);
	u64 limit = morsel_hold_limit(&object->dram.hold);
	u64 last = index;
	bool ahead = false;
	struct morsel_tree *tree;
	unsigned int level;
	vm_fault_t ret;
	int added;

	if (unlikely(index >= limit))
		return VM_FAULT_SIGBUS;
	if (unlikely(pmem) && morsel_pmem_failed(&object->dram, &object->tree, index))
		return VM_FAULT_HWPOISON;
	if (unlikely(!(vmf->flags & FAULT_FLAG_USER))) {
		if (fault_unwanted(vmf))
			return VM_FAULT_SIGBUS;
		last = min(fault_last(vmf, index), limit - 1);
	} else if (unlikely(vma->vm_flags & VM_SEQ_READ)) {
		last = min(fault_last_sequential(vma, index), limit - 1);
		ahead = last > index;
	}
	level = vma_level(vma, vmf->address);
	if (level && !vma->vm_private_data) {
		ret = vma_want_view(vmf);
		if (ret)
			return ret;
		level = 0;
	}

	if (unlikely(pmem) && !morsel_pmem_enter(pmem))
		return VM_FAULT_SIGBUS;
	ret = fault_make(vmf, index, last, ahead, level, &added, &tree);
	/* From here on a page that the kernel is to map is locked, no more: faults_drain(). */
	if (unlikely(pmem))
		morsel_pmem_leave(pmem);
	if (!ret)
		ret = fault_attach(vmf, tree, index, level);
	return level && added > 0 ? fault_populated(vmf, ret) : ret;
}

#ifdef MORSEL_HAVE_VMA_LOCK
/* Maps nothing; its existence lets ->fault run under the VMA lock. */
static vm_fault_t morsel_vm_map_pages(struct vm_fault *vmf, pgoff_t start,
				      pgoff_t end)
{
	return 0;
}
#endif

/*
 * A copy of a VMA (fork, split, mremap) starts without a view: nothing is
 * attached in its range, and its first fault makes one.
 */
static void morsel_vm_open(struct vm_area_struct *vma)
{
	morsel_object_copy_map(vma_object(vma));
	vma->vm_private_data = NULL;
}

static void morsel_vm_close(struct vm_area_struct *vma)
{
	morsel_view_destroy(vma->vm_private_data);
	morsel_object_unmap(vma_object(vma));
}

/*
 * An object with a fixed address is mapped there or not at all.  What is mapped
 * private is a program or a copy, in which no pointer of others is followed.
 */
static bool address_permitted(struct morsel_object *object,
			      const struct vm_area_struct *vma)
{
	u64 fixed = vma_is_private(vma) ? 0 : READ_ONCE(object->address);

	return !fixed || vma->vm_start == fixed + ((u64)vma->vm_pgoff << PAGE_SHIFT);
}

static int morsel_vm_mremap(struct vm_area_struct *vma)
{
	vma_start_write(vma);
	vma_lock_faults(vma);
	return address_permitted(vma_object(vma), vma) ? 0 : -EINVAL;
}

/* The parts may attach at other levels: let them find out by faulting. */
static int morsel_vm_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	vma_start_write(vma);
	morsel_view_detach(vma->vm_private_data);
	vma_lock_faults(vma);
	return 0;
}

/*
 * The kernel announces mprotect() only after it has loaded the entry, and
 * then would change leaves in shared tables.  Detached first, it finds nothing
 * and announces nothing, so other users of the address space (KVM, HMM) would
 * keep what they may do no longer: zapping the range tells them.  Always, for
 * what is detached now says nothing of what they took from it before.
 */
static int morsel_vm_mprotect(struct vm_area_struct *vma, unsigned long start,
			      unsigned long end, unsigned long newflags)
{
	vma_start_write(vma);
	vma_lock_faults(vma);
	/* No view; and to zap would lose what was written. */
	if (vma_is_private(vma))
		return 0;
	morsel_view_detach(vma->vm_private_data);
	morsel_zap_range(vma, start, end);
	return 0;
}

#define MORSEL_VM_OPS                        \
	.open = morsel_vm_open,              \
	.close = morsel_vm_close,            \
	.may_split = morsel_vm_may_split,    \
	.mremap = morsel_vm_mremap,          \
	.mprotect = morsel_vm_mprotect,      \
	.fault = morsel_vm_fault

static const struct vm_operations_struct morsel_vm_ops = {
	MORSEL_VM_OPS,
};

#ifdef MORSEL_HAVE_VMA_LOCK
static const struct vm_operations_struct morsel_vm_ops_locked = {
	MORSEL_VM_OPS,
	.map_pages = morsel_vm_map_pages,
};
#endif

/* The largest table that [start, end) holds as a whole, and offset alike. */
static unsigned int range_level(u64 start, u64 end, unsigned int order)
{
	unsigned int level;

	for (level = order; level; level--) {
		u64 size = morsel_level_size(level);

		if (ALIGN(start, size) + size <= end)
			break;
	}
	return level;
}

static bool range_valid(struct morsel_object *object, u64 pgoff, u64 len)
{
	u64 pages = morsel_level_pages(object->order);

	return pgoff < pages && len >> PAGE_SHIFT <= pages - pgoff;
}

/* Is there a place in the VMA where a table could be attached? */
static bool vma_attachable(struct vm_area_struct *vma)
{
	unsigned long first = ALIGN(vma->vm_start, PMD_SIZE);

	return first < vma->vm_end && vma_level(vma, first);
}

/**
 * morsel_mmap() - map a morsel or a part of it
 * @file: descriptor of the morsel
 * @vma:  the new VMA
 *
 * Attaches nothing yet; the first touch does.
 *
 * Return: 0, -EINVAL (beyond the end, or not at the fixed address),
 * -EACCES (executable, without that right), -ESTALE or -ENOMEM.
 */
int morsel_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct morsel_object *object = morsel_object_of(file);
	struct morsel_view *view = NULL;
	bool attachable;
	int err;

	if (!range_valid(object, vma->vm_pgoff, vma->vm_end - vma->vm_start) ||
	    !address_permitted(object, vma))
		return -EINVAL;
	if (!morsel_object_executable(file)) {
		if (vma->vm_flags & VM_EXEC)
			return -EACCES;
		vm_flags_clear(vma, VM_MAYEXEC);
	}

	err = morsel_object_map(object);
	if (err)
		return err;

	/* Single pages are mapped by the kernel and need no view. */
	attachable = vma_attachable(vma);
	if (attachable) {
		view = morsel_view_create(vma, object->id, &object->attachments);
		/* With a signal pending there is none; a fault will make it. */
		if (view == ERR_PTR(-EINTR))
			view = NULL;
		if (IS_ERR(view)) {
			morsel_object_unmap(object);
			return PTR_ERR(view);
		}
	}

	/*
	 * Not VM_PFNMAP (pins would fail) and not VM_MIXEDMAP (fork would copy
	 * every entry).  VM_DONTEXPAND also keeps VMAs from being merged.
	 */
	vm_flags_set(vma, VM_DONTEXPAND | (vma_is_private(vma) ? 0 : VM_DONTDUMP));
	vma->vm_private_data = view;
	vma->vm_ops = &morsel_vm_ops;
	if (!attachable ||
	    !IS_ALIGNED(vma->vm_start | vma->vm_end, PMD_SIZE))
		vma_lock_faults(vma);
	return 0;
}

/* What to add to @addr to have it aligned to @size like @offset is. */
static unsigned long align_gap(unsigned long addr, u64 offset, u64 size)
{
	return (offset - addr) & (size - 1);
}

/*
 * Room for @len at an address that is aligned like @offset.  A hint above the
 * 47-bit window is how a 5-level address space is asked for its upper part.
 */
static unsigned long area_aligned(unsigned long len, u64 offset, u64 size,
				  unsigned long flags)
{
	unsigned long room = len + size - PAGE_SIZE;
	unsigned long hint, found;

	if (room > TASK_SIZE)
		return -ENOMEM;
	hint = room >= DEFAULT_MAP_WINDOW ? TASK_SIZE_MAX - room : 0;
	found = morsel_unmapped_area(PAGE_ALIGN_DOWN(hint), room, flags);
	return IS_ERR_VALUE(found) ? found :
				     found + align_gap(found, offset, size);
}

/*
 * The fixed address of an object: if it is free, or with MAP_FIXED in place of
 * what is there.  Address 0 is no hint only without MAP_FIXED: mremap() goes to
 * the address that it was given, whatever is answered here.
 */
static unsigned long area_fixed(unsigned long addr, unsigned long hint,
				unsigned long len, unsigned long flags)
{
	unsigned long found;

	if ((hint || flags & MAP_FIXED) && hint != addr)
		return -EINVAL;
	if (addr > TASK_SIZE || len > TASK_SIZE - addr)
		return -ENOMEM;
	found = morsel_unmapped_area(addr, len, flags);
	return IS_ERR_VALUE(found) || found == addr ? found : -EEXIST;
}

/**
 * morsel_get_unmapped_area() - find a place where large tables can be attached
 * @file:  descriptor of the morsel
 * @addr:  hint, or the address with MAP_FIXED
 * @len:   bytes, a multiple of the page size
 * @pgoff: first page of the morsel
 * @flags: MAP_*
 *
 * Aligned like the morsel for the largest table that lies in the range as a
 * whole, or, where there is no room for that, for a smaller one.
 *
 * Return: an address, or -EINVAL (beyond the end of the morsel, or not its
 * fixed address), -EEXIST (that is occupied) or -ENOMEM (no room).
 */
unsigned long morsel_get_unmapped_area(struct file *file, unsigned long addr,
				       unsigned long len, unsigned long pgoff,
				       unsigned long flags)
{
	struct morsel_object *object = morsel_object_of(file);
	u64 offset = (u64)pgoff << PAGE_SHIFT, fixed;
	unsigned long found;
	unsigned int level;
	bool private;

	if (!range_valid(object, pgoff, len))
		return -EINVAL;
	/* mremap() says MAP_SHARED or nothing. */
	private = !(flags & MAP_SHARED);
	fixed = private ? 0 : READ_ONCE(object->address);
	if (fixed)
		return area_fixed(fixed + offset, addr, len, flags);
	if (flags & MAP_FIXED)
		return morsel_unmapped_area(addr, len, flags);

	level = private ? 0 : range_level(offset, offset + len, object->order);
	if (addr && addr <= TASK_SIZE) {
		addr += align_gap(addr, offset, morsel_level_size(level));
		found = morsel_unmapped_area(addr, len, flags);
		if (found == addr)
			return addr;
	}
	do {
		found = area_aligned(len, offset, morsel_level_size(level), flags);
	} while (IS_ERR_VALUE(found) && level--);
	return found;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compat.h - everything that differs between supported kernels
 *
 * Kbuild probes the kernel's headers and defines MORSEL_HAVE_*; no other file
 * asks which kernel it is built for.
 */
#ifndef MORSEL_COMPAT_H
#define MORSEL_COMPAT_H

#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/posix_acl.h>
#include <linux/sched/mm.h>

#if !IS_ENABLED(CONFIG_FS_DAX) || !defined(CONFIG_ZONE_DEVICE)
#error "morsel needs a kernel with FS_DAX and ZONE_DEVICE"
#endif
#if !defined(CONFIG_X86_64) || !defined(CONFIG_MMU_NOTIFIER)
#error "morsel needs an x86-64 kernel with MMU_NOTIFIER"
#endif
#if defined(MORSEL_HAVE_UFFD_WP_ASYNC) && !defined(MORSEL_HAVE_UFFD_NOT_SPECIAL)
#error "this kernel lets userfaultfd write into shared page tables; take a newer one of its series"
#endif
#if !defined(CONFIG_ZONE_DMA) && defined(CONFIG_NUMA)
#error "morsel needs ZONE_DMA: by the zone of its pages a file is exempt from NUMA balancing"
#endif
#ifdef MORSEL_HAVE_GLOBAL_ASID
#error "this kernel has global ASIDs (AMD INVLPGB), which the TLB shootdown does not know"
#endif
/* A number until 6.12, then decided by Kconfig. */
#ifdef USE_SPLIT_PTE_PTLOCKS
#if USE_SPLIT_PTE_PTLOCKS
#define MORSEL_SPLIT_PTE_LOCKS
#endif
#elif defined(CONFIG_SPLIT_PTE_PTLOCKS)
#define MORSEL_SPLIT_PTE_LOCKS
#endif
#if ALLOC_SPLIT_PTLOCKS && defined(MORSEL_SPLIT_PTE_LOCKS)
#error "this kernel (PREEMPT_RT or lockdep) does not export the allocator of its page-table locks"
#endif

/* 6.3: VMA flags are changed through helpers that lock the VMA. */
#ifndef MORSEL_HAVE_VM_FLAGS_SET
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags &= ~flags;
}
#endif

/* 6.4: faults under a lock of the VMA instead of the mmap lock. */
#ifndef MORSEL_HAVE_VMA_LOCK
#define FAULT_FLAG_VMA_LOCK 0
static inline void vma_start_write(struct vm_area_struct *vma) { }
static inline void vma_end_read(struct vm_area_struct *vma) { }
#endif

/* 6.7: get_unmapped_area is no longer a pointer in mm_struct. */
static inline unsigned long morsel_unmapped_area(unsigned long addr,
						 unsigned long len,
						 unsigned long flags)
{
#ifdef MORSEL_HAVE_MM_GET_UNMAPPED_AREA
	return mm_get_unmapped_area(current->mm, NULL, addr, len, 0, flags);
#else
	return current->mm->get_unmapped_area(NULL, addr, len, 0, flags);
#endif
}

/* 6.3: zap_page_range_single() is exported in its place. */
static inline void morsel_zap_range(struct vm_area_struct *vma,
				    unsigned long start, unsigned long end)
{
#ifdef MORSEL_HAVE_ZAP_PAGE_RANGE
	zap_page_range(vma, start, end - start);
#else
	zap_page_range_single(vma, start, end - start, NULL);
#endif
}

/* 6.3: permission checks take the idmapping of the mount. */
#ifdef MORSEL_HAVE_MNT_IDMAP
typedef struct mnt_idmap morsel_idmap_t;
#define morsel_idmap (&nop_mnt_idmap)
#else
typedef struct user_namespace morsel_idmap_t;
#define morsel_idmap (&init_user_ns)
#endif

/* 6.6 and 6.7: times of an inode are set by helpers. */
static inline void morsel_inode_set_mtime(struct inode *inode, struct timespec64 time)
{
#ifdef MORSEL_HAVE_INODE_TIMES
	inode_set_mtime_to_ts(inode, time);
#else
	inode->i_mtime = time;
#endif
}

static inline void morsel_inode_init_times(struct inode *inode)
{
#ifdef MORSEL_HAVE_INODE_TIMES
	simple_inode_init_ts(inode);
#else
	inode->i_mtime = inode_set_ctime_current(inode);
	inode->i_atime = inode->i_mtime;
#endif
}

#ifdef MORSEL_HAVE_INODE_TIMES
#define morsel_inode_atime(inode)		inode_get_atime(inode)
#define morsel_inode_mtime(inode)		inode_get_mtime(inode)
#define morsel_inode_set_atime(inode, time)	((void)inode_set_atime_to_ts(inode, time))
#define morsel_inode_set_ctime(inode, time)	((void)inode_set_ctime_to_ts(inode, time))
#else
#define morsel_inode_atime(inode)		((inode)->i_atime)
#define morsel_inode_mtime(inode)		((inode)->i_mtime)
#define morsel_inode_set_atime(inode, time)	((void)((inode)->i_atime = (time)))
#define morsel_inode_set_ctime(inode, time)	((void)((inode)->i_ctime = (time)))
#endif

/* 6.6: says what is asked for. */
static inline void morsel_fillattr(morsel_idmap_t *idmap, u32 mask, struct inode *inode,
				   struct kstat *stat)
{
#ifdef MORSEL_HAVE_FILLATTR_MASK
	generic_fillattr(idmap, mask, inode, stat);
#else
	generic_fillattr(idmap, inode, stat);
#endif
}

/* 6.2: access control lists are changed by the dentry. */
#ifdef MORSEL_HAVE_ACL_DENTRY
typedef struct dentry morsel_acl_owner_t;

static inline struct inode *morsel_acl_inode(morsel_acl_owner_t *owner)
{
	return d_inode(owner);
}
#else
typedef struct inode morsel_acl_owner_t;

static inline struct inode *morsel_acl_inode(morsel_acl_owner_t *owner)
{
	return owner;
}
#endif

static inline int morsel_acl_chmod(morsel_idmap_t *idmap, struct dentry *dentry,
				   umode_t mode)
{
#ifdef MORSEL_HAVE_ACL_DENTRY
	return posix_acl_chmod(idmap, dentry, mode);
#else
	return posix_acl_chmod(idmap, d_inode(dentry), mode);
#endif
}

/* 6.3: and are no extended attributes any more, but for who lists handlers. */
#ifdef MORSEL_HAVE_NOP_ACL
#define MORSEL_ACL_HANDLERS
#else
#define MORSEL_ACL_HANDLERS \
	&posix_acl_access_xattr_handler, \
	&posix_acl_default_xattr_handler,
#endif

/* 6.5: reads into a pipe without an iterator of its own. */
#ifdef MORSEL_HAVE_COPY_SPLICE_READ
#define morsel_splice_read copy_splice_read
#else
#define morsel_splice_read generic_file_splice_read
#endif

/* 6.7 and 6.9: who opens a block device gets a file. */
#ifdef MORSEL_HAVE_BDEV_FILE
typedef struct file morsel_bdev_t;
#define morsel_bdev(handle)	file_bdev(handle)
#define morsel_bdev_close(handle) bdev_fput(handle)

static inline morsel_bdev_t *morsel_bdev_open(const char *path, void *holder)
{
	return bdev_file_open_by_path(path, BLK_OPEN_READ | BLK_OPEN_WRITE, holder, NULL);
}
#else
typedef struct block_device morsel_bdev_t;
#define morsel_bdev(handle)	(handle)
#define MORSEL_BDEV_MODE	(FMODE_READ | FMODE_WRITE | FMODE_EXCL)
#define morsel_bdev_close(handle) blkdev_put(handle, MORSEL_BDEV_MODE)

static inline morsel_bdev_t *morsel_bdev_open(const char *path, void *holder)
{
	return blkdev_get_by_path(path, MORSEL_BDEV_MODE, holder);
}
#endif

/*
 * Constructors of page tables.  Walkers take the lock that lives in the
 * descriptor of a PTE or PMD table, so every table of ours needs its own.
 * 6.5 moved them from struct page to struct ptdesc.
 */
static inline bool morsel_table_ctor(struct page *page, unsigned int level)
{
#ifdef MORSEL_HAVE_PTDESC
	switch (level) {
	case 1:
		return pagetable_pte_ctor(page_ptdesc(page));
	case 2:
		return pagetable_pmd_ctor(page_ptdesc(page));
#ifdef MORSEL_HAVE_PTDESC_PUD
	case 3:
		pagetable_pud_ctor(page_ptdesc(page));
		return true;
#endif
	}
#else
	switch (level) {
	case 1:
		return pgtable_pte_page_ctor(page);
	case 2:
		return pgtable_pmd_page_ctor(page);
	}
#endif
	return true;
}

static inline void morsel_table_dtor(struct page *page, unsigned int level)
{
#ifdef MORSEL_HAVE_PTDESC
	switch (level) {
	case 1:
		pagetable_pte_dtor(page_ptdesc(page));
		break;
	case 2:
		pagetable_pmd_dtor(page_ptdesc(page));
		break;
#ifdef MORSEL_HAVE_PTDESC_PUD
	case 3:
		pagetable_pud_dtor(page_ptdesc(page));
		break;
#endif
	}
#else
	switch (level) {
	case 1:
		pgtable_pte_page_dtor(page);
		break;
	case 2:
		pgtable_pmd_page_dtor(page);
		break;
	}
#endif
}

/*
 * The lock of a PTE table.  Where the kernel has none for each table (few
 * processors), walkers hold the page_table_lock of their mm, which a detach
 * takes as well.
 */
static inline void morsel_table_lock(struct page *table)
{
#if !defined(MORSEL_SPLIT_PTE_LOCKS)
#elif defined(MORSEL_HAVE_PTDESC)
	spin_lock(ptlock_ptr(page_ptdesc(table)));
#else
	spin_lock(ptlock_ptr(table));
#endif
}

static inline void morsel_table_unlock(struct page *table)
{
#if !defined(MORSEL_SPLIT_PTE_LOCKS)
#elif defined(MORSEL_HAVE_PTDESC)
	spin_unlock(ptlock_ptr(page_ptdesc(table)));
#else
	spin_unlock(ptlock_ptr(table));
#endif
}

/*
 * Have the processor leave an address space that it has loaded without running it,
 * if so; interrupts are off.  The variable is exported, but declared for the kernel
 * proper only; where it is no longer what Kbuild knows, no processor is taken for
 * lazy.  leave_mm() has no argument in 6.12.
 */
#ifdef MORSEL_HAVE_TLB_LAZY
struct tlb_state_shared {
	bool is_lazy;
};
DECLARE_PER_CPU_SHARED_ALIGNED(struct tlb_state_shared, cpu_tlbstate_shared);

static inline bool morsel_leave_lazy_mm(void)
{
	if (!this_cpu_read(cpu_tlbstate_shared.is_lazy))
		return false;
#ifdef MORSEL_HAVE_LEAVE_MM_CPU
	leave_mm(smp_processor_id());
#else
	leave_mm();
#endif
	return true;
}
#else
static inline bool morsel_leave_lazy_mm(void)
{
	return false;
}
#endif

#endif /* MORSEL_COMPAT_H */

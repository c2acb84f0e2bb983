// SPDX-License-Identifier: GPL-2.0-only
/*
 * tlb.c - TLB shootdown with what a stock kernel exports
 *
 * flush_tlb_mm_range() is not exported.  What it does is: bump the generation
 * of the mm, so that a processor that switches to it later flushes, then
 * interrupt the processors that run it now.  Both parts are open to modules.
 *
 * The interrupt has a second duty: lockless walkers (get_user_pages_fast)
 * disable interrupts, so once it has been answered none of them is left in a
 * table that was reachable before.
 */
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/smp.h>
#include <asm/invpcid.h>
#include <asm/tlbflush.h>

#include "compat.h"
#include "tlb.h"

/*
 * All address spaces, user and kernel half of a PTI pair, but not the global
 * kernel entries where they can be told apart.  Without PCIDs there is but one
 * address space in a TLB, and to load CR3 drops it.
 */
static void tlb_flush_local(void *unused)
{
	if (!static_cpu_has(X86_FEATURE_PCID))
		native_write_cr3(__native_read_cr3());
	else if (static_cpu_has(X86_FEATURE_INVPCID))
		invpcid_flush_all_nonglobals();
	else
		__flush_tlb_all();
}

/*
 * A lazy processor takes no part in the address space any more, as when the kernel
 * flushes it: it leaves, which takes it out of the cpumask (of 6.1 and 6.12), and is
 * not woken by the next flush.
 */
static void tlb_interrupt(void *unused)
{
	if (!morsel_leave_lazy_mm())
		tlb_flush_local(NULL);
}

/**
 * morsel_tlb_flush_mm() - no translation of @mm made before survives this
 * @mm: an address space of which an entry was changed
 *
 * The bump is a full barrier between the caller's change of the entry and the
 * read of the cpumask.  It pairs with switch_mm_irqs_off(), which sets the bit
 * in the cpumask before it reads the generation: a processor missing from the
 * mask sees the new generation and flushes by itself.
 *
 * Without PCIDs it needs no generation for that: after it has set the bit it
 * loads CR3, always, and that flushes.  A processor that is lazy in @mm, and would
 * not load CR3 when it wakes, is in the mask, or has left @mm.  The bump would cost a second full
 * flush: at munmap the kernel flushes the one page that stands for a table that
 * it frees, and everything if it has missed a generation.
 *
 * Context: any with interrupts enabled; does not sleep.
 */
void morsel_tlb_flush_mm(struct mm_struct *mm)
{
	if (static_cpu_has(X86_FEATURE_PCID))
		atomic64_inc_return(&mm->context.tlb_gen);
	else
		smp_mb(); /* entry before cpumask, as the bump; see above */
	on_each_cpu_mask(mm_cpumask(mm), tlb_interrupt, NULL, true);
}

/**
 * morsel_tlb_flush_local() - no translation made before survives here
 *
 * For a fault that finds its page there already.  Where an empty table was
 * replaced by a filled one, nothing can be read through the stale entry, but a
 * processor that keeps it in a paging-structure cache would fault for ever: the
 * kernel finds the page present and returns.  Intel drops such entries for the
 * address at every page fault (SDM vol. 3, 4.10.4.1); nobody else promises it.
 *
 * Interrupts are off, as when another processor asks for it: an interrupt may take
 * the address space that is lazy here out of CR3, and it must not be put back.
 *
 * Context: any.
 */
void morsel_tlb_flush_local(void)
{
	unsigned long flags;

	local_irq_save(flags);
	tlb_flush_local(NULL);
	local_irq_restore(flags);
}

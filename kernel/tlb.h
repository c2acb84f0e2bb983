/* SPDX-License-Identifier: GPL-2.0-only */
/* tlb.h - TLB shootdown with what a stock kernel exports */
#ifndef MORSEL_TLB_H
#define MORSEL_TLB_H

struct mm_struct;

void morsel_tlb_flush_mm(struct mm_struct *mm);
void morsel_tlb_flush_local(void);

#endif /* MORSEL_TLB_H */

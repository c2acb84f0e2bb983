/* SPDX-License-Identifier: GPL-2.0-only */
/* pmem_frames.h - which frames of a device are given out */
#ifndef MORSEL_PMEM_FRAMES_H
#define MORSEL_PMEM_FRAMES_H

#include "pmem.h"

void morsel_pmem_frames_init(struct morsel_pmem *pmem);
void morsel_pmem_keep(struct morsel_pmem *pmem);
unsigned int morsel_pmem_take(struct morsel_dram *dram, u64 *pfns, unsigned int count);
void morsel_pmem_give(struct morsel_pmem *pmem, struct page *page);
bool morsel_pmem_idle(struct page *page);
unsigned long morsel_pmem_drain(struct morsel_pmem *pmem);

#endif /* MORSEL_PMEM_FRAMES_H */

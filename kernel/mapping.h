/* SPDX-License-Identifier: GPL-2.0-only */
/* mapping.h - VMAs of morsels */
#ifndef MORSEL_MAPPING_H
#define MORSEL_MAPPING_H

#include <linux/fs.h>

int morsel_mmap(struct file *file, struct vm_area_struct *vma);
unsigned long morsel_get_unmapped_area(struct file *file, unsigned long addr,
				       unsigned long len, unsigned long pgoff,
				       unsigned long flags);

#endif /* MORSEL_MAPPING_H */

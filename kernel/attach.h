/* SPDX-License-Identifier: GPL-2.0-only */
/* attach.h - subtrees hung into address spaces, one entry each */
#ifndef MORSEL_ATTACH_H
#define MORSEL_ATTACH_H

#include <linux/mm.h>

#include "tree.h"

struct morsel_view;

/**
 * struct morsel_attachments - what all views of an object have attached
 * @now:  entries that are attached
 * @ever: entries that ever were
 */
struct morsel_attachments {
	atomic_long_t now;
	atomic_long_t ever;
};

struct morsel_view *morsel_view_create(struct vm_area_struct *vma, u64 id,
				       struct morsel_attachments *attachments);
long morsel_view_attachments(void);
void morsel_view_destroy(struct morsel_view *view);
void morsel_view_detach(struct morsel_view *view);
unsigned int morsel_view_level(struct vm_area_struct *vma, unsigned long addr,
			       unsigned int order);
vm_fault_t morsel_view_attached(struct vm_fault *vmf, struct morsel_tree *tree, u64 index,
				unsigned int level, bool present);
vm_fault_t morsel_view_begin(struct morsel_view *view, struct vm_fault *vmf,
			     unsigned long *seq);
vm_fault_t morsel_view_attach(struct morsel_view *view, struct vm_fault *vmf,
			      struct morsel_tree *tree, u64 index,
			      unsigned int level, unsigned long seq);

#endif /* MORSEL_ATTACH_H */

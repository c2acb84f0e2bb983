/* SPDX-License-Identifier: GPL-2.0-only */
/* mirror.h - the pages of one tree under other rights */
#ifndef MORSEL_MIRROR_H
#define MORSEL_MIRROR_H

#include "tree.h"

/**
 * struct morsel_mirror - tables of its own over the pages of another tree
 * @source:   takes tables from the original's source, pages from the original
 * @tree:     the tables
 * @original: the tree that owns the pages
 */
struct morsel_mirror {
	struct morsel_source source;
	struct morsel_tree tree;
	struct morsel_tree *original;
};

int morsel_mirror_init(struct morsel_mirror *mirror,
		       struct morsel_tree *original, u64 leaf_flags);
void morsel_mirror_destroy(struct morsel_mirror *mirror);
int morsel_mirror_populate(struct morsel_mirror *mirror, u64 first, u64 last,
			   void *hint);

#endif /* MORSEL_MIRROR_H */

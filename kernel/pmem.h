/* SPDX-License-Identifier: GPL-2.0-only */
/* pmem.h - a pool of frames on a persistent-memory device */
#ifndef MORSEL_PMEM_H
#define MORSEL_PMEM_H

#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "dram.h"
#include "pool.h"

struct dax_device;
struct dev_pagemap;

/* What outlives a loss of power: caches too, or memory alone (ADR). */
enum morsel_domain { MORSEL_DOMAIN_AUTO, MORSEL_DOMAIN_CACHE, MORSEL_DOMAIN_MEMORY };

/*
 * Frames that are kept back: a 32nd of the device, at most 512 KiB.  Nobody fills them
 * with data; a device that is full has them for what is to be changed all the same.
 */
#define MORSEL_PMEM_SPARE	128u
#define MORSEL_PMEM_SPARE_PART	32u

/* Who may have them: names that change (half of them), attributes that do not grow. */
enum morsel_last { MORSEL_LAST_NAMES, MORSEL_LAST_ATTRIBUTES, MORSEL_LASTS };

/**
 * struct morsel_pmem - a pool that is in use
 * @pool:    what lies on it
 * @meta:    source of the frames that no process maps: inodes, directories, attributes
 * @last:    by enum morsel_last, the same for who may have frames that are kept back
 * @bdev:    the block device, claimed
 * @dax:     the same as memory
 * @pgmap:   what describes its frames; held, so that they do not go away
 * @domain:  what outlives a loss of power
 * @start:   first page of it in @dax
 * @poisoned: memory of it has failed
 * @started: allocation may begin, the frames in use are known
 * @lock:    protects what follows; innermost
 * @pinned:  frames that were freed and that somebody still holds; they name one another
 * @spares:  frames that are kept back, by their number in the pool
 * @spare:   how many there are
 * @spare_max: how many there are to be
 * @again:   looks at pinned ones
 */
struct morsel_pmem {
	struct morsel_pool pool;
	struct morsel_dram meta;
	struct morsel_dram last[MORSEL_LASTS];
	morsel_bdev_t *bdev;
	struct dax_device *dax;
	struct dev_pagemap *pgmap;
	enum morsel_domain domain;
	u64 start;
	bool poisoned;
	bool started;
	spinlock_t lock;	/* protects pinned, spares */
	struct page *pinned;
	u64 spares[MORSEL_PMEM_SPARE];
	unsigned int spare;
	unsigned int spare_max;
	struct delayed_work again;
};

struct morsel_pmem *morsel_pmem_open(const char *path, enum morsel_domain domain,
				     const char **why);
void morsel_pmem_close(struct morsel_pmem *pmem);
void morsel_pmem_source(struct morsel_dram *dram, struct morsel_pmem *pmem);
int morsel_pmem_adopt(struct morsel_dram *dram, struct morsel_tree *tree);
int morsel_pmem_adopt_pages(struct morsel_dram *dram, struct morsel_tree *tree);
bool morsel_pmem_failed(const struct morsel_dram *dram, const struct morsel_tree *tree,
			u64 index);
void morsel_pmem_release(struct morsel_dram *dram, struct morsel_tree *tree);

#endif /* MORSEL_PMEM_H */

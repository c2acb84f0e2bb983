/* SPDX-License-Identifier: GPL-2.0-only */
/* pmem.h - a pool of frames on a persistent-memory device */
#ifndef MORSEL_PMEM_H
#define MORSEL_PMEM_H

#include <linux/completion.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/percpu-refcount.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "compat.h"
#include "dram.h"
#include "pool.h"

struct dax_device;
struct dax_holder_operations;
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
 * @poisoned: memory of it has failed, or is known to be bad
 * @bad:     frames that were known to be bad when it was opened, by number of the machine;
 *           with who unflags them (pmem_bad.c)
 * @bads:    how many
 * @started: allocation may begin, the frames in use are known
 * @lock:    protects @pinned, @spares; innermost
 * @pinned:  frames that were freed and that somebody still holds; they name one another
 * @spares:  frames that are kept back, by their number in the pool
 * @spare:   how many there are
 * @spare_max: how many there are to be
 * @again:   looks at pinned ones
 * @end:     closes it, when they are not pinned any more
 * @all:     in the list of all of them
 * @users:   who is using it; none any more once it is stopped
 * @idle:    the last of them is done
 * @stop_lock: protects @stopped
 * @stopped: nobody is using it, and nobody will
 * @revoke:  called once, after that, to take it from who has it mapped
 * @objects_lock: protects @objects
 * @objects: &morsel_object.on_device, for @revoke
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
	struct xarray bad;
	unsigned long bads;
	bool started;
	spinlock_t lock;	/* protects pinned, spares */
	struct page *pinned;
	u64 spares[MORSEL_PMEM_SPARE];
	unsigned int spare;
	unsigned int spare_max;
	struct delayed_work again;
	struct work_struct end;
	struct list_head all;
	struct percpu_ref users;
	struct completion idle;
	struct mutex stop_lock;	/* protects stopped */
	bool stopped;
	void (*revoke)(struct morsel_pmem *pmem);
	struct mutex objects_lock;	/* protects objects */
	struct list_head objects;
};

int morsel_pmem_setup(void);
void morsel_pmem_teardown(void);
struct morsel_pmem *morsel_pmem_open(const char *path, enum morsel_domain domain,
				     void (*revoke)(struct morsel_pmem *pmem),
				     const char **why);
void morsel_pmem_close(struct morsel_pmem *pmem);
void morsel_pmem_source(struct morsel_dram *dram, struct morsel_pmem *pmem);
int morsel_pmem_adopt(struct morsel_dram *dram, struct morsel_tree *tree);
int morsel_pmem_adopt_pages(struct morsel_dram *dram, struct morsel_tree *tree);
void morsel_pmem_release(struct morsel_dram *dram, struct morsel_tree *tree);

/* pmem_bad.c */
bool morsel_pmem_has_list(struct morsel_pmem *pmem);
int morsel_pmem_bad_read(struct morsel_pmem *pmem, u64 base, u64 frames,
			 const char **why);
bool morsel_pmem_bad(const struct morsel_pool *pool, u64 frame);
void morsel_pmem_bad_withdraw(struct morsel_pmem *pmem, const char *path);
void morsel_pmem_bad_forget(struct morsel_pmem *pmem);
void morsel_pmem_fail(struct morsel_pmem *pmem, u64 first, u64 last);
bool morsel_pmem_failed(const struct morsel_dram *dram, const struct morsel_tree *tree,
			u64 index);

/* pmem_stop.c */
extern const struct dax_holder_operations morsel_pmem_holder_ops;
int morsel_pmem_register(struct morsel_pmem *pmem);
void morsel_pmem_deregister(struct morsel_pmem *pmem);
void morsel_pmem_stop(struct morsel_pmem *pmem);

/*
 * Begin to use what is on the device: false, when it was stopped.  Who has begun is
 * waited for by who stops it, so may not wait for user space until morsel_pmem_leave().
 */
static inline bool morsel_pmem_enter(struct morsel_pmem *pmem)
{
	return percpu_ref_tryget_live(&pmem->users);
}

static inline void morsel_pmem_leave(struct morsel_pmem *pmem)
{
	percpu_ref_put(&pmem->users);
}

/* It is stopped, or about to be. */
static inline bool morsel_pmem_stopped(const struct morsel_pmem *pmem)
{
	return percpu_ref_is_dying((struct percpu_ref *)&pmem->users);
}

#endif /* MORSEL_PMEM_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* object.h - the morsel: a tree with an owner, a mode, a lifetime and an ID */
#ifndef MORSEL_OBJECT_H
#define MORSEL_OBJECT_H

#include <linux/atomic.h>
#include <linux/fs.h>
#include <linux/rcupdate.h>

#include "attach.h"
#include "dram.h"
#include "meta.h"
#include "mirror.h"

struct morsel_info;

/* Rights other than read and write that have tables of their own. */
enum morsel_rights { MORSEL_R, MORSEL_RX, MORSEL_RWX, MORSEL_MIRRORS };

/**
 * struct morsel_object - one morsel
 * @tree:     its pages, under tables for reading and writing
 * @mirrors:  tables for other rights, made when they are first used
 * @dram:     the source of its frames
 * @inode:    owner, mode and address space; the object's memory lives as long
 * @let_go:   called when it needs the inode no longer; NULL: it has no ID by which
 *            it could be found, and lives as long as the inode
 * @serial:   tells it from all others, before and after it
 * @order:    how large it is or, if it grows, can be
 * @id:       morsel ID that was handed out, fixed
 * @data_id:  ID of the tree, fixed; the same but for objects with a meta morsel
 * @meta:     frame of the meta morsel, or MORSEL_PFN_NONE
 * @address:  where it is to be mapped, or 0: anywhere; see morsel_object_set_address()
 * @flags:    MORSEL_CREATE_*
 * @adopted:  its pages say whose they are, see morsel_object_adopt()
 * @users:    descriptors and VMAs; far below zero once destroyed
 * @mappings: VMAs
 * @attachments: entries in private tables that point into its tables
 * @on_device: in &morsel_pmem.objects
 * @rcu:      the registry is read under RCU
 */
struct morsel_object {
	struct morsel_tree tree;
	struct morsel_mirror *mirrors[MORSEL_MIRRORS];
	struct morsel_dram dram;
	struct inode *inode;
	void (*let_go)(struct inode *inode);
	u64 serial;
	u64 id;
	u64 data_id;
	u64 meta;
	u64 address;
	unsigned int order;
	u32 flags;
	bool adopted;
	atomic_t users;
	atomic_t mappings;
	struct morsel_attachments attachments;
	struct list_head on_device;
	struct rcu_head rcu;
};

int morsel_object_check(unsigned int order, u32 flags, u64 address);
struct morsel_object *morsel_object_create(struct inode *inode, unsigned int order,
					   u32 flags, u64 address,
					   void (*let_go)(struct inode *inode));
struct morsel_object *morsel_object_create_growing(struct inode *inode, u64 id,
						   struct morsel_budget *budget);
struct morsel_object *morsel_object_open(struct inode *inode, u64 id,
					 struct morsel_pmem *pmem, u64 *top);
int morsel_object_adopt(struct morsel_object *object);
void morsel_object_close(struct morsel_object *object);
void morsel_object_free(struct morsel_object *object);
void morsel_object_inode_init(struct inode *inode);
bool morsel_object_permits(struct morsel_object *object, int mask);
struct morsel_object *morsel_object_get(u64 id, int mask);
struct morsel_object *morsel_object_find(u64 *frame);
int morsel_object_next(u64 *cursor, struct morsel_info *info);
bool morsel_object_use(struct morsel_object *object);
void morsel_object_unuse(struct morsel_object *object);
void morsel_object_abandon(struct morsel_object *object);
int morsel_object_map(struct morsel_object *object);
void morsel_object_copy_map(struct morsel_object *object);
void morsel_object_unmap(struct morsel_object *object);
int morsel_object_destroy(struct morsel_object *object);
void morsel_object_retire(struct morsel_object *object);
void morsel_object_set_address(struct morsel_object *object, u64 address);
void morsel_object_describe(struct morsel_object *object,
			    struct morsel_info *info);
unsigned long morsel_object_count(void);
void morsel_object_teardown(void);

/* pages.c */
int morsel_object_populate(struct morsel_object *object, unsigned long vm_flags,
			   u64 first, u64 last, void *hint,
			   struct morsel_tree **tree);
struct page *morsel_object_page(struct morsel_object *object, u64 index);
int morsel_object_insert(struct morsel_object *object, u64 index, u64 pfn);
int morsel_object_fill(struct morsel_object *object, u64 *next, u64 last);
struct morsel_tree *morsel_object_next_table(struct morsel_object *object,
					     unsigned int *set,
					     struct morsel_table_place *place);
void morsel_object_mirrors_destroy(struct morsel_object *object);

/* The greatest order that the processor can walk. */
static inline unsigned int morsel_order_max(void)
{
	return pgtable_l5_enabled() ? 4 : 3;
}

static inline struct morsel_object *morsel_object_of(const struct file *file)
{
	return file_inode(file)->i_private;
}

/* Set when the file was made: its opener may map the object executable. */
static inline bool morsel_object_executable(const struct file *file)
{
	return file->private_data;
}

static inline bool morsel_object_alive(struct morsel_object *object)
{
	return atomic_read(&object->users) >= 0;
}

#endif /* MORSEL_OBJECT_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pool.h - a pool of frames on a persistent medium, and what lies where in it
 *
 * docs/persistence.md has the rules; in short: what is reachable from the super block
 * is there, and all else is free.  Whatever becomes reachable does so by one store of
 * eight bytes, when all that it leads to is persistent.
 *
 * Numbers are little-endian.  A frame is named by its number in the machine where
 * processors read it (in entries of tables and tops of trees), so the super block
 * says by which number of its own frame these go; pool_move.c changes that.
 */
#ifndef MORSEL_POOL_H
#define MORSEL_POOL_H

#include "pool_frames.h"
#include "tree.h"

#define MORSEL_POOL_MAGIC	0x6c6f6f70736c726dull	/* "mrslpool" */
#define MORSEL_POOL_VERSION	1u

/* Frames of a pool that are always in use. */
#define MORSEL_POOL_SUPER	0u
#define MORSEL_POOL_EMPTY2	1u	/* a PMD table, empty for ever */
#define MORSEL_POOL_EMPTY3	2u	/* a PUD table full of it */
#define MORSEL_POOL_FIRST	3u

/**
 * struct morsel_pool_super - frame 0
 * @magic:    MORSEL_POOL_MAGIC
 * @version:  MORSEL_POOL_VERSION; others are refused
 * @checksum: CRC-32 of what is before @base, with this field 0
 * @uuid:     tells it from all other pools
 * @frames:   how many there are, this one included
 * @features: what must be understood to use it; 0
 * @reserved: 0
 * @base:     number of this frame by which entries go
 * @moving:   the same, or that by which some of them go already
 * @inodes:   top of the tree that has the inodes
 */
struct morsel_pool_super {
	u64 magic;
	u32 version;
	u32 checksum;
	u8 uuid[16];
	u64 frames;
	u64 features;
	u64 reserved[10];
	u64 base;
	u64 moving;
	u64 inodes;
};

/*
 * Flag bits of entries on the medium, which processors of x86-64 walk through as they
 * are: what the kernel calls _PAGE_TABLE, and PAGE_SHARED with accessed, dirty and
 * soft-dirty.  Of a leaf that is present, writable, for users, not executable.
 */
#define MORSEL_POOL_TABLE_FLAGS	0x0000000000000067ull
#define MORSEL_POOL_LEAF_FLAGS	0x8000000000000867ull
/* Of these, what processors and kernels change: accessed, dirty, soft- and saved-dirty. */
#define MORSEL_POOL_MAY_FLAGS	0x0400000000000860ull

/* A number that no machine has for a frame: see pool_move.c. */
#define MORSEL_POOL_NOWHERE	0x8000000000ull

/**
 * struct morsel_pool_attr - what an inode says of its file
 * @mode:       type and permission bits
 * @flags:      FS_*_FL
 * @uid:        owner
 * @gid:        group
 * @size:       bytes
 * @device:     of a device
 * @generation: tells a file from an earlier one with the same number
 * @xattrs:     top of a tree with the extended attributes, or 0
 * @seconds:    since 1970, of access, change of content, change, birth
 * @nanoseconds: of the same
 * @checksum:   CRC-32 of all this, with this field 0
 * @pad:        0
 */
struct morsel_pool_attr {
	u32 mode;
	u32 flags;
	u32 uid;
	u32 gid;
	u64 size;
	u64 device;
	u64 generation;
	u64 xattrs;
	s64 seconds[4];
	u32 nanoseconds[4];
	u32 checksum;
	u32 pad;
};

/**
 * struct morsel_pool_inode - an inode on the medium
 * @which:    index of the attributes that count; the others are being written
 * @top:      top of the tree of its content
 * @attr:     see morsel_pool_attr_set()
 * @reserved: 0
 */
struct morsel_pool_inode {
	u64 which;
	u64 top;
	struct morsel_pool_attr attr[2];
	u64 reserved[4];
};

#define MORSEL_POOL_ROOT	1u	/* number of the root directory's inode */
#define MORSEL_PAGE_INODES	(MORSEL_PAGE_SIZE / sizeof(struct morsel_pool_inode))

/**
 * struct morsel_pool_name - an entry of a directory
 * @inode: number of the inode, and MORSEL_NAME_*; 0: the entry is free
 * @other: with a flag, where the other entry is; see pool_names.c
 * @swap:  with MORSEL_NAME_SWAP, what the other entry is to have as its @inode
 * @length: of the name, in bytes
 * @name:  the name
 */
struct morsel_pool_name {
	u64 inode;
	u64 other;
	u64 swap;
	u8 length;
	char name[255];
	u8 pad[8];
};

/* The other entry is the old name: it counts no more. */
#define MORSEL_NAME_MOVED	0x4000000000000000ull
/* The other entry is about to get @swap. */
#define MORSEL_NAME_SWAP	0x8000000000000000ull
#define MORSEL_NAME_INODE	0xffffffffull

#define MORSEL_PAGE_NAMES	(MORSEL_PAGE_SIZE / sizeof(struct morsel_pool_name))

/**
 * struct morsel_pool - a pool that is in use
 * @super:   frame 0
 * @base:    its number
 * @frames:  which are in use
 * @source:  of frames, for all trees
 * @inodes:  tree of the inodes
 * @persist: see &struct morsel_source
 * @bad:     is a frame (0 is the super block) one that nobody may read?  NULL: none is
 * @lost:    one of those, without which nothing can be said of the pool: see
 *           morsel_pool_readable()
 */
struct morsel_pool {
	struct morsel_pool_super *super;
	u64 base;
	struct morsel_pool_frames frames;
	struct morsel_source *source;
	struct morsel_tree inodes;
	void (*persist)(const void *p, size_t bytes);
	bool (*bad)(const struct morsel_pool *pool, u64 frame);
	u64 lost;
};

static inline bool morsel_pool_bad(const struct morsel_pool *pool, u64 frame)
{
	return pool->bad && pool->bad(pool, frame);
}

/* Asked before a frame is read that has to be: 0, or -EIO, and it is the one that is @lost. */
static inline int morsel_pool_readable(struct morsel_pool *pool, u64 frame)
{
	if (!morsel_pool_bad(pool, frame))
		return 0;
	WRITE_ONCE(pool->lost, frame);
	return -EIO;
}

/* All that was written to the range is persistent before what is written next. */
static inline void morsel_pool_persist(struct morsel_pool *pool, const void *p,
				       size_t bytes)
{
	if (pool->persist)
		pool->persist(p, bytes);
}

/* Make something count by one store: what it leads to is persistent already. */
static inline void morsel_pool_commit(struct morsel_pool *pool, u64 *p, u64 value)
{
	morsel_plat_publish(p, value);
	morsel_pool_persist(pool, p, sizeof(*p));
}

/* pool_super.c */
void morsel_pool_init(struct morsel_pool *pool, u64 base, struct morsel_source *source);
int morsel_pool_format(struct morsel_pool *pool, u64 frames, const u8 *uuid,
		       const struct morsel_pool_attr *root);
int morsel_pool_check_super(struct morsel_pool *pool, u64 frames, const char **why);

/* pool_move.c */
int morsel_pool_move(struct morsel_pool *pool, const char **why);

/* Do entries go by other numbers than frames have, so that a move is needed first? */
static inline bool morsel_pool_moved(const struct morsel_pool *pool)
{
	return pool->super->base != pool->base || pool->super->moving != pool->base;
}

/**
 * struct morsel_pool_found - what recovery has found
 * @inodes:   that names lead to
 * @names:    how many
 * @pages:    frames that are pages of files and directories
 * @tables:   frames that are tables
 * @finished: names that were being moved or swapped
 * @cut:      pages that were behind the end of their file
 * @cleared:  last pages of files with something behind the end
 * @why:      what is wrong, when something is
 * @inode:    of which inode
 */
struct morsel_pool_found {
	u64 inodes;
	u64 names;
	u64 pages;
	u64 tables;
	u64 finished;
	u64 cut;
	u64 cleared;
	const char *why;
	u64 inode;
};

/* pool_recover.c */
int morsel_pool_recover(struct morsel_pool *pool, bool fix, unsigned int workers,
			struct morsel_pool_found *found);

/* pool_inode.c */
struct morsel_pool_inode *morsel_pool_inode(struct morsel_pool *pool, u64 number);
int morsel_pool_inode_new(struct morsel_pool *pool, u64 number,
			  const struct morsel_pool_attr *attr,
			  struct morsel_pool_inode **inode);
void morsel_pool_attr_get(const struct morsel_pool_inode *inode,
			  struct morsel_pool_attr *attr);
void morsel_pool_attr_set(struct morsel_pool *pool, struct morsel_pool_inode *inode,
			  const struct morsel_pool_attr *attr);
bool morsel_pool_attr_valid(const struct morsel_pool_attr *attr);

/* pool_names.c */
struct morsel_pool_name *morsel_pool_name(struct morsel_tree *directory, u64 slot);
int morsel_pool_name_prepare(struct morsel_pool *pool, struct morsel_tree *directory,
			     u64 slot, const char *name, unsigned int length,
			     struct morsel_pool_name **entry);
void morsel_pool_name_add(struct morsel_pool *pool, struct morsel_pool_name *entry,
			  u64 inode);
void morsel_pool_name_remove(struct morsel_pool *pool, struct morsel_pool_name *entry);
void morsel_pool_name_move(struct morsel_pool *pool, struct morsel_pool_name *from,
			   u64 from_place, struct morsel_pool_name *to);
void morsel_pool_name_leave(struct morsel_pool *pool, struct morsel_pool_name *from,
			    u64 from_place, struct morsel_pool_name *to, u64 inode);
void morsel_pool_name_swap(struct morsel_pool *pool, struct morsel_pool_name *a,
			   struct morsel_pool_name *b, u64 b_place);
bool morsel_pool_name_valid(const struct morsel_pool_name *name, u64 word);
void morsel_pool_name_finish(struct morsel_pool *pool, struct morsel_pool_name *entry,
			     struct morsel_pool_name *other);

/* How many entries a directory has room for: a place has 32 bits for that. */
#define MORSEL_POOL_SLOTS	(0x100000000ull - 0x100000000ull % MORSEL_PAGE_NAMES)

/* Where an entry is: in which directory, and the how manieth. */
static inline u64 morsel_pool_place(u64 directory, u64 slot)
{
	return directory << 32 | slot;
}

#endif /* MORSEL_POOL_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * pool_inode.c - inodes of a pool
 *
 * They lie in a tree of their own, by number.  An inode is in use when a name leads
 * to it, and by nothing else: nothing on the medium says so of itself, or of how many
 * names it has.
 *
 * Attributes are there twice, with one word that says which count.  Whatever changes,
 * and however much of it at once, does so by that word.
 */
#include "pool.h"

/**
 * morsel_pool_inode() - an inode by its number
 * @pool:   the pool
 * @number: from 1 on
 *
 * Return: the inode, whether in use or not, or NULL when there is none.
 */
struct morsel_pool_inode *morsel_pool_inode(struct morsel_pool *pool, u64 number)
{
	u64 page = number / MORSEL_PAGE_INODES;
	struct morsel_pool_inode *inodes;
	u64 frame;

	if (!number || number > MORSEL_NAME_INODE)
		return NULL;
	frame = morsel_tree_lookup(&pool->inodes, page);
	if (frame == MORSEL_PFN_NONE)
		return NULL;
	inodes = (struct morsel_pool_inode *)morsel_frame_table(frame);
	return &inodes[number % MORSEL_PAGE_INODES];
}

static u32 attr_checksum(const struct morsel_pool_attr *attr)
{
	struct morsel_pool_attr copy = *attr;

	copy.checksum = 0;
	return crc32_le(~0u, (const u8 *)&copy, sizeof(copy));
}

/**
 * morsel_pool_attr_valid() - are these attributes that somebody wrote?
 * @attr: the attributes
 */
bool morsel_pool_attr_valid(const struct morsel_pool_attr *attr)
{
	return attr->checksum == attr_checksum(attr);
}

/**
 * morsel_pool_attr_get() - the attributes that count
 * @inode: the inode
 * @attr:  out: they
 */
void morsel_pool_attr_get(const struct morsel_pool_inode *inode,
			  struct morsel_pool_attr *attr)
{
	*attr = inode->attr[READ_ONCE(inode->which) & 1];
}

/* Word by word, for a harness to stop after each. */
static void attr_write(struct morsel_pool *pool, struct morsel_pool_attr *to,
		       const struct morsel_pool_attr *attr)
{
	struct morsel_pool_attr copy = *attr;
	u64 *from = (u64 *)&copy, *words = (u64 *)to;
	unsigned int i;

	copy.pad = 0;
	copy.checksum = attr_checksum(&copy);
	for (i = 0; i < sizeof(copy) / sizeof(*words); i++)
		morsel_plat_store(&words[i], from[i]);
	morsel_pool_persist(pool, to, sizeof(*to));
}

/**
 * morsel_pool_attr_set() - change any number of attributes, all or nothing
 * @pool:  the pool
 * @inode: the inode; one who changes it at a time
 * @attr:  what they are to be
 */
void morsel_pool_attr_set(struct morsel_pool *pool, struct morsel_pool_inode *inode,
			  const struct morsel_pool_attr *attr)
{
	u64 next = !(inode->which & 1);

	attr_write(pool, &inode->attr[next], attr);
	morsel_pool_commit(pool, &inode->which, next);
}

/**
 * morsel_pool_inode_new() - make an inode, for a name to lead to
 * @pool:   the pool
 * @number: one that is not in use, and nobody else's; up to 2^32 - 1
 * @attr:   its attributes
 * @inode:  out: it
 *
 * Context: process context, may sleep.
 * Return: 0, or what the source refuses a frame for.
 */
int morsel_pool_inode_new(struct morsel_pool *pool, u64 number,
			  const struct morsel_pool_attr *attr,
			  struct morsel_pool_inode **inode)
{
	u64 page = number / MORSEL_PAGE_INODES;
	int ret = morsel_tree_populate(&pool->inodes, page, page, NULL);
	unsigned int i;

	if (ret < 0)
		return ret;
	*inode = morsel_pool_inode(pool, number);
	/* What an earlier one had is not its own any more. */
	morsel_plat_store(&(*inode)->top, 0);
	morsel_plat_store(&(*inode)->which, 0);
	/* Whatever is there nobody has looked at. */
	for (i = 0; i < sizeof((*inode)->reserved) / sizeof((*inode)->reserved[0]); i++)
		if ((*inode)->reserved[i])
			morsel_plat_store(&(*inode)->reserved[i], 0);
	attr_write(pool, &(*inode)->attr[0], attr);
	morsel_pool_persist(pool, *inode, sizeof(**inode));
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * pool_names.c - directories of a pool: names that lead to inodes
 *
 * A directory is a file of entries of one size.  An entry is a name as soon as its
 * word @inode is not 0, and none as soon as it is: to add, to remove, and to have a
 * name lead elsewhere is one store.
 *
 * To move a name concerns two entries, of which the new one says so while it is going
 * on: first it is written where the old one is, then one store makes the new entry
 * count, and the old one not; then the old one is freed, then the flag goes.  Who
 * finds the flag after a crash does the rest.  To swap two names is the same, with
 * what the other is to get.
 *
 * Locks: the caller's, on all directories concerned, from the first store to the last.
 */
#include "pool.h"

/**
 * morsel_pool_name() - an entry by its position
 * @directory: content of the directory
 * @slot:      from 0 on
 *
 * Return: the entry, or NULL when nothing was written there ever.
 */
struct morsel_pool_name *morsel_pool_name(struct morsel_tree *directory, u64 slot)
{
	u64 frame = morsel_tree_lookup(directory, slot / MORSEL_PAGE_NAMES);
	struct morsel_pool_name *names;

	if (frame == MORSEL_PFN_NONE)
		return NULL;
	names = (struct morsel_pool_name *)morsel_frame_table(frame);
	return &names[slot % MORSEL_PAGE_NAMES];
}

/* Word by word, for a harness to stop after each. */
static void name_write(struct morsel_pool_name *entry, const char *name,
		       unsigned int length)
{
	union {
		struct morsel_pool_name name;
		u64 words[sizeof(struct morsel_pool_name) / sizeof(u64)];
	} copy = {};
	u64 *words = (u64 *)entry;
	unsigned int i;

	copy.name.length = length;
	memcpy(copy.name.name, name, length);
	/* All but @inode, which is 0. */
	for (i = 1; i < sizeof(copy) / sizeof(u64); i++)
		morsel_plat_store(&words[i], copy.words[i]);
}

/**
 * morsel_pool_name_prepare() - write a name into a free entry
 * @pool:      the pool
 * @directory: content of the directory
 * @slot:      position of the entry, which is free, below MORSEL_POOL_SLOTS
 * @name:      the name, any bytes
 * @length:    1 to 255
 * @entry:     out: the entry; still free
 *
 * Context: process context, may sleep.
 * Return: 0, or what the source refuses a frame for, or -ENOSPC at a position that a
 * directory does not have.
 */
int morsel_pool_name_prepare(struct morsel_pool *pool, struct morsel_tree *directory,
			     u64 slot, const char *name, unsigned int length,
			     struct morsel_pool_name **entry)
{
	u64 page = slot / MORSEL_PAGE_NAMES;
	int ret;

	if (slot >= MORSEL_POOL_SLOTS)
		return -ENOSPC;
	ret = morsel_tree_populate(directory, page, page, NULL);
	if (ret < 0)
		return ret;
	*entry = morsel_pool_name(directory, slot);
	name_write(*entry, name, length);
	morsel_pool_persist(pool, *entry, sizeof(**entry));
	return 0;
}

/**
 * morsel_pool_name_add() - have a name lead to an inode
 * @pool:  the pool
 * @entry: one that is prepared, or a name that is to lead elsewhere
 * @inode: number of the inode, which is persistent
 */
void morsel_pool_name_add(struct morsel_pool *pool, struct morsel_pool_name *entry,
			  u64 inode)
{
	morsel_pool_commit(pool, &entry->inode, inode);
}

/**
 * morsel_pool_name_remove() - a name is none any more
 * @pool:  the pool
 * @entry: the name
 */
void morsel_pool_name_remove(struct morsel_pool *pool, struct morsel_pool_name *entry)
{
	morsel_pool_commit(pool, &entry->inode, 0);
}

/**
 * morsel_pool_name_move() - rename
 * @pool:       the pool
 * @from:       the old name
 * @from_place: morsel_pool_place() of it
 * @to:         the new one, prepared, or one that leads elsewhere until now
 */
void morsel_pool_name_move(struct morsel_pool *pool, struct morsel_pool_name *from,
			   u64 from_place, struct morsel_pool_name *to)
{
	morsel_plat_store(&to->other, from_place);
	morsel_pool_persist(pool, &to->other, sizeof(to->other));
	morsel_pool_commit(pool, &to->inode, from->inode | MORSEL_NAME_MOVED);
	morsel_pool_name_finish(pool, to, from);
}

/**
 * morsel_pool_name_leave() - rename, and have the old name lead elsewhere
 * @pool:       the pool
 * @from:       the old name
 * @from_place: morsel_pool_place() of it
 * @to:         the new one, prepared, or one that leads elsewhere until now
 * @inode:      number of the inode that the old name is to lead to
 *
 * A swap with something that had no name until now.
 */
void morsel_pool_name_leave(struct morsel_pool *pool, struct morsel_pool_name *from,
			    u64 from_place, struct morsel_pool_name *to, u64 inode)
{
	morsel_plat_store(&to->other, from_place);
	morsel_plat_store(&to->swap, inode);
	morsel_pool_persist(pool, &to->other, 2 * sizeof(to->other));
	morsel_pool_commit(pool, &to->inode, from->inode | MORSEL_NAME_SWAP);
	morsel_pool_name_finish(pool, to, from);
}

/**
 * morsel_pool_name_swap() - exchange what two names lead to
 * @pool:    the pool
 * @a:       a name
 * @b:       another one
 * @b_place: morsel_pool_place() of that
 */
void morsel_pool_name_swap(struct morsel_pool *pool, struct morsel_pool_name *a,
			   struct morsel_pool_name *b, u64 b_place)
{
	morsel_plat_store(&a->other, b_place);
	morsel_plat_store(&a->swap, a->inode);
	morsel_pool_persist(pool, &a->other, 2 * sizeof(a->other));
	morsel_pool_commit(pool, &a->inode, b->inode | MORSEL_NAME_SWAP);
	morsel_pool_name_finish(pool, a, b);
}

static bool all_zero(const u8 *p, size_t bytes)
{
	while (bytes && !p[bytes - 1])
		bytes--;
	return !bytes;
}

/**
 * morsel_pool_name_valid() - is this a name, as somebody wrote it?
 * @name: an entry that is not free
 * @word: its @inode
 */
bool morsel_pool_name_valid(const struct morsel_pool_name *name, u64 word)
{
	u64 flags = word & ~MORSEL_NAME_INODE;

	return (!flags || flags == MORSEL_NAME_MOVED || flags == MORSEL_NAME_SWAP) &&
	       name->length && !memchr(name->name, '/', name->length) &&
	       !memchr(name->name, 0, name->length) && all_zero(name->pad, sizeof(name->pad));
}

/**
 * morsel_pool_name_finish() - what is left to be done to a name with a flag
 * @pool:  the pool
 * @entry: the name
 * @other: the entry that its @other says
 *
 * As often as it takes: each store of it may be the last before a crash.
 */
void morsel_pool_name_finish(struct morsel_pool *pool, struct morsel_pool_name *entry,
			     struct morsel_pool_name *other)
{
	u64 inode = entry->inode & MORSEL_NAME_INODE;

	if (entry->inode & MORSEL_NAME_SWAP)
		morsel_pool_commit(pool, &other->inode, entry->swap);
	else if (other->inode == inode)
		morsel_pool_commit(pool, &other->inode, 0);
	morsel_pool_commit(pool, &entry->inode, inode);
}

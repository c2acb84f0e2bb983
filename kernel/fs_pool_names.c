// SPDX-License-Identifier: GPL-2.0-only
/*
 * fs_pool_names.c - names of morselfs on a device
 *
 * A dentry knows in its ->d_fsdata which entry of its directory it is there.  All of
 * this runs under the locks of the directories concerned, which is what pool_names.c
 * asks for.  What can fail comes before anything is changed.
 */
#include <linux/fs.h>

#include "fs.h"
#include "pmem.h"

static struct morsel_pool *pool_of(const struct inode *inode)
{
	return &morsel_fs_of(inode->i_sb)->pmem->pool;
}

/* Slots count from 0, and no slot is none. */
static bool placed(const struct dentry *dentry)
{
	return dentry->d_fsdata;
}

static u64 slot_of(const struct dentry *dentry)
{
	return (unsigned long)dentry->d_fsdata - 1;
}

/**
 * morsel_fs_pool_place() - say where a name is on the device
 * @dentry: the name
 * @slot:   which entry of its directory
 */
void morsel_fs_pool_place(struct dentry *dentry, u64 slot)
{
	dentry->d_fsdata = (void *)(unsigned long)(slot + 1);
}

static struct morsel_pool_name *entry_of(struct inode *dir, const struct dentry *dentry)
{
	return morsel_pool_name(&morsel_inode_of(dir)->names, slot_of(dentry));
}

static u64 place_of(struct inode *dir, const struct dentry *dentry)
{
	return morsel_pool_place(dir->i_ino, slot_of(dentry));
}

static void slot_free(struct inode *dir, u64 slot)
{
	ida_free(&morsel_inode_of(dir)->slots, slot);
}

/*
 * A free entry with the name written into it.  One that only changes gets a page for
 * that from what a full device keeps back.
 */
static struct morsel_pool_name *entry_new(struct inode *dir, const struct dentry *dentry,
					  bool changes, int *slot)
{
	struct morsel_inode *morsel = morsel_inode_of(dir);
	struct morsel_tree names = morsel->names;
	struct morsel_pool_name *entry;
	int err;

	if (changes)
		names.source = &morsel_fs_of(dir->i_sb)->pmem->last[MORSEL_LAST_NAMES].source;

	*slot = ida_alloc(&morsel->slots, GFP_KERNEL);
	if (*slot < 0)
		return ERR_PTR(*slot);
	err = morsel_pool_name_prepare(pool_of(dir), &names, *slot,
				       dentry->d_name.name, dentry->d_name.len, &entry);
	if (err) {
		slot_free(dir, *slot);
		return ERR_PTR(err);
	}
	return entry;
}

/**
 * morsel_fs_pool_name() - an inode gets a name
 * @dir:    where; nothing is done where it is on no device
 * @dentry: the name
 * @inode:  what it leads to
 *
 * Return: 0, -ENOSPC or -ENOMEM.
 */
int morsel_fs_pool_name(struct inode *dir, struct dentry *dentry, struct inode *inode)
{
	struct morsel_pool_name *entry;
	int slot;

	if (!morsel_inode_of(dir)->medium)
		return 0;
	entry = entry_new(dir, dentry, false, &slot);
	if (IS_ERR(entry))
		return PTR_ERR(entry);
	/* What nobody could reach until now. */
	morsel_fs_pool_changed(inode);
	morsel_pool_name_add(pool_of(dir), entry, inode->i_ino);
	morsel_fs_pool_place(dentry, slot);
	return 0;
}

/**
 * morsel_fs_pool_unname() - a name is none any more
 * @dir:    where; nothing is done where it is on no device
 * @dentry: the name
 */
void morsel_fs_pool_unname(struct inode *dir, struct dentry *dentry)
{
	if (!morsel_inode_of(dir)->medium || WARN_ON_ONCE(!placed(dentry)))
		return;
	morsel_pool_name_remove(pool_of(dir), entry_of(dir, dentry));
	slot_free(dir, slot_of(dentry));
	dentry->d_fsdata = NULL;
}

static void exchange(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
		     struct dentry *new)
{
	morsel_pool_name_swap(pool_of(old_dir), entry_of(old_dir, old),
			      entry_of(new_dir, new), place_of(new_dir, new));
	/* The kernel exchanges the names of the dentries. */
	swap(old->d_fsdata, new->d_fsdata);
}

/**
 * morsel_fs_pool_rename() - a name gives way to another one
 * @old_dir:  where it is; nothing is done where it is on no device
 * @old:      the name
 * @new_dir:  where it is to be
 * @new:      its new name, which may lead elsewhere
 * @flags:    RENAME_EXCHANGE
 * @whiteout: what @old is to lead to from now on, or NULL
 *
 * Return: 0, or nothing has changed: -ENOSPC or -ENOMEM.
 */
int morsel_fs_pool_rename(struct inode *old_dir, struct dentry *old,
			  struct inode *new_dir, struct dentry *new, unsigned int flags,
			  struct inode *whiteout)
{
	struct morsel_pool_name *from, *to;
	u64 old_slot;
	int slot;

	if (!morsel_inode_of(old_dir)->medium)
		return 0;
	if (flags & RENAME_EXCHANGE) {
		exchange(old_dir, old, new_dir, new);
		return 0;
	}
	if (d_really_is_positive(new)) {
		slot = slot_of(new);
		to = entry_of(new_dir, new);
	} else {
		to = entry_new(new_dir, new, old_dir == new_dir, &slot);
		if (IS_ERR(to))
			return PTR_ERR(to);
	}
	from = entry_of(old_dir, old);
	old_slot = slot_of(old);
	if (whiteout) {
		morsel_fs_pool_changed(whiteout);
		morsel_pool_name_leave(pool_of(old_dir), from, place_of(old_dir, old), to,
				       whiteout->i_ino);
	} else {
		morsel_pool_name_move(pool_of(old_dir), from, place_of(old_dir, old), to);
		slot_free(old_dir, old_slot);
	}
	/* The dentry of the old name gets the new one. */
	new->d_fsdata = NULL;
	morsel_fs_pool_place(old, slot);
	return 0;
}

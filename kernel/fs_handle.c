// SPDX-License-Identifier: GPL-2.0-only
/*
 * fs_handle.c - file handles of morselfs, for name_to_handle_at() and NFS
 *
 * The ID of a file is its inode number, and opens nothing by itself; who may open
 * by a handle is the kernel's rule (CAP_DAC_READ_SEARCH).
 */
#include <linux/exportfs.h>
#include <linux/fs.h>

#include "fs.h"

/**
 * struct fs_handle - what a handle consists of
 * @ino:        inode number
 * @generation: of the inode
 */
struct fs_handle {
	u64 ino;
	u32 generation;
} __packed;

#define HANDLE_TYPE	0x6d
#define HANDLE_WORDS	(sizeof(struct fs_handle) / sizeof(u32))

static int fs_encode_fh(struct inode *inode, u32 *fh, int *words, struct inode *parent)
{
	struct fs_handle handle = {
		.ino = inode->i_ino,
		.generation = inode->i_generation,
	};
	bool room = *words >= (int)HANDLE_WORDS;

	*words = HANDLE_WORDS;
	if (!room)
		return FILEID_INVALID;
	memcpy(fh, &handle, sizeof(handle));
	return HANDLE_TYPE;
}

static int handle_fits(struct inode *inode, void *data)
{
	const struct fs_handle *handle = data;

	return inode->i_ino == handle->ino && inode->i_generation == handle->generation;
}

static struct dentry *fs_fh_to_dentry(struct super_block *sb, struct fid *fid,
				      int words, int type)
{
	struct fs_handle handle;
	struct dentry *dentry;
	struct inode *inode;

	if (type != HANDLE_TYPE || words < (int)HANDLE_WORDS)
		return NULL;
	memcpy(&handle, fid->raw, sizeof(handle));
	inode = ilookup5(sb, handle.ino, handle_fits, &handle);
	if (!inode)
		return NULL;
	/* An alias that is in use already: without names there are no others. */
	dentry = d_find_any_alias(inode);
	iput(inode);
	return dentry;
}

static struct dentry *fs_get_parent(struct dentry *child)
{
	return ERR_PTR(-ESTALE);
}

const struct export_operations morsel_fs_export_ops = {
	.encode_fh = fs_encode_fh,
	.fh_to_dentry = fs_fh_to_dentry,
	.get_parent = fs_get_parent,
};

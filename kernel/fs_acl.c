// SPDX-License-Identifier: GPL-2.0-only
/*
 * fs_acl.c - POSIX access control lists of morselfs
 *
 * The kernel's cache of an inode's lists is where they live.
 */
#include <linux/fs.h>
#include <linux/posix_acl.h>

#include "fs.h"

int morsel_fs_set_acl(morsel_idmap_t *idmap, morsel_acl_owner_t *owner,
		      struct posix_acl *acl, int type)
{
	struct inode *inode = morsel_acl_inode(owner);
	umode_t mode = inode->i_mode;
	int err;

	if (type == ACL_TYPE_ACCESS) {
		err = posix_acl_update_mode(idmap, inode, &mode, &acl);
		if (err)
			return err;
		inode->i_mode = mode;
	}
	inode_set_ctime_current(inode);
	set_cached_acl(inode, type, acl);
	return 0;
}

/**
 * morsel_fs_acl_init() - what a new inode inherits
 * @inode: the new inode
 * @dir:   where it is created
 *
 * Return: 0 or -ENOMEM.
 */
int morsel_fs_acl_init(struct inode *inode, struct inode *dir)
{
	struct posix_acl *preset, *access;
	int err = posix_acl_create(dir, &inode->i_mode, &preset, &access);

	if (err)
		return err;
	set_cached_acl(inode, ACL_TYPE_DEFAULT, preset);
	set_cached_acl(inode, ACL_TYPE_ACCESS, access);
	posix_acl_release(preset);
	posix_acl_release(access);
	return 0;
}

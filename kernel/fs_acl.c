// SPDX-License-Identifier: GPL-2.0-only
/*
 * fs_acl.c - POSIX access control lists of morselfs
 *
 * The kernel's cache of an inode's lists is where they live.  What they take is charged
 * like other attributes.
 */
#include <linux/fs.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

#include "fs.h"

static size_t acl_bytes(const struct posix_acl *acl)
{
	return acl ? sizeof(*acl) + acl->a_count * sizeof(*acl->a_entries) : 0;
}

static size_t cached_bytes(struct inode *inode, int type)
{
	struct posix_acl *acl = get_cached_acl(inode, type);
	size_t bytes;

	if (IS_ERR_OR_NULL(acl) || is_uncached_acl(acl))
		return 0;
	bytes = acl_bytes(acl);
	posix_acl_release(acl);
	return bytes;
}

/* Charge @more in the place of @less. */
static int acl_pay(struct inode *vfs_inode, size_t less, size_t more)
{
	struct morsel_inode *inode = morsel_inode_of(vfs_inode);
	int err;

	down_write(&inode->xattr_lock);
	err = morsel_fs_pay(vfs_inode, inode->bytes - less + more);
	up_write(&inode->xattr_lock);
	return err;
}

static int acl_on_device(struct inode *vfs_inode, umode_t mode)
{
	struct morsel_inode *inode = morsel_inode_of(vfs_inode);
	int err;

	down_write(&inode->xattr_lock);
	err = morsel_fs_pool_xattrs(vfs_inode, mode);
	up_write(&inode->xattr_lock);
	return err;
}

static int set_acl(morsel_idmap_t *idmap, struct inode *inode, struct posix_acl *acl,
		   int type)
{
	umode_t mode = inode->i_mode;
	struct posix_acl *old;
	int err;

	if (type == ACL_TYPE_ACCESS) {
		err = posix_acl_update_mode(idmap, inode, &mode, &acl);
		if (err)
			return err;
	}
	err = acl_pay(inode, cached_bytes(inode, type), acl_bytes(acl));
	if (err)
		return err;
	old = get_cached_acl(inode, type);
	set_cached_acl(inode, type, acl);
	err = acl_on_device(inode, mode);
	if (err) {
		set_cached_acl(inode, type, old);
		acl_pay(inode, acl_bytes(acl), acl_bytes(old));
	} else {
		inode_set_ctime_current(inode);
	}
	morsel_fs_pool_changed(inode);
	posix_acl_release(old);
	return err;
}

int morsel_fs_set_acl(morsel_idmap_t *idmap, morsel_acl_owner_t *owner,
		      struct posix_acl *acl, int type)
{
	struct inode *inode = morsel_acl_inode(owner);
	int err = morsel_fs_enter(inode);

	return err ? : morsel_fs_leave(inode, set_acl(idmap, inode, acl, type));
}

/**
 * morsel_fs_acl_read() - a list that was found on the device
 * @inode: the inode, which nobody else has
 * @type:  ACL_TYPE_ACCESS or ACL_TYPE_DEFAULT
 * @value: the list, as an extended attribute
 * @bytes: of it
 *
 * Return: 0, -EUCLEAN or -ENOMEM.
 */
int morsel_fs_acl_read(struct inode *inode, int type, const void *value, size_t bytes)
{
	struct posix_acl *acl = posix_acl_from_xattr(&init_user_ns, value, bytes);
	int err;

	if (IS_ERR_OR_NULL(acl))
		return acl == ERR_PTR(-ENOMEM) ? -ENOMEM : -EUCLEAN;
	err = posix_acl_valid(&init_user_ns, acl) || S_ISLNK(inode->i_mode) ||
	      (type == ACL_TYPE_DEFAULT && !S_ISDIR(inode->i_mode)) ? -EUCLEAN : 0;
	if (!err)
		err = acl_pay(inode, 0, acl_bytes(acl));
	if (!err)
		set_cached_acl(inode, type, acl);
	posix_acl_release(acl);
	return err;
}

/**
 * morsel_fs_acl_init() - what a new inode inherits
 * @inode: the new inode
 * @dir:   where it is created
 *
 * Return: 0, -ENOMEM or -ENOSPC.
 */
int morsel_fs_acl_init(struct inode *inode, struct inode *dir)
{
	struct posix_acl *preset, *access;
	int err = posix_acl_create(dir, &inode->i_mode, &preset, &access);

	if (err)
		return err;
	err = acl_pay(inode, 0, acl_bytes(preset) + acl_bytes(access));
	if (!err) {
		set_cached_acl(inode, ACL_TYPE_DEFAULT, preset);
		set_cached_acl(inode, ACL_TYPE_ACCESS, access);
	}
	posix_acl_release(preset);
	posix_acl_release(access);
	return err;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * fs_xattr.c - extended attributes of morselfs
 *
 * A list for each inode, in memory; what an inode may have is bounded, and charged
 * to the memory cgroup of who sets it.  The kernel has checked rights and names.
 */
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/posix_acl_xattr.h>
#include <linux/rwsem.h>
#include <linux/security.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/xattr.h>

#include "fs.h"
#include "object.h"

/* All attributes of one inode, their names included. */
#define XATTR_BYTES	(64u << 10)

void morsel_fs_xattrs_init(struct morsel_inode *inode)
{
	INIT_LIST_HEAD(&inode->xattrs);
	init_rwsem(&inode->xattr_lock);
	inode->bytes = 0;
}

static size_t xattr_bytes(const struct morsel_xattr *xattr)
{
	return sizeof(*xattr) + strlen(xattr->name) + 1 + xattr->size;
}

static void xattr_free(struct morsel_xattr *xattr)
{
	if (xattr)
		kfree(xattr->name);
	kvfree(xattr);
}

/**
 * morsel_fs_xattrs_free() - the inode goes away
 * @inode: the inode; nobody else uses it
 */
void morsel_fs_xattrs_free(struct morsel_inode *inode)
{
	struct morsel_xattr *xattr, *next;

	list_for_each_entry_safe(xattr, next, &inode->xattrs, list)
		xattr_free(xattr);
	INIT_LIST_HEAD(&inode->xattrs);
	morsel_fs_pay(&inode->inode, 0);
}

static struct morsel_xattr *xattr_new(const char *name, const void *value, size_t size)
{
	struct morsel_xattr *xattr;

	if (size > XATTR_BYTES)
		return ERR_PTR(-ENOSPC);
	xattr = kvmalloc(struct_size(xattr, value, size), GFP_KERNEL_ACCOUNT);
	if (!xattr)
		return ERR_PTR(-ENOMEM);
	xattr->size = size;
	memcpy(xattr->value, value, size);
	xattr->name = kstrdup(name, GFP_KERNEL_ACCOUNT);
	if (!xattr->name) {
		kvfree(xattr);
		return ERR_PTR(-ENOMEM);
	}
	return xattr;
}

/* The lock of the attributes is held. */
static struct morsel_xattr *xattr_find(struct morsel_inode *inode, const char *name)
{
	struct morsel_xattr *xattr;

	list_for_each_entry(xattr, &inode->xattrs, list)
		if (!strcmp(xattr->name, name))
			return xattr;
	return NULL;
}

static int fs_xattr_get(const struct xattr_handler *handler, struct dentry *dentry,
			struct inode *vfs_inode, const char *suffix, void *buffer,
			size_t size)
{
	struct morsel_inode *inode = morsel_inode_of(vfs_inode);
	struct morsel_xattr *xattr;
	int ret = -ENODATA;

	down_read(&inode->xattr_lock);
	xattr = xattr_find(inode, xattr_full_name(handler, suffix));
	if (xattr) {
		ret = xattr->size;
		if (buffer && size < xattr->size)
			ret = -ERANGE;
		else if (buffer)
			memcpy(buffer, xattr->value, xattr->size);
	}
	up_read(&inode->xattr_lock);
	return ret;
}

/* What all take with @xattr (NULL: nothing) in the place of @old (NULL: of nothing). */
static size_t bytes_with(const struct morsel_inode *inode, const struct morsel_xattr *old,
			 const struct morsel_xattr *xattr)
{
	return inode->bytes - (old ? xattr_bytes(old) : 0) +
	       (xattr ? xattr_bytes(xattr) : 0);
}

/* Put @xattr in the place of @old; without a limit, for that is how it is undone, too. */
static int xattr_replace(struct morsel_inode *inode, struct morsel_xattr *old,
			 struct morsel_xattr *xattr)
{
	int err = morsel_fs_pay(&inode->inode, bytes_with(inode, old, xattr));

	if (err)
		return err;
	if (old && xattr)
		list_replace(&old->list, &xattr->list);
	else if (old)
		list_del(&old->list);
	else if (xattr)
		list_add_tail(&xattr->list, &inode->xattrs);
	return 0;
}

static int xattr_set(struct morsel_inode *inode, const char *name, const void *value,
		     size_t size, int flags, bool on_device)
{
	struct morsel_xattr *xattr = value ? xattr_new(name, value, size) : NULL, *old;
	int err;

	if (IS_ERR(xattr))
		return PTR_ERR(xattr);
	down_write(&inode->xattr_lock);
	old = xattr_find(inode, name);
	if (old && flags & XATTR_CREATE)
		err = -EEXIST;
	else if (!old && (flags & XATTR_REPLACE || !xattr))
		err = -ENODATA;
	else if (xattr && bytes_with(inode, old, xattr) > XATTR_BYTES)
		err = -ENOSPC;
	else
		err = xattr_replace(inode, old, xattr);
	if (!err && on_device) {
		err = morsel_fs_pool_xattrs(&inode->inode, inode->inode.i_mode);
		/* What there was there is room for. */
		if (err)
			WARN_ON_ONCE(xattr_replace(inode, xattr, old));
	}
	up_write(&inode->xattr_lock);
	xattr_free(err ? xattr : old);
	return err;
}

static int fs_xattr_set(const struct xattr_handler *handler, morsel_idmap_t *idmap,
			struct dentry *dentry, struct inode *inode, const char *suffix,
			const void *value, size_t size, int flags)
{
	int err = morsel_fs_enter(inode);

	if (err)
		return err;
	err = xattr_set(morsel_inode_of(inode), xattr_full_name(handler, suffix), value,
			size, flags, true);
	if (!err) {
		inode_set_ctime_current(inode);
		morsel_fs_pool_changed(inode);
	}
	return morsel_fs_leave(inode, err);
}

/*
 * Not low, where nobody looks for a mapping and pointers of 32 bits lead, nor above
 * what a process gets without asking for more.
 */
static int parse_address(const char *value, size_t size, u64 *address)
{
	char text[sizeof("0xffffffffffffffff")] = "";

	if (size >= sizeof(text))
		return -EINVAL;
	memcpy(text, value, size);
	if (strlen(text) != size || kstrtou64(text, 0, address) ||
	    !PAGE_ALIGNED(*address) || *address < SZ_4G ||
	    *address >= DEFAULT_MAP_WINDOW)
		return -EINVAL;
	return 0;
}

/*
 * Where a file is to be mapped is an attribute of who may write to it, and goes along
 * when files are copied with their attributes.
 */
static int fs_address_set(const struct xattr_handler *handler, morsel_idmap_t *idmap,
			  struct dentry *dentry, struct inode *inode, const char *suffix,
			  const void *value, size_t size, int flags)
{
	u64 address = 0;
	int err = 0;

	if (!S_ISREG(inode->i_mode))
		return -EOPNOTSUPP;
	if (value)
		err = parse_address(value, size, &address);
	if (!err)
		err = fs_xattr_set(handler, idmap, dentry, inode, suffix, value, size,
				   flags);
	/* One at a time, under the lock of the inode. */
	if (!err)
		morsel_object_set_address(inode->i_private, address);
	return err;
}

static const struct xattr_handler fs_address_handler = {
	.name = XATTR_USER_PREFIX "morsel.address",
	.get = fs_xattr_get,
	.set = fs_address_set,
};

/**
 * morsel_fs_xattr_add() - an attribute that was found on the device
 * @inode: the inode, which nobody else has
 * @name:  of the attribute, with its prefix
 * @value: its content
 * @size:  bytes of that
 *
 * Return: 0, -ENOMEM, -ENOSPC or -EINVAL.
 */
int morsel_fs_xattr_add(struct inode *inode, const char *name, const void *value,
			size_t size)
{
	u64 address = 0;
	int err = 0;

	if (!strcmp(name, fs_address_handler.name)) {
		err = S_ISREG(inode->i_mode) ? parse_address(value, size, &address) : -EINVAL;
		if (!err)
			morsel_object_set_address(inode->i_private, address);
	}
	return err ? : xattr_set(morsel_inode_of(inode), name, value, size, 0, false);
}

static int fs_initxattrs(struct inode *inode, const struct xattr *xattrs, void *unused)
{
	const struct xattr *xattr;
	int err = 0;

	for (xattr = xattrs; xattr->name && !err; xattr++) {
		char *name = kasprintf(GFP_KERNEL, XATTR_SECURITY_PREFIX "%s", xattr->name);

		err = name ? xattr_set(morsel_inode_of(inode), name, xattr->value,
				       xattr->value_len, 0, false) : -ENOMEM;
		kfree(name);
	}
	return err;
}

/**
 * morsel_fs_security_init() - what security modules want a new inode to have
 * @inode: the new inode
 * @dir:   where it is created
 * @name:  its name, or NULL
 *
 * Return: 0 or a negative errno.
 */
int morsel_fs_security_init(struct inode *inode, struct inode *dir,
			    const struct qstr *name)
{
	int err = security_inode_init_security(inode, dir, name, fs_initxattrs, NULL);

	return err == -EOPNOTSUPP ? 0 : err;
}

static const struct xattr_handler fs_user_handler = {
	.prefix = XATTR_USER_PREFIX,
	.get = fs_xattr_get,
	.set = fs_xattr_set,
};

static const struct xattr_handler fs_trusted_handler = {
	.prefix = XATTR_TRUSTED_PREFIX,
	.get = fs_xattr_get,
	.set = fs_xattr_set,
};

static const struct xattr_handler fs_security_handler = {
	.prefix = XATTR_SECURITY_PREFIX,
	.get = fs_xattr_get,
	.set = fs_xattr_set,
};

const struct xattr_handler * const morsel_fs_xattr_handlers[] = {
	&fs_address_handler,
	&fs_user_handler,
	&fs_trusted_handler,
	&fs_security_handler,
	MORSEL_ACL_HANDLERS
	NULL
};

/* Append a name to a list that may only be counted. */
static int list_name(char *buffer, size_t size, size_t *used, const char *name)
{
	size_t length = strlen(name) + 1;

	if (buffer) {
		if (length > size - *used)
			return -ERANGE;
		memcpy(buffer + *used, name, length);
	}
	*used += length;
	return 0;
}

static int list_acl(struct inode *inode, int type, const char *name, char *buffer,
		    size_t size, size_t *used)
{
	struct posix_acl *acl = get_cached_acl(inode, type);
	int err = 0;

	if (!IS_ERR_OR_NULL(acl) && !is_uncached_acl(acl)) {
		err = list_name(buffer, size, used, name);
		posix_acl_release(acl);
	}
	return err;
}

ssize_t morsel_fs_listxattr(struct dentry *dentry, char *buffer, size_t size)
{
	struct inode *vfs_inode = d_inode(dentry);
	struct morsel_inode *inode = morsel_inode_of(vfs_inode);
	bool trusted = capable(CAP_SYS_ADMIN);
	struct morsel_xattr *xattr;
	size_t used = 0;
	int err;

	err = list_acl(vfs_inode, ACL_TYPE_ACCESS, XATTR_NAME_POSIX_ACL_ACCESS, buffer,
		       size, &used);
	if (!err)
		err = list_acl(vfs_inode, ACL_TYPE_DEFAULT, XATTR_NAME_POSIX_ACL_DEFAULT,
			       buffer, size, &used);
	down_read(&inode->xattr_lock);
	list_for_each_entry(xattr, &inode->xattrs, list) {
		if (err)
			break;
		if (trusted || !strstarts(xattr->name, XATTR_TRUSTED_PREFIX))
			err = list_name(buffer, size, &used, xattr->name);
	}
	up_read(&inode->xattr_lock);
	return err ? : used;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * anon.c - inodes and open files of morsels that have no name
 *
 * They live on a pseudo file system of our own.  It is mounted while there is an
 * object or a descriptor: those of dead objects keep one superblock among them,
 * not one each.
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>

#include "anon.h"
#include "compat.h"

#define ANON_MAGIC	0x6d6f7273	/* "mors" */

static struct vfsmount *anon_mnt;
static int anon_mnt_pins;

/* The last reference is gone: the tree was destroyed before. */
static void anon_evict_inode(struct inode *inode)
{
	struct morsel_object *object = inode->i_private;

	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	if (object)
		morsel_object_free(object);
}

static const struct super_operations anon_super_ops = {
	.evict_inode = anon_evict_inode,
	.statfs = simple_statfs,
};

static int anon_fs_init(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, ANON_MAGIC);

	if (!ctx)
		return -ENOMEM;
	ctx->ops = &anon_super_ops;
	return 0;
}

/* Its being mounted pins the module. */
static struct file_system_type anon_fs = {
	.owner = THIS_MODULE,
	.name = "morsel",
	.init_fs_context = anon_fs_init,
	.kill_sb = kill_anon_super,
};

/* Owner and mode can be changed; the size is fixed. */
static int anon_setattr(morsel_idmap_t *idmap, struct dentry *dentry,
			struct iattr *attr)
{
	int err;

	if (attr->ia_valid & ATTR_SIZE)
		return -EINVAL;
	err = setattr_prepare(idmap, dentry, attr);
	if (!err)
		setattr_copy(idmap, d_inode(dentry), attr);
	return err;
}

static const struct inode_operations anon_inode_ops = {
	.setattr = anon_setattr,
};

static int anon_pin(void)
{
	return simple_pin_fs(&anon_fs, &anon_mnt, &anon_mnt_pins);
}

static void anon_unpin(void)
{
	simple_release_fs(&anon_mnt, &anon_mnt_pins);
}

static struct inode *anon_inode_new(umode_t mode, u64 size)
{
	struct inode *inode;
	int err;

	err = anon_pin();
	if (err)
		return ERR_PTR(err);

	inode = new_inode(anon_mnt->mnt_sb);
	if (!inode) {
		anon_unpin();
		return ERR_PTR(-ENOMEM);
	}
	inode->i_ino = get_next_ino();
	inode->i_mode = S_IFREG | mode;
	inode->i_op = &anon_inode_ops;
	inode->i_flags |= S_NOATIME | S_NOCMTIME | S_PRIVATE;
	inode->i_uid = current_fsuid();
	inode->i_gid = current_fsgid();
	morsel_object_inode_init(inode);
	i_size_write(inode, size);
	return inode;
}

/* Drop the object's own reference.  Open files keep the inode. */
static void anon_inode_put(struct inode *inode)
{
	iput(inode);
	anon_unpin();
}

/**
 * morsel_anon_create() - create a morsel without a name, used once by the caller
 * @order:   0 to 4
 * @mode:    permission bits
 * @flags:   MORSEL_CREATE_*
 * @address: with MORSEL_CREATE_META where it is to be mapped
 *
 * Owner and group are the caller's.
 *
 * Return: the object or an ERR_PTR of -EINVAL (address), -EOPNOTSUPP (order) or
 * -ENOMEM.
 */
struct morsel_object *morsel_anon_create(unsigned int order, umode_t mode,
					 u32 flags, u64 address)
{
	struct morsel_object *object;
	struct inode *inode;
	int err = morsel_object_check(order, flags, address);

	if (err)
		return ERR_PTR(err);
	inode = anon_inode_new(mode, morsel_level_size(order));
	if (IS_ERR(inode))
		return ERR_CAST(inode);
	object = morsel_object_create(inode, order, flags, address, anon_inode_put);
	if (IS_ERR(object))
		anon_inode_put(inode);
	return object;
}

/**
 * morsel_anon_file() - a new open file of an object
 * @object: the object, used once for this file; morsel_anon_release() gives
 *          that back
 * @flags:  O_RDWR or O_RDONLY
 * @fops:   its operations
 *
 * Return: the file or an ERR_PTR, the use still the caller's.
 */
struct file *morsel_anon_file(struct morsel_object *object, int flags,
			      const struct file_operations *fops)
{
	struct inode *inode = object->inode;
	struct file *file;
	int err;

	err = anon_pin();
	if (err)
		return ERR_PTR(err);
	/* alloc_file_pseudo() leaves both references to us; fput drops them. */
	if (!fops_get(fops)) {
		anon_unpin();
		return ERR_PTR(-ENODEV);
	}
	ihold(inode);
	file = alloc_file_pseudo(inode, anon_mnt, "morsel", flags, fops);
	if (IS_ERR(file)) {
		iput(inode);
		fops_put(fops);
		anon_unpin();
		return file;
	}
	file->private_data = morsel_object_permits(object, MAY_EXEC) ? object : NULL;
	return file;
}

/**
 * morsel_anon_release() - an open file of an object is closed
 * @file: what morsel_anon_file() made; it still holds the inode and the mount
 */
void morsel_anon_release(struct file *file)
{
	morsel_object_unuse(morsel_object_of(file));
	anon_unpin();
}

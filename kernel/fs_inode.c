// SPDX-License-Identifier: GPL-2.0-only
/*
 * fs_inode.c - inodes of morselfs: creation, directories, attributes
 *
 * Directories are the kernel's cache of them (libfs).  A name that is created holds
 * a reference to its dentry, which libfs drops when it is removed.
 */
#include <linux/fs.h>
#include <linux/fileattr.h>
#include <linux/iversion.h>
#include <linux/mm.h>
#include <linux/posix_acl.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/xattr.h>

#include "fs.h"
#include "object.h"

static const struct inode_operations fs_dir_inode_ops;
static const struct inode_operations fs_file_inode_ops;
static const struct inode_operations fs_link_inode_ops;
static const struct inode_operations fs_special_inode_ops;

/**
 * morsel_fs_touch() - content or names have changed just now
 * @inode: the file or the directory
 */
void morsel_fs_touch(struct inode *inode)
{
	morsel_inode_set_mtime(inode, inode_set_ctime_current(inode));
}

/* Little is in the price of the inode. */
static unsigned int frames_for(size_t bytes)
{
	return (bytes + PAGE_SIZE - 512) / PAGE_SIZE;
}

/**
 * morsel_fs_pay() - charge what an inode has in memory besides pages
 * @inode: the inode; one who calls at a time
 * @bytes: what it is to have from now on
 *
 * Return: 0 or -ENOSPC.
 */
int morsel_fs_pay(struct inode *inode, size_t bytes)
{
	struct morsel_budget *budget = &morsel_fs_of(inode->i_sb)->frames;
	unsigned int now = frames_for(morsel_inode_of(inode)->bytes);
	unsigned int then = frames_for(bytes);
	int err = then > now ? morsel_budget_charge(budget, then - now) : 0;

	if (err)
		return err;
	if (then < now)
		morsel_budget_uncharge(budget, now - then);
	morsel_inode_of(inode)->bytes = bytes;
	return 0;
}

static int fs_inode_init_type(struct inode *inode, umode_t mode, dev_t dev)
{
	struct morsel_object *object;

	switch (mode & S_IFMT) {
	case S_IFREG:
		inode->i_op = &fs_file_inode_ops;
		inode->i_fop = &morsel_fs_file_ops;
		morsel_object_inode_init(inode);
		object = morsel_object_create_growing(inode, inode->i_ino,
						      &morsel_fs_of(inode->i_sb)->frames);
		return PTR_ERR_OR_ZERO(object);
	case S_IFDIR:
		inode->i_op = &fs_dir_inode_ops;
		inode->i_fop = &simple_dir_operations;
		inc_nlink(inode);
		return 0;
	case S_IFLNK:
		inode->i_op = &fs_link_inode_ops;
		return 0;
	}
	inode->i_op = &fs_special_inode_ops;
	init_special_inode(inode, mode, dev);
	return 0;
}

/**
 * morsel_fs_inode_new() - make an inode that has no name yet
 * @idmap: of the mount
 * @sb:    file system
 * @dir:   where it is created, or NULL for the root
 * @mode:  type and permission bits
 * @dev:   of a device
 *
 * Return: the inode, or an ERR_PTR of -ENOSPC or -ENOMEM.
 */
struct inode *morsel_fs_inode_new(morsel_idmap_t *idmap, struct super_block *sb,
				  struct inode *dir, umode_t mode, dev_t dev)
{
	struct morsel_fs *fs = morsel_fs_of(sb);
	struct inode *inode;
	int err;

	err = morsel_budget_charge(&fs->inodes, 1);
	if (err)
		return ERR_PTR(err);
	inode = new_inode(sb);
	if (!inode) {
		morsel_budget_uncharge(&fs->inodes, 1);
		return ERR_PTR(-ENOMEM);
	}
	/* From here on iput() undoes it all. */
	inode->i_ino = atomic64_inc_return(&fs->ino);
	inode->i_generation = get_random_u32();
	inode_init_owner(idmap, inode, dir, mode);
	morsel_inode_init_times(inode);
	morsel_inode_of(inode)->born = inode_get_ctime(inode);
	/* The cache is where lists live: what is not there is nowhere. */
	cache_no_acl(inode);
	err = fs_inode_init_type(inode, inode->i_mode, dev);
	if (err) {
		clear_nlink(inode);
		iput(inode);
		return ERR_PTR(err);
	}
	/* For handles. */
	insert_inode_hash(inode);
	return inode;
}

/* An inode for a name in @dir, with all that it inherits. */
static struct inode *fs_inode_in(morsel_idmap_t *idmap, struct inode *dir,
				 const struct qstr *name, umode_t mode, dev_t dev)
{
	struct inode *inode = morsel_fs_inode_new(idmap, dir->i_sb, dir, mode, dev);
	int err;

	if (IS_ERR(inode))
		return inode;
	err = S_ISLNK(mode) ? 0 : morsel_fs_acl_init(inode, dir);
	if (!err)
		err = morsel_fs_security_init(inode, dir, name);
	if (err) {
		clear_nlink(inode);
		iput(inode);
		return ERR_PTR(err);
	}
	return inode;
}

static void fs_name(struct inode *dir, struct dentry *dentry, struct inode *inode)
{
	d_instantiate(dentry, inode);
	/* Its name is in the cache for good. */
	dget(dentry);
	morsel_fs_touch(dir);
	inode_inc_iversion(dir);
}

static int fs_mknod(morsel_idmap_t *idmap, struct inode *dir, struct dentry *dentry,
		    umode_t mode, dev_t dev)
{
	struct inode *inode = fs_inode_in(idmap, dir, &dentry->d_name, mode, dev);

	if (IS_ERR(inode))
		return PTR_ERR(inode);
	fs_name(dir, dentry, inode);
	return 0;
}

static int fs_create(morsel_idmap_t *idmap, struct inode *dir, struct dentry *dentry,
		     umode_t mode, bool excl)
{
	return fs_mknod(idmap, dir, dentry, mode | S_IFREG, 0);
}

static int fs_mkdir(morsel_idmap_t *idmap, struct inode *dir, struct dentry *dentry,
		    umode_t mode)
{
	int err = fs_mknod(idmap, dir, dentry, mode | S_IFDIR, 0);

	if (!err)
		inc_nlink(dir);
	return err;
}

/* A further name takes as much as an inode: there is no other limit to them. */
static int fs_link(struct dentry *old, struct inode *dir, struct dentry *dentry)
{
	struct morsel_fs *fs = morsel_fs_of(dir->i_sb);
	bool further = d_inode(old)->i_nlink;
	int err = further ? morsel_budget_charge(&fs->inodes, 1) : 0;

	if (err)
		return err;
	err = simple_link(old, dir, dentry);
	if (err && further)
		morsel_budget_uncharge(&fs->inodes, 1);
	return err;
}

/* One name of several is gone; the last one takes the inode with it. */
static void fs_name_gone(struct inode *inode)
{
	if (!S_ISDIR(inode->i_mode) && inode->i_nlink)
		morsel_budget_uncharge(&morsel_fs_of(inode->i_sb)->inodes, 1);
}

static int fs_unlink(struct inode *dir, struct dentry *dentry)
{
	int err = simple_unlink(dir, dentry);

	if (!err)
		fs_name_gone(d_inode(dentry));
	return err;
}

static int fs_symlink(morsel_idmap_t *idmap, struct inode *dir, struct dentry *dentry,
		      const char *target)
{
	struct inode *inode = fs_inode_in(idmap, dir, &dentry->d_name,
					  S_IFLNK | 0777, 0);
	int err;

	if (IS_ERR(inode))
		return PTR_ERR(inode);
	/* Beside what security modules have put there. */
	err = morsel_fs_pay(inode, morsel_inode_of(inode)->bytes + strlen(target));
	if (!err) {
		inode->i_link = kstrdup(target, GFP_KERNEL_ACCOUNT);
		err = inode->i_link ? 0 : -ENOMEM;
	}
	if (err) {
		clear_nlink(inode);
		iput(inode);
		return err;
	}
	i_size_write(inode, strlen(target));
	fs_name(dir, dentry, inode);
	return 0;
}

static int fs_tmpfile(morsel_idmap_t *idmap, struct inode *dir, struct file *file,
		      umode_t mode)
{
	struct inode *inode = fs_inode_in(idmap, dir, NULL, mode, 0);

	if (IS_ERR(inode))
		return finish_open_simple(file, PTR_ERR(inode));
	d_tmpfile(file, inode);
	return finish_open_simple(file, 0);
}

/* What stands in the place of what was renamed, for a union of file systems. */
static int fs_whiteout(morsel_idmap_t *idmap, struct inode *dir, struct dentry *old)
{
	struct dentry *dentry = d_alloc(old->d_parent, &old->d_name);
	int err;

	if (!dentry)
		return -ENOMEM;
	err = fs_mknod(idmap, dir, dentry, S_IFCHR | WHITEOUT_MODE, WHITEOUT_DEV);
	/* Not hashed before: d_move() takes the old one out of the way. */
	if (!err)
		d_rehash(dentry);
	dput(dentry);
	return err;
}

static int fs_rename(morsel_idmap_t *idmap, struct inode *old_dir, struct dentry *old,
		     struct inode *new_dir, struct dentry *new, unsigned int flags)
{
	int err;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	if (flags & RENAME_WHITEOUT) {
		if (d_is_dir(old) && d_really_is_positive(new) && !simple_empty(new))
			return -ENOTEMPTY;
		err = fs_whiteout(idmap, old_dir, old);
		if (err)
			return err;
	}
	err = simple_rename(idmap, old_dir, old, new_dir, new, flags & ~RENAME_WHITEOUT);
	if (!err && !(flags & RENAME_EXCHANGE) && d_really_is_positive(new))
		fs_name_gone(d_inode(new));
	return err;
}

static int fs_setattr(morsel_idmap_t *idmap, struct dentry *dentry, struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	int err = setattr_prepare(idmap, dentry, attr);

	if (err)
		return err;
	/* The only thing that may fail comes first: all is changed, or nothing. */
	if (attr->ia_valid & ATTR_MODE) {
		err = morsel_acl_chmod(idmap, dentry, attr->ia_mode);
		if (err)
			return err;
	}
	if (attr->ia_valid & ATTR_SIZE && S_ISREG(inode->i_mode)) {
		loff_t old = i_size_read(inode);

		morsel_fs_resize(inode, attr->ia_size);
		if (old != attr->ia_size)
			morsel_fs_touch(inode);
	}
	setattr_copy(idmap, inode, attr);
	return 0;
}

static int fs_getattr(morsel_idmap_t *idmap, const struct path *path,
		      struct kstat *stat, u32 request_mask, unsigned int flags)
{
	struct inode *inode = d_inode(path->dentry);

	stat->attributes |= (inode->i_flags & S_APPEND ? STATX_ATTR_APPEND : 0) |
			    (inode->i_flags & S_IMMUTABLE ? STATX_ATTR_IMMUTABLE : 0);
	stat->attributes_mask |= STATX_ATTR_APPEND | STATX_ATTR_IMMUTABLE;
	stat->result_mask |= STATX_BTIME;
	stat->btime = morsel_inode_of(inode)->born;
	morsel_fillattr(idmap, request_mask, inode, stat);
	if (S_ISREG(inode->i_mode)) {
		struct morsel_object *object = inode->i_private;
		struct morsel_frame_counts frames = morsel_dram_sum(&object->dram);

		/* The shares change while they are summed up. */
		stat->blocks = max(frames.data + morsel_frame_tables(&frames), 0L) <<
			       (PAGE_SHIFT - 9);
	}
	return 0;
}

static int fs_fileattr_get(struct dentry *dentry, struct fileattr *attr)
{
	fileattr_fill_flags(attr, morsel_inode_of(d_inode(dentry))->flags);
	return 0;
}

static int fs_fileattr_set(morsel_idmap_t *idmap, struct dentry *dentry,
			   struct fileattr *attr)
{
	struct inode *inode = d_inode(dentry);
	unsigned int flags = 0;

	if (fileattr_has_fsx(attr) ||
	    attr->flags & ~(FS_APPEND_FL | FS_IMMUTABLE_FL | FS_NOATIME_FL | FS_NODUMP_FL))
		return -EOPNOTSUPP;
	if (attr->flags & FS_APPEND_FL)
		flags |= S_APPEND;
	if (attr->flags & FS_IMMUTABLE_FL)
		flags |= S_IMMUTABLE;
	if (attr->flags & FS_NOATIME_FL)
		flags |= S_NOATIME;
	morsel_inode_of(inode)->flags = attr->flags;
	inode_set_flags(inode, flags, S_APPEND | S_IMMUTABLE | S_NOATIME);
	inode_set_ctime_current(inode);
	return 0;
}

#define FS_INODE_OPS                       \
	.setattr = fs_setattr,             \
	.getattr = fs_getattr,             \
	.listxattr = morsel_fs_listxattr,  \
	.fileattr_get = fs_fileattr_get,   \
	.fileattr_set = fs_fileattr_set

static const struct inode_operations fs_dir_inode_ops = {
	FS_INODE_OPS,
	.set_acl = morsel_fs_set_acl,
	.create = fs_create,
	.lookup = simple_lookup,
	.link = fs_link,
	.unlink = fs_unlink,
	.symlink = fs_symlink,
	.mkdir = fs_mkdir,
	.rmdir = simple_rmdir,
	.mknod = fs_mknod,
	.rename = fs_rename,
	.tmpfile = fs_tmpfile,
};

static const struct inode_operations fs_file_inode_ops = {
	FS_INODE_OPS,
	.set_acl = morsel_fs_set_acl,
};

/* Not .fileattr_*: the same ioctls may be a driver's. */
static const struct inode_operations fs_special_inode_ops = {
	.setattr = fs_setattr,
	.getattr = fs_getattr,
	.listxattr = morsel_fs_listxattr,
	.set_acl = morsel_fs_set_acl,
};

static const struct inode_operations fs_link_inode_ops = {
	.setattr = fs_setattr,
	.getattr = fs_getattr,
	.listxattr = morsel_fs_listxattr,
	.get_link = simple_get_link,
};

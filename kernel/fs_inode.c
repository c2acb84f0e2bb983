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
#include "pmem.h"

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
	morsel_fs_pool_changed(inode);
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

/* Names that are in the cache could be read; but who opens it expects to find all. */
static int fs_dir_open(struct inode *inode, struct file *file)
{
	return morsel_fs_stopped(inode) ? -EIO : dcache_dir_open(inode, file);
}

static const struct file_operations fs_dir_ops = {
	.open = fs_dir_open,
	.release = dcache_dir_close,
	.llseek = dcache_dir_lseek,
	.read = generic_read_dir,
	.iterate_shared = dcache_readdir,
	.fsync = noop_fsync,
};

static struct morsel_object *fs_object_new(struct inode *inode)
{
	struct morsel_fs *fs = morsel_fs_of(inode->i_sb);
	struct morsel_pool_inode *medium = morsel_inode_of(inode)->medium;

	return medium ? morsel_object_open(inode, inode->i_ino, fs->pmem, &medium->top) :
			morsel_object_create_growing(inode, inode->i_ino, &fs->frames);
}

/**
 * morsel_fs_inode_init_type() - make an inode what it is
 * @inode: the inode
 * @mode:  its type
 * @dev:   of a device
 *
 * Return: 0 or a negative errno.
 */
int morsel_fs_inode_init_type(struct inode *inode, umode_t mode, dev_t dev)
{
	struct morsel_object *object;

	switch (mode & S_IFMT) {
	case S_IFREG:
		inode->i_op = &fs_file_inode_ops;
		inode->i_fop = &morsel_fs_file_ops;
		morsel_object_inode_init(inode);
		object = fs_object_new(inode);
		return PTR_ERR_OR_ZERO(object);
	case S_IFDIR:
		inode->i_op = &fs_dir_inode_ops;
		inode->i_fop = &fs_dir_ops;
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
	if (fs->pmem) {
		err = morsel_fs_pool_number(inode, mode);
		if (err)
			goto err;
	} else {
		inode->i_ino = atomic64_inc_return(&fs->ino);
	}
	inode->i_generation = get_random_u32();
	inode_init_owner(idmap, inode, dir, mode);
	morsel_inode_init_times(inode);
	morsel_inode_of(inode)->born = inode_get_ctime(inode);
	/* The cache is where lists live: what is not there is nowhere. */
	cache_no_acl(inode);
	err = morsel_fs_inode_init_type(inode, inode->i_mode, dev);
	if (err)
		goto err;
	/* For handles. */
	insert_inode_hash(inode);
	return inode;
err:
	clear_nlink(inode);
	iput(inode);
	return ERR_PTR(err);
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
	if (!err)
		err = morsel_fs_pool_xattrs(inode, inode->i_mode);
	if (err) {
		clear_nlink(inode);
		iput(inode);
		return ERR_PTR(err);
	}
	return inode;
}

/* The first name of an inode; without one it goes. */
static int fs_name(struct inode *dir, struct dentry *dentry, struct inode *inode)
{
	int err = morsel_fs_pool_name(dir, dentry, inode);

	if (err) {
		clear_nlink(inode);
		iput(inode);
		return err;
	}
	d_instantiate(dentry, inode);
	/* Its name is in the cache for good. */
	dget(dentry);
	morsel_fs_touch(dir);
	inode_inc_iversion(dir);
	return 0;
}

static int fs_mknod(morsel_idmap_t *idmap, struct inode *dir, struct dentry *dentry,
		    umode_t mode, dev_t dev)
{
	struct inode *inode;
	int err = morsel_fs_enter(dir);

	if (err)
		return err;
	inode = fs_inode_in(idmap, dir, &dentry->d_name, mode, dev);
	err = IS_ERR(inode) ? PTR_ERR(inode) : fs_name(dir, dentry, inode);
	return morsel_fs_leave(dir, err);
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

/* What libfs has changed. */
static void fs_changed(struct inode *inode, struct inode *dir)
{
	morsel_fs_pool_changed(inode);
	morsel_fs_pool_changed(dir);
}

/* A further name takes as much as an inode: there is no other limit to them. */
static int fs_link(struct dentry *old, struct inode *dir, struct dentry *dentry)
{
	struct morsel_fs *fs = morsel_fs_of(dir->i_sb);
	bool further = d_inode(old)->i_nlink;
	int err = morsel_fs_enter(dir);

	if (err)
		return err;
	err = further ? morsel_budget_charge(&fs->inodes, 1) : 0;
	if (err)
		return morsel_fs_leave(dir, err);
	err = morsel_fs_pool_name(dir, dentry, d_inode(old));
	if (!err)
		err = simple_link(old, dir, dentry);
	if (err && further)
		morsel_budget_uncharge(&fs->inodes, 1);
	if (!err)
		fs_changed(d_inode(old), dir);
	return morsel_fs_leave(dir, err);
}

/* One name of several is gone; the last one takes the inode with it. */
static void fs_name_gone(struct inode *inode)
{
	if (!S_ISDIR(inode->i_mode) && inode->i_nlink)
		morsel_budget_uncharge(&morsel_fs_of(inode->i_sb)->inodes, 1);
}

static int fs_unlink(struct inode *dir, struct dentry *dentry)
{
	int err = morsel_fs_enter(dir);

	if (err)
		return err;
	morsel_fs_pool_unname(dir, dentry);
	err = simple_unlink(dir, dentry);
	if (!err)
		fs_name_gone(d_inode(dentry));
	fs_changed(d_inode(dentry), dir);
	return morsel_fs_leave(dir, err);
}

static int fs_rmdir(struct inode *dir, struct dentry *dentry)
{
	int err;

	if (!simple_empty(dentry))
		return -ENOTEMPTY;
	err = morsel_fs_enter(dir);
	if (err)
		return err;
	morsel_fs_pool_unname(dir, dentry);
	err = simple_rmdir(dir, dentry);
	fs_changed(d_inode(dentry), dir);
	return morsel_fs_leave(dir, err);
}

static int fs_symlink_in(morsel_idmap_t *idmap, struct inode *dir, struct dentry *dentry,
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
		err = inode->i_link ? morsel_fs_pool_target(inode, target) : -ENOMEM;
	}
	if (err) {
		clear_nlink(inode);
		iput(inode);
		return err;
	}
	i_size_write(inode, strlen(target));
	return fs_name(dir, dentry, inode);
}

static int fs_symlink(morsel_idmap_t *idmap, struct inode *dir, struct dentry *dentry,
		      const char *target)
{
	int err = morsel_fs_enter(dir);

	return err ? : morsel_fs_leave(dir, fs_symlink_in(idmap, dir, dentry, target));
}

static int fs_tmpfile(morsel_idmap_t *idmap, struct inode *dir, struct file *file,
		      umode_t mode)
{
	struct inode *inode;
	int err = morsel_fs_enter(dir);

	if (err)
		return finish_open_simple(file, err);
	inode = fs_inode_in(idmap, dir, NULL, mode, 0);
	if (!IS_ERR(inode))
		d_tmpfile(file, inode);
	return finish_open_simple(file, morsel_fs_leave(dir, PTR_ERR_OR_ZERO(inode)));
}

/* What stands in the place of what was renamed, for a union of file systems. */
static int fs_whiteout(morsel_idmap_t *idmap, struct inode *dir, struct dentry *old,
		       struct dentry **whiteout)
{
	struct inode *inode = fs_inode_in(idmap, dir, &old->d_name,
					  S_IFCHR | WHITEOUT_MODE, WHITEOUT_DEV);

	if (IS_ERR(inode))
		return PTR_ERR(inode);
	*whiteout = d_alloc(old->d_parent, &old->d_name);
	if (*whiteout) {
		d_instantiate(*whiteout, inode);
		return 0;
	}
	clear_nlink(inode);
	iput(inode);
	return -ENOMEM;
}

/* Nothing has changed. */
static void fs_whiteout_undo(struct dentry *whiteout)
{
	if (!whiteout)
		return;
	clear_nlink(d_inode(whiteout));
	dput(whiteout);
}

/* The whiteout gets the place of the old name. */
static int fs_rename_on_device(struct inode *old_dir, struct dentry *old,
			       struct inode *new_dir, struct dentry *new,
			       unsigned int flags, struct dentry *whiteout)
{
	void *place = old->d_fsdata;
	int err = morsel_fs_pool_rename(old_dir, old, new_dir, new, flags,
					whiteout ? d_inode(whiteout) : NULL);

	if (!err && whiteout)
		whiteout->d_fsdata = place;
	return err;
}

static int fs_rename_in(morsel_idmap_t *idmap, struct inode *old_dir, struct dentry *old,
			struct inode *new_dir, struct dentry *new, unsigned int flags)
{
	struct dentry *whiteout = NULL;
	int err = 0;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	/* All that may be refused comes first. */
	if (!(flags & RENAME_EXCHANGE) && d_is_dir(old) && d_really_is_positive(new) &&
	    !simple_empty(new))
		return -ENOTEMPTY;
	if (flags & RENAME_WHITEOUT)
		err = fs_whiteout(idmap, old_dir, old, &whiteout);
	if (!err)
		err = fs_rename_on_device(old_dir, old, new_dir, new, flags, whiteout);
	if (err) {
		fs_whiteout_undo(whiteout);
		return err;
	}
	err = simple_rename(idmap, old_dir, old, new_dir, new, flags & ~RENAME_WHITEOUT);
	WARN_ON_ONCE(err);
	if (!(flags & RENAME_EXCHANGE) && d_really_is_positive(new))
		fs_name_gone(d_inode(new));
	/* Not hashed before: d_move() takes the old one out of the way. */
	if (whiteout)
		d_rehash(whiteout);
	fs_changed(d_inode(old), old_dir);
	if (d_really_is_positive(new))
		morsel_fs_pool_changed(d_inode(new));
	morsel_fs_pool_changed(new_dir);
	return err;
}

static int fs_rename(morsel_idmap_t *idmap, struct inode *old_dir, struct dentry *old,
		     struct inode *new_dir, struct dentry *new, unsigned int flags)
{
	int err = morsel_fs_enter(old_dir);

	return err ? : morsel_fs_leave(old_dir, fs_rename_in(idmap, old_dir, old, new_dir,
							     new, flags));
}

static int fs_setattr_in(morsel_idmap_t *idmap, struct dentry *dentry, struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	struct morsel_change change = { .idmap = idmap, .attr = attr };
	int err;

	/* The only thing that may fail comes first: all is changed, or nothing. */
	if (attr->ia_valid & ATTR_MODE) {
		morsel_inode_of(inode)->change = &change;
		err = morsel_acl_chmod(idmap, dentry, attr->ia_mode);
		morsel_inode_of(inode)->change = NULL;
		if (err)
			return err;
	}
	if (attr->ia_valid & ATTR_SIZE && S_ISREG(inode->i_mode)) {
		loff_t old = i_size_read(inode);

		morsel_fs_resize(inode, attr->ia_size);
		if (old != attr->ia_size)
			morsel_fs_touch(inode);
	}
	morsel_fs_pool_setattr(idmap, inode, attr);
	return 0;
}

static int fs_setattr(morsel_idmap_t *idmap, struct dentry *dentry, struct iattr *attr)
{
	int err = setattr_prepare(idmap, dentry, attr);

	if (!err)
		err = morsel_fs_enter(d_inode(dentry));
	return err ? : morsel_fs_leave(d_inode(dentry), fs_setattr_in(idmap, dentry, attr));
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

/**
 * morsel_fs_set_flags() - an inode has other flags
 * @inode: the inode
 * @flags: FS_*_FL
 */
void morsel_fs_set_flags(struct inode *inode, u32 flags)
{
	unsigned int kernel = 0;

	if (flags & FS_APPEND_FL)
		kernel |= S_APPEND;
	if (flags & FS_IMMUTABLE_FL)
		kernel |= S_IMMUTABLE;
	if (flags & FS_NOATIME_FL)
		kernel |= S_NOATIME;
	morsel_inode_of(inode)->flags = flags;
	inode_set_flags(inode, kernel, S_APPEND | S_IMMUTABLE | S_NOATIME);
}

static int fs_fileattr_set(morsel_idmap_t *idmap, struct dentry *dentry,
			   struct fileattr *attr)
{
	struct inode *inode = d_inode(dentry);
	int err;

	if (fileattr_has_fsx(attr) ||
	    attr->flags & ~MORSEL_FS_FLAGS)
		return -EOPNOTSUPP;
	err = morsel_fs_enter(inode);
	if (err)
		return err;
	morsel_fs_set_flags(inode, attr->flags);
	inode_set_ctime_current(inode);
	morsel_fs_pool_changed(inode);
	return morsel_fs_leave(inode, 0);
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
	.rmdir = fs_rmdir,
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

/* SPDX-License-Identifier: GPL-2.0-only */
/* fs.h - morselfs, as its parts see one another */
#ifndef MORSEL_FS_H
#define MORSEL_FS_H

#include <linux/exportfs.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/xattr.h>

#include "budget.h"
#include "compat.h"
#include "pmem.h"

struct morsel_pool_inode;

/* What chattr(1) can set. */
#define MORSEL_FS_FLAGS	(FS_APPEND_FL | FS_IMMUTABLE_FL | FS_NOATIME_FL | FS_NODUMP_FL)

#define MORSEL_FS_MAGIC	0x6d6f7266	/* "morf" */

/**
 * struct morsel_fs - one mounted file system
 * @frames: what its files have in use, data and tables
 * @inodes: how many there are
 * @ino:    the last inode number that was given out
 * @pmem:   where all this lies, or NULL: in the kernel's memory
 * @numbers: of inodes that are in use, with @pmem
 * @alive:  what is on @pmem is known, and may be changed
 * @uid:    owner of the root directory when it was mounted
 * @gid:    its group
 * @mode:   its permission bits
 */
struct morsel_fs {
	struct morsel_budget frames;
	struct morsel_budget inodes;
	atomic64_t ino;
	struct morsel_pmem *pmem;
	struct ida numbers;
	bool alive;
	kuid_t uid;
	kgid_t gid;
	umode_t mode;
};

/**
 * struct morsel_change - what setattr_copy() is to change
 * @idmap: of the mount
 * @attr:  what, and how
 */
struct morsel_change {
	morsel_idmap_t *idmap;
	const struct iattr *attr;
};

/**
 * struct morsel_inode - an inode of morselfs; a regular file's has an object in
 *                       its i_private
 * @inode:  the kernel's part
 * @born:   when it was made
 * @flags:  FS_*_FL, as chattr(1) sets them
 * @xattrs: struct morsel_xattr
 * @bytes:  what they and the target of a symbolic link take; see morsel_fs_pay()
 * @xattr_lock: protects @xattrs and @bytes
 * @medium: it, on a device; NULL: there is none
 * @names:  with @medium, what is in a directory
 * @slots:  with @medium, which entries of a directory are in use
 * @size:   with @medium, bytes that the file has there
 * @list:   with @medium, top of the tree of extended attributes there, or 0
 * @change: what changes with @list, or NULL; who has the inode locked has that
 * @attr_lock: with @medium, protects @size, @list and the attributes there
 */
struct morsel_inode {
	struct inode inode;
	struct timespec64 born;
	u32 flags;
	struct list_head xattrs;
	size_t bytes;
	struct rw_semaphore xattr_lock;
	struct morsel_pool_inode *medium;
	struct morsel_tree names;
	struct ida slots;
	u64 size;
	u64 list;
	const struct morsel_change *change;
	spinlock_t attr_lock;	/* protects size, list and attributes on the device */
};

/**
 * struct morsel_xattr - one attribute
 * @list: in &morsel_inode.xattrs
 * @name: with its prefix
 * @size: bytes of @value
 * @value: content
 */
struct morsel_xattr {
	struct list_head list;
	char *name;
	size_t size;
	char value[] __counted_by(size);
};

static inline struct morsel_fs *morsel_fs_of(const struct super_block *sb)
{
	return sb->s_fs_info;
}

static inline struct morsel_inode *morsel_inode_of(struct inode *inode)
{
	return container_of(inode, struct morsel_inode, inode);
}

/*
 * Begin to use the device of a file system, where it has one; see morsel_pmem_enter().
 * Whatever changes what is there does so between these two: 0, or -EIO.
 */
static inline int morsel_fs_enter(const struct inode *inode)
{
	struct morsel_pmem *pmem = morsel_fs_of(inode->i_sb)->pmem;

	return pmem && !morsel_pmem_enter(pmem) ? -EIO : 0;
}

/* Returns @ret, what the caller is about to return. */
static inline long morsel_fs_leave(const struct inode *inode, long ret)
{
	struct morsel_pmem *pmem = morsel_fs_of(inode->i_sb)->pmem;

	if (pmem)
		morsel_pmem_leave(pmem);
	return ret;
}

/* For who only looks: nobody waits for him, and what he looks at stays readable. */
static inline bool morsel_fs_stopped(const struct inode *inode)
{
	struct morsel_pmem *pmem = morsel_fs_of(inode->i_sb)->pmem;

	return pmem && morsel_pmem_stopped(pmem);
}

/* fs_super.c */
int morsel_fs_register(void);
void morsel_fs_deregister(void);

/* fs_inode.c */
struct inode *morsel_fs_inode_new(morsel_idmap_t *idmap, struct super_block *sb,
				  struct inode *dir, umode_t mode, dev_t dev);
int morsel_fs_inode_init_type(struct inode *inode, umode_t mode, dev_t dev);
void morsel_fs_touch(struct inode *inode);
void morsel_fs_set_flags(struct inode *inode, u32 flags);
int morsel_fs_pay(struct inode *inode, size_t bytes);

/* fs_file.c */
extern const struct file_operations morsel_fs_file_ops;
void morsel_fs_resize(struct inode *inode, loff_t size);
int morsel_fs_write_back(struct inode *inode, loff_t start, loff_t end);

/* fs_xattr.c */
extern const struct xattr_handler * const morsel_fs_xattr_handlers[];
ssize_t morsel_fs_listxattr(struct dentry *dentry, char *buffer, size_t size);
void morsel_fs_xattrs_init(struct morsel_inode *inode);
void morsel_fs_xattrs_free(struct morsel_inode *inode);
int morsel_fs_xattr_add(struct inode *inode, const char *name, const void *value,
			size_t size);
int morsel_fs_security_init(struct inode *inode, struct inode *dir,
			    const struct qstr *name);

/* fs_acl.c */
int morsel_fs_set_acl(morsel_idmap_t *idmap, morsel_acl_owner_t *owner,
		      struct posix_acl *acl, int type);
int morsel_fs_acl_read(struct inode *inode, int type, const void *value, size_t bytes);
int morsel_fs_acl_init(struct inode *inode, struct inode *dir);

/* fs_pool.c */
int morsel_fs_pool_mount(struct super_block *sb);
int morsel_fs_pool_number(struct inode *inode, umode_t mode);
void morsel_fs_pool_evict(struct inode *inode, bool may_free);
void morsel_fs_pool_changed(struct inode *inode);
void morsel_fs_pool_setattr(morsel_idmap_t *idmap, struct inode *inode,
			    const struct iattr *attr);
void morsel_fs_pool_resize(struct inode *inode, u64 size);
int morsel_fs_pool_target(struct inode *inode, const char *target);

/* fs_pool_names.c */
int morsel_fs_pool_name(struct inode *dir, struct dentry *dentry, struct inode *inode);
void morsel_fs_pool_unname(struct inode *dir, struct dentry *dentry);
int morsel_fs_pool_rename(struct inode *old_dir, struct dentry *old,
			  struct inode *new_dir, struct dentry *new, unsigned int flags,
			  struct inode *whiteout);
void morsel_fs_pool_place(struct dentry *dentry, u64 slot);

/* fs_pool_xattr.c */
int morsel_fs_pool_xattrs(struct inode *inode, umode_t mode);
int morsel_fs_pool_xattrs_read(struct inode *inode);

/* fs_handle.c */
extern const struct export_operations morsel_fs_export_ops;

#endif /* MORSEL_FS_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * fs_pool.c - morselfs on a device: inodes there, and how they come back at a mount
 *
 * Names and inodes live in the kernel's caches, as where there is no device, and
 * besides on the device: whatever is changed here is changed there, by the rules of
 * docs/persistence.md, before the caller is told.  At a mount all of them are brought
 * back, directory by directory.
 *
 * An inode is on the device from its creation on, but only a name makes it reachable:
 * until then what is written to it need not be in any order.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "fs.h"
#include "object.h"
#include "pmem.h"

static struct morsel_pool *pool_of(const struct inode *inode)
{
	return &morsel_fs_of(inode->i_sb)->pmem->pool;
}

/* Under the lock of the attributes. */
static void attr_write(struct inode *inode)
{
	struct morsel_inode *morsel = morsel_inode_of(inode);
	struct morsel_pool_attr attr = {
		.mode = inode->i_mode,
		.flags = morsel->flags,
		.uid = i_uid_read(inode),
		.gid = i_gid_read(inode),
		.size = morsel->size,
		.device = huge_encode_dev(inode->i_rdev),
		.generation = inode->i_generation,
		.xattrs = morsel->list,
	};
	struct timespec64 times[] = {
		morsel_inode_atime(inode), morsel_inode_mtime(inode),
		inode_get_ctime(inode), morsel->born,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(times); i++) {
		attr.seconds[i] = times[i].tv_sec;
		attr.nanoseconds[i] = times[i].tv_nsec;
	}
	morsel_pool_attr_set(pool_of(inode), morsel->medium, &attr);
}

/**
 * morsel_fs_pool_changed() - attributes have changed: so do they on the device
 * @inode: the inode; nothing is done for one that is on none
 *
 * As all that changes what is there: between morsel_fs_enter() and morsel_fs_leave().
 */
void morsel_fs_pool_changed(struct inode *inode)
{
	struct morsel_inode *morsel = morsel_inode_of(inode);

	if (!morsel->medium || !morsel_fs_of(inode->i_sb)->alive)
		return;
	spin_lock(&morsel->attr_lock);
	attr_write(inode);
	spin_unlock(&morsel->attr_lock);
}

/**
 * morsel_fs_pool_setattr() - setattr_copy(), which nobody writes down half done
 * @idmap: of the mount
 * @inode: the inode, locked
 * @attr:  what is to change
 */
void morsel_fs_pool_setattr(morsel_idmap_t *idmap, struct inode *inode,
			    const struct iattr *attr)
{
	spin_lock(&morsel_inode_of(inode)->attr_lock);
	setattr_copy(idmap, inode, attr);
	spin_unlock(&morsel_inode_of(inode)->attr_lock);
	morsel_fs_pool_changed(inode);
}

/**
 * morsel_fs_pool_resize() - a file has another size on the device
 * @inode: the file, locked; nothing is done for one that is on none
 * @size:  bytes
 *
 * One that gets shorter does so first here: what is behind the end is gone, then, even
 * if it is still there.  One that gets longer last, when all that it gets is there.
 */
void morsel_fs_pool_resize(struct inode *inode, u64 size)
{
	struct morsel_inode *morsel = morsel_inode_of(inode);

	if (!morsel->medium)
		return;
	spin_lock(&morsel->attr_lock);
	morsel->size = size;
	attr_write(inode);
	spin_unlock(&morsel->attr_lock);
}

static void names_open(struct inode *inode)
{
	struct morsel_inode *morsel = morsel_inode_of(inode);

	morsel_tree_open(&morsel->names, pool_of(inode)->source, &morsel->medium->top);
}

/**
 * morsel_fs_pool_number() - have a new inode be on the device
 * @inode: the inode
 * @mode:  its type and permissions
 *
 * Return: 0, -ENOSPC or -ENOMEM.
 */
int morsel_fs_pool_number(struct inode *inode, umode_t mode)
{
	struct morsel_fs *fs = morsel_fs_of(inode->i_sb);
	struct morsel_inode *morsel = morsel_inode_of(inode);
	struct morsel_pool_attr attr = { .mode = mode };
	int number, err;

	number = ida_alloc_min(&fs->numbers, MORSEL_POOL_ROOT + 1, GFP_KERNEL);
	if (number < 0)
		return number;
	err = morsel_pool_inode_new(&fs->pmem->pool, number, &attr, &morsel->medium);
	if (err) {
		morsel->medium = NULL;
		ida_free(&fs->numbers, number);
		return err;
	}
	inode->i_ino = number;
	names_open(inode);
	return 0;
}

/* No name leads to it: so after a crash it would be free as well. */
static void medium_free(struct inode *inode)
{
	struct morsel_inode *morsel = morsel_inode_of(inode);
	struct morsel_tree list;

	/* The object has freed what is in a regular file. */
	if (!S_ISREG(inode->i_mode))
		morsel_tree_destroy(&morsel->names);
	morsel_tree_open(&list, morsel->names.source, &morsel->list);
	if (morsel->list)
		morsel_tree_destroy(&list);
	ida_free(&morsel_fs_of(inode->i_sb)->numbers, inode->i_ino);
}

/**
 * morsel_fs_pool_evict() - an inode goes; what is on the device goes with its last name
 * @inode: the inode, whose object is none any more
 * @may_free: what no name leads to can be freed
 */
void morsel_fs_pool_evict(struct inode *inode, bool may_free)
{
	struct morsel_inode *morsel = morsel_inode_of(inode);

	if (!morsel->medium)
		return;
	if (!inode->i_nlink && may_free)
		medium_free(inode);
	ida_destroy(&morsel->slots);
	morsel->medium = NULL;
}

/**
 * morsel_fs_pool_target() - write down where a new symbolic link leads
 * @inode:  the link, which has no name yet
 * @target: where to, shorter than a page
 *
 * Return: 0, or -ENOSPC.
 */
int morsel_fs_pool_target(struct inode *inode, const char *target)
{
	struct morsel_inode *morsel = morsel_inode_of(inode);
	size_t length = strlen(target);
	char *page;
	int ret;

	if (!morsel->medium)
		return 0;
	ret = morsel_tree_populate(&morsel->names, 0, 0, NULL);
	if (ret < 0)
		return ret;
	page = (char *)morsel_frame_table(morsel_tree_lookup(&morsel->names, 0));
	memcpy(page, target, length);
	morsel_pool_persist(pool_of(inode), page, length);
	morsel->size = length;
	return 0;
}

static int target_read(struct inode *inode)
{
	struct morsel_inode *morsel = morsel_inode_of(inode);
	u64 frame = morsel_tree_lookup(&morsel->names, 0);

	if (frame == MORSEL_PFN_NONE || !morsel->size || morsel->size >= PAGE_SIZE)
		return -EUCLEAN;
	inode->i_link = kmemdup_nul((char *)morsel_frame_table(frame), morsel->size,
				    GFP_KERNEL);
	if (!inode->i_link)
		return -ENOMEM;
	if (strlen(inode->i_link) != morsel->size)
		return -EUCLEAN;
	return morsel_fs_pay(inode, morsel->bytes + morsel->size);
}

static struct timespec64 attr_time(const struct morsel_pool_attr *attr, unsigned int which)
{
	return (struct timespec64){
		.tv_sec = attr->seconds[which],
		.tv_nsec = min(attr->nanoseconds[which], (u32)NSEC_PER_SEC - 1),
	};
}

static void attr_read(struct inode *inode, const struct morsel_pool_attr *attr)
{
	struct morsel_inode *morsel = morsel_inode_of(inode);

	inode->i_mode = attr->mode;
	i_uid_write(inode, attr->uid);
	i_gid_write(inode, attr->gid);
	inode->i_generation = attr->generation;
	morsel_inode_set_atime(inode, attr_time(attr, 0));
	morsel_inode_set_mtime(inode, attr_time(attr, 1));
	morsel_inode_set_ctime(inode, attr_time(attr, 2));
	morsel->born = attr_time(attr, 3);
	morsel->size = attr->size;
	morsel->list = attr->xattrs;
	morsel_fs_set_flags(inode, attr->flags & MORSEL_FS_FLAGS);
	i_size_write(inode, attr->size);
}

static int inode_read_content(struct inode *inode, dev_t dev)
{
	int err = morsel_fs_inode_init_type(inode, inode->i_mode, dev);

	if (err)
		return err;
	switch (inode->i_mode & S_IFMT) {
	case S_IFREG:
		/* Larger than the processor can map: made with more levels of tables. */
		if (inode->i_size > inode->i_sb->s_maxbytes)
			return -EOPNOTSUPP;
		morsel_hold_set_limit(&((struct morsel_object *)inode->i_private)->dram.hold,
				      DIV_ROUND_UP_ULL(inode->i_size, PAGE_SIZE));
		break;
	case S_IFLNK:
		err = target_read(inode);
		break;
	}
	return err ? : morsel_fs_pool_xattrs_read(inode);
}

/* The inode of a number that is in use, which recovery has looked at. */
static struct inode *inode_read(struct super_block *sb, u64 number)
{
	struct morsel_fs *fs = morsel_fs_of(sb);
	struct morsel_pool_attr attr;
	struct inode *inode;
	int err;

	/* Undone by eviction. */
	err = morsel_budget_charge(&fs->inodes, 1);
	if (err)
		return ERR_PTR(err);
	inode = new_inode(sb);
	if (!inode) {
		morsel_budget_uncharge(&fs->inodes, 1);
		return ERR_PTR(-ENOMEM);
	}
	inode->i_ino = number;
	cache_no_acl(inode);
	morsel_inode_of(inode)->medium = morsel_pool_inode(&fs->pmem->pool, number);
	names_open(inode);
	morsel_pool_attr_get(morsel_inode_of(inode)->medium, &attr);
	attr_read(inode, &attr);
	err = inode_read_content(inode, huge_decode_dev(attr.device));
	if (!err && ida_alloc_range(&fs->numbers, number, number, GFP_KERNEL) < 0)
		err = -ENOMEM;
	if (err) {
		pr_err("inode %llu cannot be used: %d\n", number, err);
		iput(inode);
		return ERR_PTR(err);
	}
	insert_inode_hash(inode);
	return inode;
}

/**
 * struct walk - directories that are still to be read
 * @list: in a list of them
 * @dentry: the directory
 */
struct walk {
	struct list_head list;
	struct dentry *dentry;
};

static int walk_add(struct list_head *walks, struct dentry *dentry)
{
	struct walk *walk = kmalloc(sizeof(*walk), GFP_KERNEL);

	if (!walk)
		return -ENOMEM;
	walk->dentry = dentry;
	list_add(&walk->list, walks);
	return 0;
}

/* A further name of an inode that was read before, or the first one of another. */
static struct inode *named_inode(struct super_block *sb, u64 number)
{
	struct inode *inode = ilookup(sb, number);
	int err;

	if (!inode)
		return inode_read(sb, number);
	err = morsel_budget_charge(&morsel_fs_of(sb)->inodes, 1);
	if (err) {
		iput(inode);
		return ERR_PTR(err);
	}
	inc_nlink(inode);
	return inode;
}

static int name_read(struct dentry *parent, const struct morsel_pool_name *name, u64 slot,
		     struct list_head *walks)
{
	struct inode *dir = d_inode(parent), *inode;
	struct qstr known = QSTR_INIT(name->name, name->length);
	struct dentry *dentry;

	dentry = d_hash_and_lookup(parent, &known);
	if (!IS_ERR_OR_NULL(dentry)) {
		dput(dentry);
		pr_err("inode %lu has a name twice\n", dir->i_ino);
		return -EUCLEAN;
	}
	if (slot > INT_MAX || is_dot_dotdot(name->name, name->length)) {
		pr_err("inode %lu has a name that is none\n", dir->i_ino);
		return -EUCLEAN;
	}
	if (ida_alloc_range(&morsel_inode_of(dir)->slots, slot, slot, GFP_KERNEL) < 0)
		return -ENOMEM;
	dentry = d_alloc(parent, &known);
	if (!dentry)
		return -ENOMEM;
	inode = named_inode(parent->d_sb, name->inode & MORSEL_NAME_INODE);
	if (IS_ERR(inode)) {
		dput(dentry);
		return PTR_ERR(inode);
	}
	/* In the cache for good, as all names. */
	morsel_fs_pool_place(dentry, slot);
	d_add(dentry, inode);
	if (!S_ISDIR(inode->i_mode))
		return 0;
	inc_nlink(dir);
	return walk_add(walks, dentry);
}

static int directory_read(struct dentry *parent, struct list_head *walks)
{
	struct morsel_tree *names = &morsel_inode_of(d_inode(parent))->names;
	u64 last = morsel_level_pages(MORSEL_LEVELS - 1) - 1, page = 0;
	int err = 0;

	while (!err && (page = morsel_tree_next(names, page, last)) <= last) {
		u64 slot = page * MORSEL_PAGE_NAMES, end = slot + MORSEL_PAGE_NAMES;

		for (; !err && slot < end; slot++) {
			struct morsel_pool_name *name = morsel_pool_name(names, slot);

			if (name->inode)
				err = name_read(parent, name, slot, walks);
		}
		page++;
		cond_resched();
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
	}
	return err;
}

/**
 * morsel_fs_pool_mount() - bring back what is on the device
 * @sb: file system, with a device and without a root
 *
 * Context: process context, may sleep.
 * Return: 0, -ENOMEM, -EUCLEAN, or -EINTR when the caller was killed meanwhile.
 */
int morsel_fs_pool_mount(struct super_block *sb)
{
	struct inode *root = inode_read(sb, MORSEL_POOL_ROOT);
	struct walk *walk, *next;
	LIST_HEAD(walks);
	int err;

	if (IS_ERR(root))
		return PTR_ERR(root);
	sb->s_root = d_make_root(root);
	if (!sb->s_root)
		return -ENOMEM;
	err = walk_add(&walks, sb->s_root);
	while (!err && !list_empty(&walks)) {
		struct dentry *dentry;

		walk = list_first_entry(&walks, struct walk, list);
		dentry = walk->dentry;
		list_del(&walk->list);
		kfree(walk);
		err = directory_read(dentry, &walks);
	}
	list_for_each_entry_safe(walk, next, &walks, list)
		kfree(walk);
	morsel_fs_of(sb)->alive = !err;
	return err;
}

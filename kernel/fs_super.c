// SPDX-License-Identifier: GPL-2.0-only
/*
 * fs_super.c - morselfs: mounting, options, statistics and the life of inodes
 *
 * A file system in memory, of which each regular file is a morsel that grows.
 * Names are the kernel's dentries, pinned as in any file system that has no other
 * place for them.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/statfs.h>

#include "fs.h"
#include "object.h"
#include "pmem.h"
#include "punch.h"

static struct kmem_cache *fs_inode_cache;

/**
 * struct fs_options - what was said at mount or remount
 * @size:   frames
 * @inodes: how many
 * @uid:    see &struct morsel_fs
 * @gid:    see &struct morsel_fs
 * @mode:   see &struct morsel_fs
 * @domain: of a device
 * @seen:   bit by option
 */
struct fs_options {
	u64 size;
	u64 inodes;
	kuid_t uid;
	kgid_t gid;
	umode_t mode;
	enum morsel_domain domain;
	unsigned int seen;
};

enum { FS_SIZE, FS_INODES, FS_MODE, FS_UID, FS_GID, FS_DOMAIN };

/* What can be said of a device. */
#define FS_OF_A_DEVICE	(BIT(FS_DOMAIN) | BIT(FS_INODES))

/* The names are those of ndctl. */
static const struct constant_table fs_domains[] = {
	{ "auto", MORSEL_DOMAIN_AUTO },
	{ "cpu_cache", MORSEL_DOMAIN_CACHE },
	{ "memory_controller", MORSEL_DOMAIN_MEMORY },
	{}
};

static const struct fs_parameter_spec fs_parameters[] = {
	fsparam_string("size", FS_SIZE),
	fsparam_string("nr_inodes", FS_INODES),
	fsparam_u32oct("mode", FS_MODE),
	fsparam_u32("uid", FS_UID),
	fsparam_u32("gid", FS_GID),
	fsparam_enum("persistence_domain", FS_DOMAIN, fs_domains),
	{}
};

/* The longest amount, suffix included, that memparse() does not let wrap around. */
static int amount_length(const char *end)
{
	switch (end[-1] | 0x20) {
	case 'k':
		return 17;
	case 'm':
		return 14;
	case 'g':
		return 11;
	}
	return isdigit(end[-1]) ? 19 : 0;
}

/* A number with k, m or g behind it, or for @percent_of a percentage of that. */
static int parse_amount(struct fs_context *fc, const struct fs_parameter *param,
			u64 percent_of, u64 *amount)
{
	char *rest;
	u64 value = memparse(param->string, &rest);

	if (rest == param->string || rest - param->string > amount_length(rest))
		goto bad;
	if (*rest == '%' && percent_of) {
		if (!value || value > 100)
			goto bad;
		value = div_u64(percent_of * value, 100);
		rest++;
	}
	/* Counters are signed. */
	if (*rest || value > S64_MAX - PAGE_SIZE)
		goto bad;
	*amount = value;
	return 0;
bad:
	return invalfc(fc, "%s=%s is no amount", param->key, param->string);
}

static int fs_option(struct fs_context *fc, struct fs_parameter *param)
{
	struct fs_options *options = fc->fs_private;
	u64 ram = (u64)totalram_pages() << PAGE_SHIFT;
	struct fs_parse_result result;
	int opt, err = 0;
	u64 amount;

	opt = fs_parse(fc, fs_parameters, param, &result);
	if (opt < 0)
		return opt;
	switch (opt) {
	case FS_SIZE:
		err = parse_amount(fc, param, ram, &amount);
		if (!err)
			options->size = DIV_ROUND_UP_ULL(amount, PAGE_SIZE);
		break;
	case FS_INODES:
		err = parse_amount(fc, param, 0, &options->inodes);
		break;
	case FS_MODE:
		options->mode = result.uint_32 & 07777;
		break;
	case FS_UID:
		options->uid = make_kuid(current_user_ns(), result.uint_32);
		if (!uid_valid(options->uid) || !kuid_has_mapping(fc->user_ns, options->uid))
			err = invalfc(fc, "uid=%u is nobody's", result.uint_32);
		break;
	case FS_GID:
		options->gid = make_kgid(current_user_ns(), result.uint_32);
		if (!gid_valid(options->gid) || !kgid_has_mapping(fc->user_ns, options->gid))
			err = invalfc(fc, "gid=%u is nobody's", result.uint_32);
		break;
	case FS_DOMAIN:
		options->domain = result.uint_32;
		break;
	}
	options->seen |= BIT(opt);
	return err;
}

static int fs_reconfigure(struct fs_context *fc)
{
	struct morsel_fs *fs = morsel_fs_of(fc->root->d_sb);
	struct fs_options *options = fc->fs_private;
	u64 inodes = READ_ONCE(fs->inodes.max);

	if (fs->pmem && (options->seen & ~FS_OF_A_DEVICE ||
			 (options->seen & BIT(FS_DOMAIN) &&
			  options->domain != fs->pmem->domain)))
		return invalfc(fc, "of a device only nr_inodes= can be changed");
	if (!fs->pmem && options->seen & BIT(FS_DOMAIN))
		return invalfc(fc, "there is no device");
	if (fs->pmem)
		fc->sb_flags &= ~SB_LAZYTIME;
	/* Those of the root directory are changed there. */
	if (options->seen & (BIT(FS_MODE) | BIT(FS_UID) | BIT(FS_GID)) &&
	    ((options->seen & BIT(FS_MODE) && options->mode != fs->mode) ||
	     (options->seen & BIT(FS_UID) && !uid_eq(options->uid, fs->uid)) ||
	     (options->seen & BIT(FS_GID) && !gid_eq(options->gid, fs->gid))))
		return invalfc(fc, "mode, uid and gid are those of the first mount");
	if (options->seen & BIT(FS_INODES) &&
	    morsel_budget_resize(&fs->inodes, options->inodes))
		return invalfc(fc, "more than nr_inodes= are in use");
	if (options->seen & BIT(FS_SIZE) &&
	    morsel_budget_resize(&fs->frames, options->size)) {
		/* All or nothing; who is faster than this keeps what there was. */
		morsel_budget_resize(&fs->inodes, inodes);
		return invalfc(fc, "more than size= is in use");
	}
	return 0;
}

static int fs_show_options(struct seq_file *m, struct dentry *root)
{
	struct morsel_fs *fs = morsel_fs_of(root->d_sb);

	if (fs->pmem) {
		seq_printf(m, ",nr_inodes=%llu,persistence_domain=%s",
			   READ_ONCE(fs->inodes.max), fs_domains[fs->pmem->domain].name);
		return 0;
	}
	seq_printf(m, ",size=%lluk,nr_inodes=%llu,mode=%03o",
		   READ_ONCE(fs->frames.max) << (PAGE_SHIFT - 10),
		   READ_ONCE(fs->inodes.max), fs->mode);
	if (!uid_eq(fs->uid, GLOBAL_ROOT_UID))
		seq_printf(m, ",uid=%u", from_kuid_munged(current_user_ns(), fs->uid));
	if (!gid_eq(fs->gid, GLOBAL_ROOT_GID))
		seq_printf(m, ",gid=%u", from_kgid_munged(current_user_ns(), fs->gid));
	return 0;
}

static void budget_statfs(struct morsel_budget *budget, u64 *all, u64 *left)
{
	u64 max = READ_ONCE(budget->max);
	u64 used = percpu_counter_sum_positive(&budget->used);

	*all = max;
	*left = max > used ? max - used : 0;
}

static void pmem_statfs(struct morsel_fs *fs, struct kstatfs *statfs)
{
	const struct morsel_pool_frames *frames = &fs->pmem->pool.frames;

	statfs->f_blocks = frames->count - MORSEL_POOL_FIRST;
	statfs->f_bavail = morsel_pool_frames_left(frames);
	statfs->f_bfree = statfs->f_bavail + READ_ONCE(fs->pmem->spare);
}

static int fs_statfs(struct dentry *dentry, struct kstatfs *statfs)
{
	struct morsel_fs *fs = morsel_fs_of(dentry->d_sb);
	dev_t dev = dentry->d_sb->s_dev;

	statfs->f_type = MORSEL_FS_MAGIC;
	statfs->f_bsize = PAGE_SIZE;
	statfs->f_namelen = NAME_MAX;
	statfs->f_fsid = u64_to_fsid(huge_encode_dev(dev));
	budget_statfs(&fs->frames, &statfs->f_blocks, &statfs->f_bfree);
	statfs->f_bavail = statfs->f_bfree;
	if (fs->pmem)
		pmem_statfs(fs, statfs);
	budget_statfs(&fs->inodes, &statfs->f_files, &statfs->f_ffree);
	return 0;
}

static struct inode *fs_alloc_inode(struct super_block *sb)
{
	struct morsel_inode *inode = alloc_inode_sb(sb, fs_inode_cache, GFP_KERNEL);

	if (!inode)
		return NULL;
	inode->flags = 0;
	inode->medium = NULL;
	inode->size = 0;
	inode->list = 0;
	inode->change = NULL;
	ida_init(&inode->slots);
	spin_lock_init(&inode->attr_lock);
	morsel_fs_xattrs_init(inode);
	return &inode->inode;
}

/* After a grace period: who follows a symbolic link has no reference. */
static void fs_free_inode(struct inode *inode)
{
	if (S_ISLNK(inode->i_mode))
		kfree(inode->i_link);
	kmem_cache_free(fs_inode_cache, morsel_inode_of(inode));
}

/* What has a name on a device stays there, and all when nothing may be freed there. */
static void fs_object_end(struct morsel_object *object, struct inode *inode, bool may_free)
{
	if (morsel_inode_of(inode)->medium && (inode->i_nlink || !may_free))
		morsel_object_close(object);
	else
		morsel_object_retire(object);
}

static void fs_evict_inode(struct inode *inode)
{
	struct morsel_fs *fs = morsel_fs_of(inode->i_sb);
	struct morsel_object *object = S_ISREG(inode->i_mode) ? inode->i_private : NULL;
	bool entered = !morsel_fs_enter(inode), may_free = entered && fs->alive;

	truncate_inode_pages_final(&inode->i_data);
	if (object)
		fs_object_end(object, inode, may_free);
	clear_inode(inode);
	if (object)
		morsel_object_free(object);
	morsel_fs_pool_evict(inode, may_free);
	if (entered)
		morsel_fs_leave(inode, 0);
	morsel_fs_xattrs_free(morsel_inode_of(inode));
	morsel_budget_uncharge(&fs->inodes, 1);
}

/* Names and attributes are on the device before the call that changed them returns. */
static int fs_sync_fs(struct super_block *sb, int wait)
{
	struct morsel_fs *fs = morsel_fs_of(sb);
	struct inode *inode, *held = NULL;
	int err = 0;

	if (!fs->pmem || fs->pmem->domain != MORSEL_DOMAIN_MEMORY || !wait)
		return 0;
	if (morsel_pmem_stopped(fs->pmem))
		return -EIO;
	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list) {
		/* What is hashed is complete; igrab() takes the lock that it was hashed under. */
		if (!S_ISREG(inode->i_mode) || inode_unhashed(inode) || !igrab(inode))
			continue;
		/* It keeps its place in the list while it is held. */
		spin_unlock(&sb->s_inode_list_lock);
		iput(held);
		held = inode;
		err = morsel_fs_write_back(inode, 0, LLONG_MAX);
		spin_lock(&sb->s_inode_list_lock);
		if (err)
			break;
	}
	spin_unlock(&sb->s_inode_list_lock);
	iput(held);
	return err;
}

/* Times, which the kernel has changed by itself. */
static void fs_dirty_inode(struct inode *inode, int flags)
{
	if (morsel_fs_enter(inode))
		return;
	morsel_fs_pool_changed(inode);
	morsel_fs_leave(inode, 0);
}

/*
 * umount -f.  What is on a device stays there, and nobody gets at it any more; what is
 * in memory would be lost.
 */
static void fs_umount_begin(struct super_block *sb)
{
	struct morsel_fs *fs = morsel_fs_of(sb);

	if (!fs->pmem)
		return;
	if (!morsel_pmem_stopped(fs->pmem))
		pr_warn("%pg: unmounted by force\n", morsel_bdev(fs->pmem->bdev));
	morsel_pmem_stop(fs->pmem);
}

static const struct super_operations fs_super_ops = {
	.dirty_inode = fs_dirty_inode,
	.umount_begin = fs_umount_begin,
	.sync_fs = fs_sync_fs,
	.alloc_inode = fs_alloc_inode,
	.free_inode = fs_free_inode,
	.evict_inode = fs_evict_inode,
	.drop_inode = generic_delete_inode,
	.statfs = fs_statfs,
	.show_options = fs_show_options,
};

static void fs_free(struct morsel_fs *fs)
{
	if (fs->pmem)
		morsel_pmem_close(fs->pmem);
	ida_destroy(&fs->numbers);
	morsel_budget_exit(&fs->frames);
	morsel_budget_exit(&fs->inodes);
	kfree(fs);
}

/* As in mount -t morselfs /dev/pmem0 DIRECTORY. */
static bool fs_on_device(const struct fs_context *fc)
{
	return fc->source && fc->source[0] == '/';
}

static int fs_root(struct super_block *sb)
{
	struct morsel_fs *fs = morsel_fs_of(sb);
	struct inode *root = morsel_fs_inode_new(morsel_idmap, sb, NULL,
						 S_IFDIR | fs->mode, 0);

	if (IS_ERR(root))
		return PTR_ERR(root);
	root->i_uid = fs->uid;
	root->i_gid = fs->gid;
	sb->s_root = d_make_root(root);
	return sb->s_root ? 0 : -ENOMEM;
}

/* Of what is on a device all is said there. */
static int fs_open_device(struct super_block *sb, struct fs_context *fc)
{
	struct fs_options *options = fc->fs_private;
	struct morsel_fs *fs = morsel_fs_of(sb);
	struct morsel_pmem *pmem;
	const char *why = NULL;

	if (options->seen & ~FS_OF_A_DEVICE)
		return invalfc(fc, "a device has its own size, mode, uid and gid");
	pmem = morsel_pmem_open(fc->source, options->domain, morsel_revoke, &why);
	if (IS_ERR(pmem)) {
		errorfc(fc, "%s: %s", fc->source, why ? : "cannot be mounted");
		pr_err("%s: %s\n", fc->source, why ? : "cannot be mounted");
		return PTR_ERR(pmem);
	}
	fs->pmem = pmem;
	/* Times are on it when they have changed, and nobody writes them there later. */
	sb->s_flags &= ~SB_LAZYTIME;
	/* The device has its own limit; that of inodes is the kernel's memory. */
	morsel_budget_resize(&fs->frames, S64_MAX - PAGE_SIZE);
	memcpy(&sb->s_uuid, pmem->pool.super->uuid, sizeof(sb->s_uuid));
	return morsel_fs_pool_mount(sb);
}

/* What it allocates is freed by fs_kill_sb(). */
static int fs_fill_super(struct super_block *sb, struct fs_context *fc)
{
	struct fs_options *options = fc->fs_private;
	struct morsel_fs *fs;

	fs = kzalloc(sizeof(*fs), GFP_KERNEL_ACCOUNT);
	if (!fs)
		return -ENOMEM;
	sb->s_fs_info = fs;
	ida_init(&fs->numbers);
	fs->uid = options->uid;
	fs->gid = options->gid;
	fs->mode = options->mode;
	if (morsel_budget_init(&fs->frames, options->size) ||
	    morsel_budget_init(&fs->inodes, options->inodes))
		return -ENOMEM;

	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_maxbytes = min_t(u64, morsel_level_size(morsel_order_max()),
			       MAX_LFS_FILESIZE);
	sb->s_magic = MORSEL_FS_MAGIC;
	sb->s_time_gran = 1;
	sb->s_flags |= SB_POSIXACL | SB_NOSEC;
	sb->s_op = &fs_super_ops;
	/* 6.1 lacks a const there, and changes nothing. */
	sb->s_xattr = (void *)morsel_fs_xattr_handlers;
	sb->s_export_op = &morsel_fs_export_ops;

	if (fs_on_device(fc))
		return fs_open_device(sb, fc);
	if (options->seen & BIT(FS_DOMAIN))
		return invalfc(fc, "persistence_domain= is a device's");
	return fs_root(sb);
}

static int fs_get_tree(struct fs_context *fc)
{
	return get_tree_nodev(fc, fs_fill_super);
}

static void fs_free_fc(struct fs_context *fc)
{
	kfree(fc->fs_private);
}

static const struct fs_context_operations fs_context_ops = {
	.parse_param = fs_option,
	.get_tree = fs_get_tree,
	.reconfigure = fs_reconfigure,
	.free = fs_free_fc,
};

static int fs_init_fs_context(struct fs_context *fc)
{
	struct fs_options *options = kzalloc(sizeof(*options), GFP_KERNEL_ACCOUNT);

	if (!options)
		return -ENOMEM;
	/* Half of the memory, as tmpfs; and for inodes, of which files are the dearest. */
	options->size = totalram_pages() / 2;
	options->inodes = totalram_pages() / 2 / (1 + morsel_dram_price() / PAGE_SIZE);
	options->uid = current_fsuid();
	options->gid = current_fsgid();
	options->mode = 01777;
	fc->fs_private = options;
	fc->ops = &fs_context_ops;
	return 0;
}

static void fs_kill_sb(struct super_block *sb)
{
	struct morsel_fs *fs = morsel_fs_of(sb);

	kill_litter_super(sb);
	if (fs)
		fs_free(fs);
}

/* Only for who may mount in the initial namespaces: frames are not everybody's. */
static struct file_system_type fs_type = {
	.owner = THIS_MODULE,
	.name = "morselfs",
	.init_fs_context = fs_init_fs_context,
	.parameters = fs_parameters,
	.kill_sb = fs_kill_sb,
	.fs_flags = FS_ALLOW_IDMAP,
};
MODULE_ALIAS_FS("morselfs");

static void fs_inode_once(void *inode)
{
	inode_init_once(&((struct morsel_inode *)inode)->inode);
}

/**
 * morsel_fs_register() - make morselfs known
 *
 * Return: 0 or a negative errno.
 */
int morsel_fs_register(void)
{
	int err;

	fs_inode_cache = kmem_cache_create("morsel_inode", sizeof(struct morsel_inode), 0,
					   SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT,
					   fs_inode_once);
	if (!fs_inode_cache)
		return -ENOMEM;
	err = register_filesystem(&fs_type);
	if (err)
		kmem_cache_destroy(fs_inode_cache);
	return err;
}

/**
 * morsel_fs_deregister() - morselfs is known no more, and mounted nowhere
 */
void morsel_fs_deregister(void)
{
	unregister_filesystem(&fs_type);
	/* fs_free_inode() of the last ones */
	rcu_barrier();
	kmem_cache_destroy(fs_inode_cache);
}

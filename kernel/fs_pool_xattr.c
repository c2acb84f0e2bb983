// SPDX-License-Identifier: GPL-2.0-only
/*
 * fs_pool_xattr.c - extended attributes of morselfs on a device
 *
 * All of an inode's are one text, in pages of a tree of its own.  When one of them
 * changes all are written anew, to another tree, which the attributes of the inode
 * name from one store on; then the old tree is freed.  Access control lists are among
 * them.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/crc32.h>
#include <linux/fs.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <linux/slab.h>

#include "fs.h"
#include "pmem.h"

/**
 * struct text_head - what the text begins with
 * @bytes:    how long it is, this included
 * @checksum: CRC-32 of what follows
 */
struct text_head {
	u32 bytes;
	u32 checksum;
};

/**
 * struct text_attribute - what is before each attribute's name and value
 * @value: bytes of it
 * @name:  bytes of it
 */
struct text_attribute {
	u32 value;
	u16 name;
} __packed;

/* More than all attributes and both lists can have. */
#define TEXT_MAX	(256u << 10)

/**
 * struct text - a text that is written or read
 * @data: it, or NULL: only counted
 * @used: bytes
 */
struct text {
	char *data;
	size_t used;
};

static void text_add(struct text *text, const void *data, size_t bytes)
{
	if (text->data)
		memcpy(text->data + text->used, data, bytes);
	text->used += bytes;
}

static void text_add_attribute(struct text *text, const char *name, const void *value,
			       size_t bytes)
{
	struct text_attribute attribute = { .value = bytes, .name = strlen(name) };

	text_add(text, &attribute, sizeof(attribute));
	text_add(text, name, attribute.name);
	text_add(text, value, bytes);
}

static const struct {
	int type;
	const char *name;
} acls[] = {
	{ ACL_TYPE_ACCESS, XATTR_NAME_POSIX_ACL_ACCESS },
	{ ACL_TYPE_DEFAULT, XATTR_NAME_POSIX_ACL_DEFAULT },
};

static int text_add_acl(struct text *text, struct inode *inode, unsigned int i)
{
	struct posix_acl *acl = get_cached_acl(inode, acls[i].type);
	int bytes, err = 0;
	void *value;

	if (IS_ERR_OR_NULL(acl) || is_uncached_acl(acl))
		return 0;
	bytes = posix_acl_xattr_size(acl->a_count);
	value = kvmalloc(bytes, GFP_KERNEL);
	if (value)
		err = posix_acl_to_xattr(&init_user_ns, acl, value, bytes);
	else
		err = -ENOMEM;
	if (err >= 0)
		text_add_attribute(text, acls[i].name, value, bytes);
	kvfree(value);
	posix_acl_release(acl);
	return min(err, 0);
}

/* All attributes; the lock of the attributes is held. */
static int text_make(struct text *text, struct inode *inode)
{
	struct text_head head = {};
	struct morsel_xattr *xattr;
	unsigned int i;
	int err = 0;

	text->used = 0;
	text_add(text, &head, sizeof(head));
	list_for_each_entry(xattr, &morsel_inode_of(inode)->xattrs, list)
		text_add_attribute(text, xattr->name, xattr->value, xattr->size);
	for (i = 0; i < ARRAY_SIZE(acls) && !err; i++)
		err = text_add_acl(text, inode, i);
	if (text->data) {
		head.bytes = text->used;
		head.checksum = crc32_le(~0u, text->data + sizeof(head),
					 text->used - sizeof(head));
		memcpy(text->data, &head, sizeof(head));
	}
	return err;
}

/* Does a text take no more pages than the one that is there? */
static bool text_fits(const struct text *text, struct inode *inode)
{
	struct morsel_inode *morsel = morsel_inode_of(inode);
	const struct text_head *head;
	struct morsel_tree tree;

	if (!morsel->list)
		return false;
	morsel_tree_open(&tree, morsel->names.source, &morsel->list);
	head = (struct text_head *)morsel_frame_table(morsel_tree_lookup(&tree, 0));
	return PFN_UP(text->used) <= PFN_UP(head->bytes);
}

/*
 * Write a text to a new tree.  The old one goes when that is there: a full device has
 * frames for that while.
 */
static int text_write(const struct text *text, struct inode *inode, u64 *top)
{
	struct morsel_pmem *pmem = morsel_fs_of(inode->i_sb)->pmem;
	struct morsel_dram *source = &pmem->meta;
	struct morsel_tree tree;
	size_t at;

	if (text_fits(text, inode))
		source = &pmem->last[MORSEL_LAST_ATTRIBUTES];
	morsel_tree_open(&tree, &source->source, top);
	for (at = 0; at < text->used; at += PAGE_SIZE) {
		size_t bytes = min_t(size_t, PAGE_SIZE, text->used - at);
		u64 page = at >> PAGE_SHIFT;
		int ret = morsel_tree_populate(&tree, page, page, NULL);
		void *to;

		if (ret < 0) {
			if (*top)
				morsel_tree_destroy(&tree);
			return ret;
		}
		to = morsel_frame_table(morsel_tree_lookup(&tree, page));
		memcpy(to, text->data + at, bytes);
		morsel_pool_persist(&pmem->pool, to, bytes);
	}
	return 0;
}

/* By one store with the mode, and with all that is about to change with it. */
static void list_set(struct inode *inode, u64 list, umode_t mode)
{
	struct morsel_inode *morsel = morsel_inode_of(inode);
	struct morsel_tree tree;
	u64 old;

	spin_lock(&morsel->attr_lock);
	old = morsel->list;
	morsel->list = list;
	inode->i_mode = mode;
	if (morsel->change)
		setattr_copy(morsel->change->idmap, inode, morsel->change->attr);
	spin_unlock(&morsel->attr_lock);
	/* On the device, too, before the old ones are free. */
	morsel_fs_pool_changed(inode);
	morsel_tree_open(&tree, morsel->names.source, &old);
	if (old)
		morsel_tree_destroy(&tree);
}

/**
 * morsel_fs_pool_xattrs() - the attributes have changed: so do they on the device
 * @inode: the inode, whose lock of the attributes is held; of one that is on none only
 *         the mode changes
 * @mode:  what it has from then on: neither says more without the other
 *
 * Return: 0, or nothing has changed there: -ENOSPC or -ENOMEM.
 */
int morsel_fs_pool_xattrs(struct inode *inode, umode_t mode)
{
	struct text text = {};
	u64 top = 0;
	int err;

	if (!morsel_inode_of(inode)->medium) {
		inode->i_mode = mode;
		return 0;
	}
	err = text_make(&text, inode);
	if (!err && text.used > TEXT_MAX)
		err = -ENOSPC;
	if (err)
		return err;
	if (text.used > sizeof(struct text_head)) {
		text.data = kvmalloc(text.used, GFP_KERNEL);
		if (!text.data)
			return -ENOMEM;
		err = text_make(&text, inode);
		if (!err)
			err = text_write(&text, inode, &top);
		kvfree(text.data);
		if (err)
			return err;
	}
	list_set(inode, top, mode);
	return 0;
}

static int attribute_read(struct inode *inode, const char *name, const void *value,
			  size_t bytes)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(acls); i++)
		if (!strcmp(name, acls[i].name))
			return morsel_fs_acl_read(inode, acls[i].type, value, bytes);
	return morsel_fs_xattr_add(inode, name, value, bytes);
}

static int text_parse(const struct text *text, struct inode *inode)
{
	size_t at = sizeof(struct text_head);
	int err = 0;

	while (!err && at < text->used) {
		struct text_attribute attribute;
		char name[XATTR_NAME_MAX + 1];

		if (text->used - at < sizeof(attribute))
			return -EUCLEAN;
		memcpy(&attribute, text->data + at, sizeof(attribute));
		at += sizeof(attribute);
		if (attribute.name > XATTR_NAME_MAX || !attribute.name ||
		    text->used - at < (u64)attribute.name + attribute.value)
			return -EUCLEAN;
		memcpy(name, text->data + at, attribute.name);
		name[attribute.name] = 0;
		at += attribute.name;
		err = attribute_read(inode, name, text->data + at, attribute.value);
		at += attribute.value;
	}
	return err;
}

/* Read a text from its tree; 0 where there is none. */
static int text_read(struct text *text, const struct morsel_tree *tree)
{
	struct text_head head;
	u64 frame = morsel_tree_lookup(tree, 0);
	size_t at;

	if (frame == MORSEL_PFN_NONE)
		return -EUCLEAN;
	memcpy(&head, morsel_frame_table(frame), sizeof(head));
	if (head.bytes <= sizeof(head) || head.bytes > TEXT_MAX)
		return -EUCLEAN;
	text->used = head.bytes;
	text->data = kvmalloc(text->used, GFP_KERNEL);
	if (!text->data)
		return -ENOMEM;
	for (at = 0; at < text->used; at += PAGE_SIZE) {
		frame = morsel_tree_lookup(tree, at >> PAGE_SHIFT);
		if (frame == MORSEL_PFN_NONE)
			return -EUCLEAN;
		memcpy(text->data + at, morsel_frame_table(frame),
		       min_t(size_t, PAGE_SIZE, text->used - at));
	}
	return crc32_le(~0u, text->data + sizeof(head), text->used - sizeof(head)) ==
		       head.checksum ? 0 : -EUCLEAN;
}

/**
 * morsel_fs_pool_xattrs_read() - bring back the attributes of an inode
 * @inode: the inode, which nobody else has
 *
 * Return: 0, -EUCLEAN or -ENOMEM.
 */
int morsel_fs_pool_xattrs_read(struct inode *inode)
{
	struct morsel_inode *morsel = morsel_inode_of(inode);
	struct text text = {};
	struct morsel_tree tree;
	int err;

	if (!morsel->list)
		return 0;
	morsel_tree_open(&tree, morsel->names.source, &morsel->list);
	err = text_read(&text, &tree);
	if (!err)
		err = text_parse(&text, inode);
	kvfree(text.data);
	return err;
}

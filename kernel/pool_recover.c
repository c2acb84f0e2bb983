// SPDX-License-Identifier: GPL-2.0-only
/*
 * pool_recover.c - what is in a pool, found by following all that leads anywhere
 *
 * From the super block to the inodes, from the root directory by names to the inodes
 * that are in use, from these to their tables and pages.  Every frame on the way is
 * marked; all others are free, which is how a frame that was in flight at a crash is
 * found again.  The time is in proportion to tables, directories and inodes, not to
 * data.
 *
 * One worker follows names and inodes; what takes the time, the trees of files, is left
 * to several (pool_trees.c), who are through before names are finished.
 *
 * Nothing is believed: a name that is none, an inode that nobody wrote, a tree with an
 * entry that nobody made ends it all.
 *
 * A frame that is bad (&morsel_pool.bad) is not read.  As a page of a file it costs what
 * was in it; without any other there is nothing to go by, and that ends it, too.
 *
 * What a crash has interrupted is finished: names that were being moved (see
 * pool_names.c), pages behind the end of files that were being cut.  What was written
 * behind the end within the last page is cleared.  Recovery can be interrupted itself, at
 * any store; it begins anew then.
 */
#include "pool_trees.h"

#define ENTRY_MAY	MORSEL_POOL_MAY_FLAGS

/**
 * struct recovery - how far it has come
 * @pool:  the pool
 * @found: the result
 * @fix:   finish what is unfinished; else only look
 * @trees: of all that was found
 * @seen:  bit for each inode that a name leads to
 * @queue: their numbers, in the order in which they were found
 * @head:  the next one of these that is looked at
 * @tail:  how many there are
 * @limit: one more than the largest number that an inode can have
 */
struct recovery {
	struct morsel_pool *pool;
	struct morsel_pool_found *found;
	bool fix;
	struct morsel_pool_trees trees;
	u64 *seen;
	u32 *queue;
	u64 head;
	u64 tail;
	u64 limit;
};

static int wrong(struct recovery *r, u64 inode, const char *why)
{
	r->found->why = why;
	r->found->inode = inode;
	return -EUCLEAN;
}

/* May this frame be read, which has to be? */
static int readable(struct recovery *r, u64 inode, u64 frame)
{
	int err = morsel_pool_readable(r->pool, frame - r->pool->base);

	if (err)
		wrong(r, inode, "needs a frame that is bad");
	return err;
}

static bool is_directory(struct recovery *r, u64 number)
{
	struct morsel_pool_attr attr;

	morsel_pool_attr_get(morsel_pool_inode(r->pool, number), &attr);
	return (attr.mode & 0170000) == 0040000;
}

/* All pages of a tree that was gone through, which will be read. */
static int readable_pages(struct recovery *r, u64 inode, u64 top)
{
	u64 last = morsel_level_pages(MORSEL_LEVELS - 1) - 1, page = 0;
	struct morsel_tree tree;
	int err = 0;

	if (!r->pool->bad)
		return 0;
	morsel_tree_open(&tree, r->pool->source, &top);
	while (!err && (page = morsel_tree_next(&tree, page, last)) <= last)
		err = readable(r, inode, morsel_tree_lookup(&tree, page++));
	return err;
}

/* A tree that is needed with all that is in it. */
static int take_whole(struct recovery *r, u64 inode, u64 top, u64 bytes)
{
	int err = morsel_pool_trees_take(&r->trees, inode, top, bytes);

	return err ? : readable_pages(r, inode, top);
}

/* A name leads to an inode. */
static int reach(struct recovery *r, u64 directory, u64 number)
{
	u64 bit = 1ull << number % 64;

	if (!number || number >= r->limit || !morsel_pool_inode(r->pool, number))
		return wrong(r, directory, "has a name that leads nowhere");
	if (r->seen[number / 64] & bit)
		return 0;
	r->seen[number / 64] |= bit;
	r->queue[r->tail++] = number;
	return 0;
}

static int take_name(struct recovery *r, u64 directory, struct morsel_pool_name *name)
{
	u64 word = READ_ONCE(name->inode);
	int err = 0;

	if (!word)
		return 0;
	if (!morsel_pool_name_valid(name, word))
		return wrong(r, directory, "has a name that is none");
	if (word & MORSEL_NAME_SWAP)
		err = reach(r, directory, name->swap);
	return err ? : reach(r, directory, word & MORSEL_NAME_INODE);
}

/* What is done with each entry of a directory, free ones included. */
typedef int name_fn(struct recovery *r, u64 directory, struct morsel_pool_name *name);

static int each_name(struct recovery *r, u64 number, name_fn *fn)
{
	struct morsel_pool_inode *inode = morsel_pool_inode(r->pool, number);
	u64 last = morsel_level_pages(MORSEL_LEVELS - 1) - 1, page = 0;
	struct morsel_tree directory;
	struct morsel_pool_name *names;
	unsigned int i;
	int err = 0;

	morsel_tree_open(&directory, r->pool->source, &inode->top);
	while ((page = morsel_tree_next(&directory, page, last)) <= last) {
		names = morsel_pool_name(&directory, page * MORSEL_PAGE_NAMES);
		if ((page + 1) * MORSEL_PAGE_NAMES > MORSEL_POOL_SLOTS)
			return wrong(r, number, "has names behind the last position");
		for (i = 0; i < MORSEL_PAGE_NAMES && !err; i++)
			err = fn(r, number, &names[i]);
		if (err)
			return err;
		page++;
		cond_resched();
	}
	return 0;
}

static bool mode_valid(u32 mode)
{
	switch (mode & 0170000) {
	case 0010000:
	case 0020000:
	case 0040000:
	case 0060000:
	case 0100000:
	case 0120000:
	case 0140000:
		return true;
	}
	return false;
}

static bool reserved_valid(const struct morsel_pool_inode *inode,
			   const struct morsel_pool_attr *attr)
{
	unsigned int i;

	for (i = 0; i < sizeof(inode->reserved) / sizeof(*inode->reserved); i++)
		if (inode->reserved[i])
			return false;
	return !attr->pad;
}

static int take_inode(struct recovery *r, u64 number)
{
	struct morsel_pool_inode *inode = morsel_pool_inode(r->pool, number);
	struct morsel_pool_attr attr;
	bool directory;
	int err;

	if (inode->which > 1)
		return wrong(r, number, "has no attributes");
	morsel_pool_attr_get(inode, &attr);
	if (!morsel_pool_attr_valid(&attr))
		return wrong(r, number, "has attributes with a wrong checksum");
	if (!reserved_valid(inode, &attr))
		return wrong(r, number, "has something in what is reserved");
	if (!mode_valid(attr.mode) || attr.size > morsel_level_size(MORSEL_LEVELS - 1))
		return wrong(r, number, "has a type or a size that no file has");
	r->found->inodes++;
	directory = is_directory(r, number);
	if (number == MORSEL_POOL_ROOT && !directory)
		return wrong(r, number, "is the root and no directory");
	err = take_whole(r, number, attr.xattrs, MORSEL_TREE_ALL);
	if (err)
		return err;
	if ((attr.mode & 0170000) == 0100000)
		return morsel_pool_trees_add(&r->trees, number, inode->top, attr.size);
	/* All but files are brought into memory, or looked through here. */
	err = take_whole(r, number, inode->top, directory ? MORSEL_TREE_ALL : attr.size);
	return err || !directory ? err : each_name(r, number, take_name);
}

/*
 * The other entry of a name with a flag: in a directory that was looked at, and such
 * as a crash can leave it.
 */
static struct morsel_pool_name *other_of(struct recovery *r,
					 const struct morsel_pool_name *name, u64 word)
{
	u64 number = name->other >> 32, inode = word & MORSEL_NAME_INODE;
	struct morsel_pool_name *other;
	struct morsel_tree directory;

	if (number >= r->limit || !(r->seen[number / 64] >> number % 64 & 1) ||
	    !is_directory(r, number))
		return NULL;
	morsel_tree_open(&directory, r->pool->source,
			 &morsel_pool_inode(r->pool, number)->top);
	other = morsel_pool_name(&directory, name->other & MORSEL_NAME_INODE);
	if (!other || other == name)
		return NULL;
	if (word & MORSEL_NAME_SWAP)
		return (other->inode == inode || other->inode == name->swap) &&
		       other->length ? other : NULL;
	return !other->inode || other->inode == inode ? other : NULL;
}

static int finish_name(struct recovery *r, u64 directory, struct morsel_pool_name *name)
{
	u64 word = READ_ONCE(name->inode);
	struct morsel_pool_name *other;

	if (!(word & ~MORSEL_NAME_INODE))
		return 0;
	other = other_of(r, name, word);
	if (!other)
		return wrong(r, directory, "has a name that was moved from nowhere");
	r->found->finished++;
	if (r->fix)
		morsel_pool_name_finish(r->pool, name, other);
	return 0;
}

/* Names, when none of them is unfinished any more; a directory has one. */
static int count_name(struct recovery *r, u64 directory, struct morsel_pool_name *name)
{
	u64 inode = READ_ONCE(name->inode) & MORSEL_NAME_INODE, bit = 1ull << inode % 64;

	if (!inode)
		return 0;
	r->found->names++;
	if (!is_directory(r, inode) || (r->found->finished && !r->fix))
		return 0;
	if (inode == MORSEL_POOL_ROOT || !(r->seen[inode / 64] & bit))
		return wrong(r, inode, "is a directory with several names");
	/* From here on: was named already. */
	r->seen[inode / 64] &= ~bit;
	return 0;
}

/* For all directories that were found. */
static int each_directory(struct recovery *r, name_fn *fn)
{
	u64 i;
	int err = 0;

	for (i = 0; !err && i < r->tail; i++)
		if (is_directory(r, r->queue[i]))
			err = each_name(r, r->queue[i], fn);
	return err;
}

/* A table that stands in holes, where processors walk through it. */
static int take_empty(struct recovery *r, unsigned int frame, u64 value)
{
	u64 *table = morsel_frame_table(r->pool->base + frame);
	int err = readable(r, 0, r->pool->base + frame);
	unsigned int i;

	if (err)
		return err;
	morsel_pool_frames_mark(&r->pool->frames, frame);
	for (i = 0; i < MORSEL_ENTRIES; i++)
		if ((table[i] ^ value) & ~ENTRY_MAY)
			return wrong(r, 0, "has a table of holes with something in it");
	return 0;
}

/* Room for as many inodes as there can be, once their tree is known to be sound. */
static int recovery_begin(struct recovery *r)
{
	u64 last = morsel_level_pages(MORSEL_LEVELS - 1) - 1, page = 0, pages = 0;
	u64 present = 0;
	int err;

	if (r->pool->super->frames != r->pool->frames.count)
		return wrong(r, 0, "has another number of frames");
	if (morsel_pool_moved(r->pool))
		return wrong(r, 0, "has to be moved first");
	morsel_pool_frames_mark(&r->pool->frames, MORSEL_POOL_SUPER);
	err = take_empty(r, MORSEL_POOL_EMPTY2, 0);
	if (!err)
		err = take_empty(r, MORSEL_POOL_EMPTY3, r->pool->source->hole[3]);
	if (err)
		return err;
	err = morsel_pool_trees_init(&r->trees);
	if (!err)
		err = take_whole(r, 0, r->pool->super->inodes, MORSEL_TREE_ALL);
	if (err)
		return err;
	while ((page = morsel_tree_next(&r->pool->inodes, page, last)) <= last) {
		pages = ++page;
		present++;
	}
	/* Numbers are given out from below. */
	if (pages > r->pool->frames.count)
		return wrong(r, 0, "has inodes with numbers that are too high");
	r->limit = min(pages * MORSEL_PAGE_INODES, MORSEL_NAME_INODE + 1);
	r->seen = morsel_plat_zalloc(r->limit / 64 + 1, sizeof(*r->seen));
	r->queue = morsel_plat_zalloc(present * MORSEL_PAGE_INODES + 1,
				      sizeof(*r->queue));
	return r->seen && r->queue ? 0 : -ENOMEM;
}

/**
 * morsel_pool_recover() - find out what is in a pool, and make it whole
 * @pool:    of morsel_pool_init(), with a good super block, and no frame marked
 * @fix:     finish what a crash has interrupted; else nothing is written
 * @workers: processors that it may use, at least 1; see workers.h
 * @found:   out: what there is; on failure also what is wrong
 *
 * Context: process context, may sleep.
 * Return: 0, and frames can be allocated, unless something is unfinished and stays so;
 * -EUCLEAN: the medium is damaged; -EIO: a frame that is needed cannot be read; -ENOMEM.
 */
int morsel_pool_recover(struct morsel_pool *pool, bool fix, unsigned int workers,
			struct morsel_pool_found *found)
{
	struct recovery r = {
		.pool = pool,
		.found = found,
		.fix = fix,
		.trees.pool = pool,
		.trees.found = found,
		.trees.fix = fix,
		.trees.workers = workers,
	};
	int err;

	*found = (struct morsel_pool_found){};
	err = recovery_begin(&r);
	if (!err)
		err = reach(&r, 0, MORSEL_POOL_ROOT);
	while (!err && r.head < r.tail)
		err = take_inode(&r, r.queue[r.head++]);
	if (!err)
		err = morsel_pool_trees_run(&r.trees);
	if (!err)
		err = each_directory(&r, finish_name);
	if (!err)
		err = each_directory(&r, count_name);
	if (!err && (fix || !(found->cut || found->finished)))
		morsel_pool_frames_start(&pool->frames);
	morsel_pool_trees_exit(&r.trees);
	morsel_plat_free(r.seen);
	morsel_plat_free(r.queue);
	return err;
}

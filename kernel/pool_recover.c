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
 * Nothing is believed: an entry that names no frame of the pool, has flags that nobody
 * gave it, or names a frame that something else named already, ends it all.
 *
 * What a crash has interrupted is finished: names that were being moved (see
 * pool_names.c), pages behind the end of files that were being cut.  Recovery can be
 * interrupted itself, at any store; it begins anew then.
 */
#include "pool.h"

/* What processors, and nobody else, may have changed: accessed, dirty, soft-dirty. */
#define ENTRY_MAY	0x0400000000000060ull

/**
 * struct recovery - how far it has come
 * @pool:  the pool
 * @found: the result
 * @fix:   finish what is unfinished; else only look
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

static bool in_pool(struct recovery *r, u64 frame)
{
	return frame >= r->pool->base + MORSEL_POOL_FIRST &&
	       frame < r->pool->base + r->pool->frames.count;
}

/* A frame is named: in the pool, and nothing else's. */
static int take_frame(struct recovery *r, u64 inode, u64 frame)
{
	if (!in_pool(r, frame))
		return wrong(r, inode, "names a frame that is not in the pool");
	if (!morsel_pool_frames_mark(&r->pool->frames, frame - r->pool->base))
		return wrong(r, inode, "names a frame that is in use elsewhere");
	return 0;
}

static bool flags_valid(u64 entry, u64 flags)
{
	return !((entry ^ flags) & ~MORSEL_PFN_MASK & ~ENTRY_MAY);
}

static int take_leaf(struct recovery *r, u64 inode, u64 *leaf, bool behind)
{
	u64 entry = READ_ONCE(*leaf);

	if (!entry)
		return 0;
	if (behind) {
		r->found->cut++;
		if (r->fix)
			morsel_pool_commit(r->pool, leaf, 0);
		return 0;
	}
	if (!flags_valid(entry, r->pool->source->leaf_flags))
		return wrong(r, inode, "has a page with wrong flags");
	r->found->pages++;
	return take_frame(r, inode, morsel_entry_pfn(entry));
}

/* A table of @level that covers pages from @first on; from @end on there are none. */
static int take_table(struct recovery *r, u64 inode, u64 frame, unsigned int level,
		      u64 first, u64 end)
{
	u64 *table, hole = r->pool->source->hole[level];
	unsigned int i;
	int err = take_frame(r, inode, frame);

	if (err)
		return err;
	r->found->tables++;
	table = morsel_frame_table(frame);
	for (i = 0; i < MORSEL_ENTRIES && !err; i++) {
		u64 entry = READ_ONCE(table[i]);

		if (level == 1) {
			err = take_leaf(r, inode, &table[i], first + i >= end);
			continue;
		}
		if (entry == hole)
			continue;
		if (!flags_valid(entry, r->pool->source->table_flags))
			return wrong(r, inode, "has a table with wrong flags");
		err = take_table(r, inode, morsel_entry_pfn(entry), level - 1,
				 first + i * morsel_level_pages(level - 1), end);
	}
	cond_resched();
	return err;
}

static int take_tree(struct recovery *r, u64 inode, u64 top, u64 end)
{
	unsigned int order = top % MORSEL_PAGE_SIZE;

	if (!top)
		return 0;
	if (!order || order >= MORSEL_LEVELS || top & ~MORSEL_PFN_MASK & ~0xfffull)
		return wrong(r, inode, "has a root with wrong flags");
	return take_table(r, inode, morsel_entry_pfn(top), order, 0, end);
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

/* As morsel_pool_name(), where nobody has looked at the tables yet. */
static struct morsel_pool_name *name_at(struct recovery *r, u64 place)
{
	struct morsel_pool_inode *inode = morsel_pool_inode(r->pool, place >> 32);
	u64 slot = place & MORSEL_NAME_INODE, index = slot / MORSEL_PAGE_NAMES;
	unsigned int level = inode ? inode->top % MORSEL_PAGE_SIZE : 0;
	u64 frame = inode ? morsel_entry_pfn(inode->top) : 0, *table;

	if (!level || level >= MORSEL_LEVELS || index >= morsel_level_pages(level))
		return NULL;
	for (; level; level--) {
		if (!in_pool(r, frame))
			return NULL;
		table = morsel_frame_table(frame);
		frame = morsel_entry_pfn(table[morsel_level_slot(level, index)]);
	}
	if (!in_pool(r, frame))
		return NULL;
	return (struct morsel_pool_name *)morsel_frame_table(frame) +
	       slot % MORSEL_PAGE_NAMES;
}

static int take_name(struct recovery *r, u64 directory, struct morsel_pool_name *name)
{
	struct morsel_pool_name *other = NULL;
	u64 word = READ_ONCE(name->inode);
	int err = 0;

	if (!word)
		return 0;
	if (word & ~(MORSEL_NAME_INODE | MORSEL_NAME_MOVED | MORSEL_NAME_SWAP) ||
	    !name->length || (word & MORSEL_NAME_MOVED && word & MORSEL_NAME_SWAP))
		return wrong(r, directory, "has a name that is none");
	if (word & (MORSEL_NAME_MOVED | MORSEL_NAME_SWAP)) {
		other = name_at(r, name->other);
		if (!other || other == name)
			return wrong(r, directory, "has a name that was moved from nowhere");
		if (word & MORSEL_NAME_SWAP)
			err = reach(r, directory, name->swap);
		r->found->finished++;
		if (!err && r->fix)
			morsel_pool_name_finish(r->pool, name, other);
	}
	return err ? : reach(r, directory, word & MORSEL_NAME_INODE);
}

static int take_names(struct recovery *r, u64 number, struct morsel_pool_inode *inode)
{
	u64 last = morsel_level_pages(MORSEL_LEVELS - 1) - 1, page = 0;
	struct morsel_tree directory;
	unsigned int i;
	int err;

	morsel_tree_open(&directory, r->pool->source, &inode->top);
	while ((page = morsel_tree_next(&directory, page, last)) <= last) {
		for (i = 0; i < MORSEL_PAGE_NAMES; i++) {
			err = take_name(r, number,
					morsel_pool_name(&directory,
							 page * MORSEL_PAGE_NAMES + i));
			if (err)
				return err;
		}
		page++;
	}
	return 0;
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
	r->found->inodes++;
	directory = (attr.mode & 0170000) == 0040000;
	err = take_tree(r, number, inode->top,
			directory ? ~0ull :
				    (attr.size + MORSEL_PAGE_SIZE - 1) / MORSEL_PAGE_SIZE);
	if (!err)
		err = take_tree(r, number, attr.xattrs, ~0ull);
	return err || !directory ? err : take_names(r, number, inode);
}

/* Names, now that none of them is unfinished any more. */
static void count_names(struct recovery *r, u64 number)
{
	struct morsel_pool_inode *inode = morsel_pool_inode(r->pool, number);
	u64 last = morsel_level_pages(MORSEL_LEVELS - 1) - 1, page = 0;
	struct morsel_pool_attr attr;
	struct morsel_pool_name *name;
	struct morsel_tree directory;
	unsigned int i;

	morsel_pool_attr_get(inode, &attr);
	if ((attr.mode & 0170000) != 0040000)
		return;
	morsel_tree_open(&directory, r->pool->source, &inode->top);
	while ((page = morsel_tree_next(&directory, page, last)) <= last) {
		name = morsel_pool_name(&directory, page * MORSEL_PAGE_NAMES);
		for (i = 0; i < MORSEL_PAGE_NAMES; i++)
			r->found->names += !!name[i].inode;
		page++;
	}
}

/* Room for as many inodes as there can be, once their tree is known to be sound. */
static int recovery_begin(struct recovery *r)
{
	u64 last = morsel_level_pages(MORSEL_LEVELS - 1) - 1, page = 0, pages = 0;
	unsigned int i;
	int err;

	for (i = 0; i < MORSEL_POOL_FIRST; i++)
		morsel_pool_frames_mark(&r->pool->frames, i);
	err = take_tree(r, 0, r->pool->super->inodes, ~0ull);
	if (err)
		return err;
	while ((page = morsel_tree_next(&r->pool->inodes, page, last)) <= last)
		pages = ++page;
	r->limit = min(pages * MORSEL_PAGE_INODES, MORSEL_NAME_INODE);
	r->seen = morsel_plat_zalloc(r->limit / 64 + 1, sizeof(*r->seen));
	r->queue = morsel_plat_zalloc(r->limit + 1, sizeof(*r->queue));
	return r->seen && r->queue ? 0 : -ENOMEM;
}

/**
 * morsel_pool_recover() - find out what is in a pool, and make it whole
 * @pool:  of morsel_pool_init(), with a good super block, and no frame marked
 * @fix:   finish what a crash has interrupted; else nothing is written
 * @found: out: what there is; on failure also what is wrong
 *
 * Context: process context, may sleep.
 * Return: 0, and frames can be allocated; -EUCLEAN: the medium is damaged; -ENOMEM.
 */
int morsel_pool_recover(struct morsel_pool *pool, bool fix,
			struct morsel_pool_found *found)
{
	struct recovery r = { .pool = pool, .found = found, .fix = fix };
	u64 i;
	int err;

	*found = (struct morsel_pool_found){};
	err = recovery_begin(&r);
	if (!err)
		err = reach(&r, 0, MORSEL_POOL_ROOT);
	while (!err && r.head < r.tail)
		err = take_inode(&r, r.queue[r.head++]);
	for (i = 0; !err && i < r.tail; i++)
		count_names(&r, r.queue[i]);
	if (!err)
		morsel_pool_frames_start(&pool->frames);
	morsel_plat_free(r.seen);
	morsel_plat_free(r.queue);
	return err;
}

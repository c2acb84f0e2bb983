// SPDX-License-Identifier: GPL-2.0-only
/*
 * pool_move.c - a medium that has come back at another address
 *
 * Processors read the entries of a pool, so these name frames by the numbers that the
 * machine gives them.  When it gives others, all entries have to be written anew, and a
 * crash may come at any store of that.  There is no log that says how far it has come:
 * each entry says so itself, because the old number and the new one can be told apart.
 * That the old place and the new one overlap is no exception to this: entries first go
 * by numbers that no machine has, and then by those that this one has.
 *
 * All entries go by the number that the super block has as @base, or by that which it has
 * as @moving.  A step is: one store that says where they go, as @moving; each entry, as
 * often as it takes; one store that says that they are there, as @base.  Of the two, one
 * is MORSEL_POOL_NOWHERE in each step.
 *
 * What is moved is what can be reached: the tree of the inodes, and the trees of the
 * inodes that names lead to.  An inode that no name leads to may name what it will; nobody
 * ever reads that, for its number is given out with a new top (morsel_pool_inode_new()),
 * so nothing here does.  The same goes for attributes that do not count.
 *
 * Nothing is believed: before the first store all that will be followed was looked at.
 */
#include "pool.h"

/* All numbers that an entry has room for, whatever of them the machine has. */
#define ENTRY_FRAME	0x000ffffffffff000ull
#define ENTRY_MAY	MORSEL_POOL_MAY_FLAGS

/**
 * struct move - one way through a pool
 * @pool:    the pool, at its new place
 * @frames:  how many it has
 * @from:    number of the first one by which entries go
 * @to:      that by which they are to go, and some may already
 * @write:   rewrite them; else only look
 * @why:     what is wrong, when something is
 * @used:    bit for each frame that was named
 * @seen:    bit for each inode that a name leads to
 * @queue:   their numbers, in the order in which they were found
 * @tail:    how many there are
 * @limit:   one more than the largest number that an inode can have
 * @present: pages of inodes
 */
struct move {
	struct morsel_pool *pool;
	u64 frames;
	u64 from;
	u64 to;
	bool write;
	const char *why;
	u64 *used;
	u64 *seen;
	u32 *queue;
	u64 tail;
	u64 limit;
	u64 present;
};

/* What is done with each page of a tree, by its index and its frame in the pool. */
typedef int move_page_fn(struct move *m, u64 index, u64 frame);

static int wrong(struct move *m, const char *why)
{
	m->why = why;
	return -EUCLEAN;
}

/* May this frame be read, which has to be? */
static int readable(struct move *m, u64 frame)
{
	int err = morsel_pool_readable(m->pool, frame);

	if (err)
		m->why = "needs a frame that is bad";
	return err;
}

static void *frame_of(struct move *m, u64 frame)
{
	return morsel_frame_table(m->pool->base + frame);
}

/* The frame of the pool that an entry names, by either number. */
static bool resolve(struct move *m, u64 entry, u64 *frame)
{
	u64 number = (entry & ENTRY_FRAME) >> MORSEL_PAGE_SHIFT;

	*frame = number - m->from;
	if (*frame >= m->frames)
		*frame = number - m->to;
	return *frame < m->frames;
}

/* What an entry that names this frame is to be. */
static u64 moved(struct move *m, u64 entry, u64 frame)
{
	return (entry & ~ENTRY_FRAME) | morsel_entry_make(m->to + frame, 0);
}

static void put(struct move *m, u64 *entry, u64 value)
{
	if (m->write && READ_ONCE(*entry) != value)
		morsel_plat_store(entry, value);
}

static bool flags_valid(u64 entry, u64 flags)
{
	return !((entry ^ flags) & ~ENTRY_FRAME & ~ENTRY_MAY);
}

/* An entry, and that nothing else names the same frame. */
static int move_entry(struct move *m, u64 *entry, u64 flags, u64 *frame)
{
	u64 old = READ_ONCE(*entry);

	if (!flags_valid(old, flags))
		return wrong(m, "has an entry with wrong flags");
	if (!resolve(m, old, frame) || *frame < MORSEL_POOL_FIRST)
		return wrong(m, "names a frame that is not in the pool");
	if (m->used[*frame / 64] >> *frame % 64 & 1)
		return wrong(m, "names a frame twice");
	m->used[*frame / 64] |= 1ull << *frame % 64;
	put(m, entry, moved(m, old, *frame));
	return 0;
}

/* If it is a hole that is an entry itself; then nothing is below. */
static bool move_hole(struct move *m, u64 *entry, unsigned int level)
{
	u64 old = READ_ONCE(*entry), hole = m->pool->source->hole[level], frame;

	if (!hole)
		return !old;
	if ((old ^ hole) & ~ENTRY_FRAME || !resolve(m, old, &frame) ||
	    frame != (level == 3 ? MORSEL_POOL_EMPTY2 : MORSEL_POOL_EMPTY3))
		return false;
	put(m, entry, moved(m, old, frame));
	return true;
}

/* A table of @level, whose first page has an index; depth is that of a tree. */
static int move_table(struct move *m, u64 table, unsigned int level, u64 first,
		      move_page_fn *fn)
{
	struct morsel_source *source = m->pool->source;
	u64 *entries = frame_of(m, table), frame;
	int err = readable(m, table);
	unsigned int i;

	if (err)
		return err;
	for (i = 0; i < MORSEL_ENTRIES && !err; i++, first += morsel_level_pages(level - 1)) {
		if (move_hole(m, &entries[i], level))
			continue;
		err = move_entry(m, &entries[i],
				 level == 1 ? source->leaf_flags : source->table_flags,
				 &frame);
		if (!err && level > 1)
			err = move_table(m, frame, level - 1, first, fn);
		else if (!err && fn)
			err = readable(m, frame) ? : fn(m, first, frame);
	}
	if (m->write)
		morsel_pool_persist(m->pool, entries, MORSEL_PAGE_SIZE);
	cond_resched();
	return err;
}

/* All below a top, and it itself if it is changed where it is. */
static int move_tree(struct move *m, u64 *top, move_page_fn *fn)
{
	unsigned int order = *top % MORSEL_PAGE_SIZE;
	u64 frame;
	int err;

	if (!*top)
		return 0;
	if (!order || order >= MORSEL_LEVELS)
		return wrong(m, "has a root with wrong flags");
	err = move_entry(m, top, order, &frame);
	return err ? : move_table(m, frame, order, 0, fn);
}

/* The frame of a page, of a tree that is known to be sound, or 0. */
static u64 lookup(struct move *m, u64 top, u64 index)
{
	unsigned int order = top % MORSEL_PAGE_SIZE, level;
	u64 frame = 0;

	if (!top || index >= morsel_level_pages(order))
		return 0;
	resolve(m, top, &frame);
	for (level = order; level; level--) {
		u64 *table = frame_of(m, frame);
		u64 entry = table[morsel_level_slot(level, index)];

		if (!entry)
			return 0;
		resolve(m, entry, &frame);
		/* A hole that is an entry. */
		if (frame < MORSEL_POOL_FIRST)
			return 0;
	}
	return frame;
}

static struct morsel_pool_inode *inode_of(struct move *m, u64 number)
{
	u64 frame = lookup(m, m->pool->super->inodes, number / MORSEL_PAGE_INODES);
	struct morsel_pool_inode *inodes = frame_of(m, frame);

	return frame ? &inodes[number % MORSEL_PAGE_INODES] : NULL;
}

/* A name leads to an inode. */
static int reach(struct move *m, u64 number)
{
	if (!number || number >= m->limit || !inode_of(m, number))
		return wrong(m, "has a name that leads nowhere");
	if (m->seen[number / 64] >> number % 64 & 1)
		return 0;
	m->seen[number / 64] |= 1ull << number % 64;
	m->queue[m->tail++] = number;
	return 0;
}

/* A page of a directory. */
static int reach_names(struct move *m, u64 index, u64 frame)
{
	struct morsel_pool_name *names = frame_of(m, frame);
	unsigned int i;
	int err = 0;

	for (i = 0; i < MORSEL_PAGE_NAMES && !err; i++) {
		u64 word = READ_ONCE(names[i].inode);

		if (!word)
			continue;
		if (!morsel_pool_name_valid(&names[i], word))
			return wrong(m, "has a name that is none");
		if (word & MORSEL_NAME_SWAP)
			err = reach(m, names[i].swap);
		if (!err)
			err = reach(m, word & MORSEL_NAME_INODE);
	}
	return err;
}

/* Within the attributes, which are as they were or as they are to be. */
static int move_xattrs(struct move *m, struct morsel_pool_inode *inode)
{
	struct morsel_pool_attr attr;
	u64 before;
	int err;

	morsel_pool_attr_get(inode, &attr);
	before = attr.xattrs;
	err = move_tree(m, &attr.xattrs, NULL);
	if (!err && attr.xattrs != before)
		morsel_pool_attr_set(m->pool, inode, &attr);
	return err;
}

static int move_inode(struct move *m, u64 number)
{
	struct morsel_pool_inode *inode = inode_of(m, number);
	struct morsel_pool_attr attr;
	int err;

	if (inode->which > 1)
		return wrong(m, "has no attributes");
	morsel_pool_attr_get(inode, &attr);
	if (!morsel_pool_attr_valid(&attr))
		return wrong(m, "has attributes with a wrong checksum");
	err = move_tree(m, &inode->top, (attr.mode & 0170000) == 0040000 ? reach_names : NULL);
	if (m->write)
		morsel_pool_persist(m->pool, &inode->top, sizeof(inode->top));
	return err ? : move_xattrs(m, inode);
}

/* A page of inodes. */
static int count_inodes(struct move *m, u64 index, u64 frame)
{
	/* Numbers are given out from below. */
	if (index >= m->frames)
		return wrong(m, "has inodes with numbers that are too high");
	m->limit = min((index + 1) * MORSEL_PAGE_INODES, MORSEL_NAME_INODE + 1);
	m->present++;
	return 0;
}

/* The tables that stand in holes of others. */
static int move_empty(struct move *m)
{
	u64 *empty2 = frame_of(m, MORSEL_POOL_EMPTY2);
	u64 *empty3 = frame_of(m, MORSEL_POOL_EMPTY3);
	int err = readable(m, MORSEL_POOL_EMPTY2) ? : readable(m, MORSEL_POOL_EMPTY3);
	unsigned int i;

	if (err)
		return err;
	for (i = 0; i < MORSEL_ENTRIES; i++) {
		u64 old = READ_ONCE(empty3[i]), frame;

		if (empty2[i] & ~ENTRY_MAY ||
		    !flags_valid(old, m->pool->source->hole[3] & ~ENTRY_FRAME) ||
		    !resolve(m, old, &frame) || frame != MORSEL_POOL_EMPTY2)
			return wrong(m, "has a table of holes with something in it");
		put(m, &empty3[i], moved(m, old, frame));
	}
	if (m->write)
		morsel_pool_persist(m->pool, empty3, MORSEL_PAGE_SIZE);
	return 0;
}

static int move_inodes(struct move *m)
{
	struct morsel_pool_super *super = m->pool->super;
	int err = move_tree(m, &super->inodes, count_inodes);

	if (m->write)
		morsel_pool_persist(m->pool, &super->inodes, sizeof(super->inodes));
	return err;
}

/* Once through all that can be reached, from the root directory on. */
static int move_all(struct move *m)
{
	u64 head = 0;
	int err = move_empty(m);

	if (!err)
		err = move_inodes(m);
	if (err)
		return err;
	m->seen = morsel_plat_zalloc(m->limit / 64 + 1, sizeof(*m->seen));
	m->queue = morsel_plat_zalloc(m->present * MORSEL_PAGE_INODES + 1, sizeof(*m->queue));
	if (!m->seen || !m->queue)
		return -ENOMEM;
	err = reach(m, MORSEL_POOL_ROOT);
	while (!err && head < m->tail)
		err = move_inode(m, m->queue[head++]);
	return err;
}

static int pass(struct morsel_pool *pool, bool write, const char **why)
{
	struct move m = {
		.pool = pool,
		.frames = pool->super->frames,
		.from = pool->super->base,
		.to = pool->super->moving,
		.write = write,
	};
	int err = -ENOMEM;

	m.used = morsel_plat_zalloc(m.frames / 64 + 1, sizeof(*m.used));
	if (m.used)
		err = move_all(&m);
	*why = m.why;
	morsel_plat_free(m.used);
	morsel_plat_free(m.seen);
	morsel_plat_free(m.queue);
	return err;
}

/**
 * morsel_pool_move() - have all entries go by the numbers that frames have here
 * @pool: after morsel_pool_check_super(), before morsel_pool_recover()
 * @why:  out: what is wrong
 *
 * Does nothing when they do already and no move was interrupted.  What one has left is
 * brought to where it was going first, from which it can go anywhere.
 *
 * Context: process context, may sleep; nobody else uses the pool.
 * Return: 0; -EUCLEAN: the medium is damaged, -EIO: a frame that is needed cannot be
 * read, and nothing was written to it; -ENOMEM: it is as if there had been a crash.
 */
int morsel_pool_move(struct morsel_pool *pool, const char **why)
{
	struct morsel_pool_super *super = pool->super;
	int err;

	*why = NULL;
	if (!morsel_pool_moved(pool))
		return 0;
	err = pass(pool, false, why);
	while (!err && morsel_pool_moved(pool)) {
		if (super->moving == super->base)
			morsel_pool_commit(pool, &super->moving,
					   super->base == MORSEL_POOL_NOWHERE ?
						   pool->base : MORSEL_POOL_NOWHERE);
		err = pass(pool, true, why);
		if (!err)
			morsel_pool_commit(pool, &super->base, super->moving);
	}
	return err;
}

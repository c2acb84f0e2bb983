// SPDX-License-Identifier: GPL-2.0-only
/*
 * pool_trees.c - the tables and pages of trees, as recovery goes through them
 *
 * What takes the time of recovery is this, in proportion to tables; a leaf takes some
 * three nanoseconds.  So several do it at once.  Trees of directories, and that of the
 * inodes, are needed soon, and who needs them goes through them.  Those of files are
 * cut in pieces, which are collected; when there are enough of them, all workers take
 * one after the other, and nothing else goes on until they are through.
 *
 * Who goes through a piece has nothing in common with the others but the words that
 * frames are marked in, which is atomic: a table is looked at, and a page written to,
 * by who has marked it.  What each has found is added up at the end.
 *
 * Nothing is believed: an entry that names no frame of the pool, has flags that nobody
 * gave it, or names a frame that something else named already, ends it all.
 */
#include "pool_trees.h"
#include "workers.h"

#define ENTRY_MAY	MORSEL_POOL_MAY_FLAGS

/* Pieces are of this level at most, 1 GiB: a millisecond's work. */
#define PIECE_LEVEL	2u
/* So many are collected. */
#define PIECES		512u

/**
 * struct morsel_pool_piece - a table, and all below it
 * @inode: whose it is
 * @frame: the table
 * @first: the page that it begins with
 * @bytes: size of the file; behind that there are no pages
 * @level: of the table
 */
struct morsel_pool_piece {
	u64 inode;
	u64 frame;
	u64 first;
	u64 bytes;
	unsigned int level;
};

/**
 * struct walk - one worker's way through trees
 * @trees: what it belongs to
 * @found: what this one has found
 */
struct walk {
	struct morsel_pool_trees *trees;
	struct morsel_pool_found *found;
};

/* What is done with a piece. */
typedef int piece_fn(struct walk *w, const struct morsel_pool_piece *piece);

static int wrong(struct walk *w, u64 inode, const char *why)
{
	w->found->why = why;
	w->found->inode = inode;
	return -EUCLEAN;
}

static bool in_pool(const struct morsel_pool *pool, u64 frame)
{
	return frame >= pool->base + MORSEL_POOL_FIRST &&
	       frame < pool->base + pool->frames.count;
}

/* A table is named, which will be read: in the pool, and nothing else's. */
static int take_frame(struct walk *w, u64 inode, u64 frame)
{
	struct morsel_pool *pool = w->trees->pool;
	int err;

	if (!in_pool(pool, frame))
		return wrong(w, inode, "names a frame that is not in the pool");
	if (!morsel_pool_frames_mark(&pool->frames, frame - pool->base))
		return wrong(w, inode, "names a frame that is in use elsewhere");
	err = morsel_pool_readable(pool, frame - pool->base);
	if (err)
		wrong(w, inode, "needs a frame that is bad");
	return err;
}

static bool flags_valid(u64 entry, u64 flags)
{
	return !((entry ^ flags) & ~MORSEL_PFN_MASK & ~ENTRY_MAY);
}

/* Pages behind the end of their file are free, or they will be once they are cut. */
static int cut_leaves(struct walk *w, u64 inode, u64 *leaves, unsigned int i)
{
	struct morsel_pool *pool = w->trees->pool;

	for (; i < MORSEL_ENTRIES; i++) {
		u64 entry = READ_ONCE(leaves[i]);

		if (!entry)
			continue;
		if (!flags_valid(entry, pool->source->leaf_flags))
			return wrong(w, inode, "has a page with wrong flags");
		if (!in_pool(pool, morsel_entry_pfn(entry)))
			return wrong(w, inode, "names a frame that is not in the pool");
		w->found->cut++;
		if (w->trees->fix)
			morsel_pool_commit(pool, &leaves[i], 0);
	}
	return 0;
}

/*
 * The first @count leaves of a table.  Most of what recovery does is this, so it is all
 * in one place, and frames that lie side by side, as they do, are marked at once.
 */
static int take_leaves(struct walk *w, u64 inode, const u64 *leaves, unsigned int count)
{
	struct morsel_pool *pool = w->trees->pool;
	u64 flags = pool->source->leaf_flags, mask = ~MORSEL_PFN_MASK & ~ENTRY_MAY;
	u64 first = pool->base + MORSEL_POOL_FIRST;
	u64 frames = pool->frames.count - MORSEL_POOL_FIRST;
	u64 word = 0, bits = 0, pages = 0;
	unsigned int i;

	for (i = 0; i < count; i++) {
		u64 entry = READ_ONCE(leaves[i]), frame, bit;

		if (!entry)
			continue;
		if ((entry ^ flags) & mask)
			return wrong(w, inode, "has a page with wrong flags");
		frame = morsel_entry_pfn(entry) - first;
		if (frame >= frames)
			return wrong(w, inode, "names a frame that is not in the pool");
		frame += MORSEL_POOL_FIRST;
		bit = 1ull << frame % MORSEL_WORD_FRAMES;
		if (frame / MORSEL_WORD_FRAMES != word || bits & bit) {
			if (!morsel_pool_frames_mark_word(&pool->frames, word, bits))
				goto twice;
			word = frame / MORSEL_WORD_FRAMES;
			bits = 0;
		}
		bits |= bit;
		pages++;
	}
	if (!morsel_pool_frames_mark_word(&pool->frames, word, bits))
		goto twice;
	w->found->pages += pages;
	return 0;
twice:
	return wrong(w, inode, "names a frame that is in use elsewhere");
}

/*
 * A file that ends within a page: who mapped that could write behind the end, which is
 * nobody's; who makes the file longer relies on zeroes there.
 */
static void take_end(struct walk *w, u64 frame, unsigned int from)
{
	unsigned int i = from / sizeof(u64), part = from % sizeof(u64);
	u64 *words = morsel_frame_table(frame);
	u64 keep = part ? ~0ull >> (64 - 8 * part) : 0;
	bool dirty = false;

	if (morsel_pool_bad(w->trees->pool, frame - w->trees->pool->base))
		return;
	for (; i < MORSEL_PAGE_SIZE / sizeof(u64); i++, keep = 0) {
		if (!(words[i] & ~keep))
			continue;
		dirty = true;
		if (w->trees->fix)
			morsel_plat_store(&words[i], words[i] & keep);
	}
	w->found->cleared += dirty;
	if (dirty && w->trees->fix)
		morsel_pool_persist(w->trees->pool, words, MORSEL_PAGE_SIZE);
}

/* A table of leaves, within which its file may end, or before it. */
static int take_last(struct walk *w, const struct morsel_pool_piece *piece, u64 *leaves)
{
	u64 part = piece->bytes % MORSEL_PAGE_SIZE;
	u64 end = piece->bytes / MORSEL_PAGE_SIZE + !!part;
	unsigned int count = end > piece->first ?
			     min(end - piece->first, (u64)MORSEL_ENTRIES) : 0;
	int err = take_leaves(w, piece->inode, leaves, count);

	/* The last page is one of these when the last but none is. */
	if (!err && part && count && end - piece->first == count && leaves[count - 1])
		take_end(w, morsel_entry_pfn(leaves[count - 1]), part);
	return err ? : cut_leaves(w, piece->inode, leaves, count);
}

/* A table, and what is to be done with those right below it. */
static int take_table(struct walk *w, const struct morsel_pool_piece *piece,
		      piece_fn *below)
{
	const struct morsel_source *source = w->trees->pool->source;
	struct morsel_pool_piece child = *piece;
	u64 *table, hole = source->hole[piece->level];
	unsigned int i;
	int err = take_frame(w, piece->inode, piece->frame);

	if (err)
		return err;
	w->found->tables++;
	table = morsel_frame_table(piece->frame);
	cond_resched();
	if (piece->level == 1)
		return take_last(w, piece, table);
	child.level--;
	for (i = 0; i < MORSEL_ENTRIES && !err; i++) {
		u64 entry = READ_ONCE(table[i]);

		if (entry == hole)
			continue;
		if (!flags_valid(entry, source->table_flags))
			return wrong(w, piece->inode, "has a table with wrong flags");
		child.frame = morsel_entry_pfn(entry);
		child.first = piece->first + i * morsel_level_pages(child.level);
		err = below(w, &child);
	}
	return err;
}

static int take_now(struct walk *w, const struct morsel_pool_piece *piece)
{
	return take_table(w, piece, take_now);
}

/* By the caller alone, and down to pieces only. */
static int take_later(struct walk *w, const struct morsel_pool_piece *piece)
{
	struct morsel_pool_trees *trees = w->trees;

	if (piece->level > PIECE_LEVEL)
		return take_table(w, piece, take_later);
	trees->pieces[trees->count++] = *piece;
	return trees->count < PIECES ? 0 : morsel_pool_trees_run(trees);
}

static int take_tree(struct morsel_pool_trees *trees, u64 inode, u64 top, u64 bytes,
		     piece_fn *fn)
{
	struct walk w = { .trees = trees, .found = trees->found };
	struct morsel_pool_piece piece = {
		.inode = inode,
		.frame = morsel_entry_pfn(top),
		.bytes = bytes,
		.level = top % MORSEL_PAGE_SIZE,
	};

	if (!top)
		return 0;
	if (!piece.level || piece.level >= MORSEL_LEVELS ||
	    top & ~MORSEL_PFN_MASK & ~0xfffull)
		return wrong(&w, inode, "has a root with wrong flags");
	return fn(&w, &piece);
}

/**
 * morsel_pool_trees_take() - go through a tree now
 * @trees: to which this is added
 * @inode: whose it is
 * @top:   word with its root and its order, or 0
 * @bytes: size of what is in it, or MORSEL_TREE_ALL
 *
 * Context: process context, may sleep.
 * Return: 0, and the tree can be used; -EUCLEAN; -EIO: a table cannot be read.
 */
int morsel_pool_trees_take(struct morsel_pool_trees *trees, u64 inode, u64 top,
			   u64 bytes)
{
	return take_tree(trees, inode, top, bytes, take_now);
}

/**
 * morsel_pool_trees_add() - go through a tree by the end of morsel_pool_trees_run()
 * @trees: to which this is added
 * @inode: whose it is
 * @top:   word with its root and its order, or 0
 * @bytes: size of the file, or MORSEL_TREE_ALL
 *
 * Context: process context, may sleep.
 * Return: 0, -EUCLEAN or -EIO, also because of an earlier one.
 */
int morsel_pool_trees_add(struct morsel_pool_trees *trees, u64 inode, u64 top,
			  u64 bytes)
{
	return take_tree(trees, inode, top, bytes, take_later);
}

/* Something that is wrong ends it for all: there is nothing next any more. */
static void work(void *context, unsigned int number)
{
	struct morsel_pool_trees *trees = context;
	struct morsel_pool_part *part = &trees->parts[number];
	struct walk w = { .trees = trees, .found = &part->found };
	u32 i;

	while ((i = morsel_plat_fetch_add32(&trees->next, 1)) < trees->count) {
		part->err = take_now(&w, &trees->pieces[i]);
		if (part->err) {
			morsel_plat_fetch_add32(&trees->next, trees->count);
			break;
		}
	}
}

/* Of several things that are wrong one is said. */
static int add_up(struct morsel_pool_found *sum, struct morsel_pool_part *part)
{
	const struct morsel_pool_found *found = &part->found;
	int err = part->err;

	sum->pages += found->pages;
	sum->tables += found->tables;
	sum->cut += found->cut;
	sum->cleared += found->cleared;
	if (err) {
		sum->why = found->why;
		sum->inode = found->inode;
	}
	*part = (struct morsel_pool_part){};
	return err;
}

/**
 * morsel_pool_trees_run() - go through all trees that were added
 * @trees: these
 *
 * Context: process context, may sleep.
 * Return: 0, -EUCLEAN or -EIO.
 */
int morsel_pool_trees_run(struct morsel_pool_trees *trees)
{
	unsigned int workers = min(trees->workers, MORSEL_WORKERS), i;
	int err = 0;

	workers = min(workers, trees->count);
	trees->next = 0;
	if (workers)
		morsel_workers_run(work, trees, workers);
	for (i = 0; i < workers && !err; i++)
		err = add_up(trees->found, &trees->parts[i]);
	trees->count = 0;
	return err;
}

/**
 * morsel_pool_trees_init() - nothing was gone through yet
 * @trees: with @pool, @found, @fix and @workers
 *
 * Return: 0 or -ENOMEM; either way morsel_pool_trees_exit() is to follow.
 */
int morsel_pool_trees_init(struct morsel_pool_trees *trees)
{
	trees->pieces = morsel_plat_zalloc(PIECES, sizeof(*trees->pieces));
	trees->parts = morsel_plat_zalloc(MORSEL_WORKERS, sizeof(*trees->parts));
	return trees->pieces && trees->parts ? 0 : -ENOMEM;
}

/**
 * morsel_pool_trees_exit() - undo morsel_pool_trees_init(), if it was
 * @trees: these
 */
void morsel_pool_trees_exit(struct morsel_pool_trees *trees)
{
	morsel_plat_free(trees->pieces);
	morsel_plat_free(trees->parts);
}

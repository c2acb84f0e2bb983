// SPDX-License-Identifier: GPL-2.0-only
/*
 * damage.c - a medium with a word that nobody wrote
 *
 * Whatever is in it: looking ends, writes nothing, and says that something is wrong or
 * finds what mending finds; mending ends, with something that is whole or not at all; and
 * moving to another address writes nothing unless it succeeds, and changes no verdict.
 *
 * Or with a frame that is bad: nobody reads that.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "damage.h"
#include "judge.h"
#include "tap.h"

#define WORDS	(MORSEL_PAGE_SIZE / sizeof(u64))
#define KINDS	10u
#define SEVERAL	16u	/* so many words, one of which several workers look at, too */
#define PATIENCE 60	/* seconds for one word, of which it takes milliseconds */

static u64 sound[MEDIUM_FRAMES * WORDS], hurt[MEDIUM_FRAMES * WORDS];
static unsigned int tried, refused, accepted, wrongs;
static u64 at;

static void violation(const char *what)
{
	if (wrongs++ < 10)
		note("word %llu of frame %llu: %llx for %llx: %s",
		     (unsigned long long)(at % WORDS), (unsigned long long)(at / WORDS),
		     (unsigned long long)hurt[at], (unsigned long long)sound[at], what);
}

static u64 value(u64 at, unsigned int kind)
{
	u64 word = sound[at], last = medium_base + MEDIUM_FRAMES;

	switch (kind) {
	case 0:
		return 0;
	case 1:
		return ~0ull;
	case 2: /* that of its neighbour, so that something is named twice */
		return sound[at ^ 1];
	case 3: /* the next frame */
		return word + MORSEL_PAGE_SIZE;
	case 4: /* the first one behind the pool, with good flags */
		return morsel_entry_make(last, word & ~MORSEL_PFN_MASK);
	case 5: /* the frame that it is in itself */
		return morsel_entry_make(medium_base + at / WORDS, word & ~MORSEL_PFN_MASK);
	case 6: /* a table with good flags, where there may be none */
		return morsel_entry_make(last - 1, medium_source.table_flags);
	case 7:
		return word ^ 1ull << random() % 64;
	case 8:
		return word + 1;
	default:
		return (u64)random() << 33 ^ (u64)random() << 11 ^ random();
	}
}

/* 0, or what recovery says. */
static int recover(u64 base, bool fix, unsigned int workers,
		   struct morsel_pool_found *found, bool *moved)
{
	unsigned long stores = medium_stores();
	struct morsel_pool pool;
	const char *why;
	int err;

	medium_base = base;
	medium_put(medium_memory());
	morsel_pool_frames_init(&pool.frames, MEDIUM_FRAMES, 1);
	morsel_pool_init(&pool, base, &medium_source);
	err = morsel_pool_check_super(&pool, MEDIUM_FRAMES, &why);
	*moved = !err && morsel_pool_moved(&pool);
	if (*moved) {
		err = morsel_pool_move(&pool, &why);
		if (err && stores != medium_stores())
			violation("a move that was refused has written");
		if (err && !why)
			violation("a move was refused for nothing");
		stores = medium_stores();
	}
	if (!err) {
		err = morsel_pool_recover(&pool, fix, workers, found);
		if (err && !found->why)
			violation("recovery refuses for nothing");
		if (!fix && stores != medium_stores())
			violation("looking has written");
	}
	morsel_pool_frames_exit(&pool.frames);
	return err;
}

static bool same(const struct morsel_pool_found *a, const struct morsel_pool_found *b)
{
	return a->inodes == b->inodes && a->pages == b->pages && a->tables == b->tables &&
	       a->cut == b->cut && a->finished == b->finished && a->cleared == b->cleared;
}

/* Of several things that are wrong each may find another one first. */
static void try_several(u64 base, int err, const struct morsel_pool_found *looked)
{
	struct morsel_pool_found found;
	bool moved;

	if (recover(base, false, 3, &found, &moved) != err)
		violation("another verdict by several workers");
	else if (!err && !same(looked, &found))
		violation("several workers find something else");
}

static void try(u64 base)
{
	struct morsel_pool_found looked = {}, found = {}, again = {};
	bool moved, was_moved;
	int err, mended;

	alarm(PATIENCE);
	err = recover(base, false, 1, &looked, &was_moved);
	if (!(tried++ % SEVERAL))
		try_several(base, err, &looked);
	if (!was_moved && memcmp(medium_memory(), hurt, sizeof(hurt)))
		violation("looking has changed something");
	mended = recover(base, true, 1, &found, &moved);
	if (!err && mended && !looked.finished)
		violation("looks sound, and is not");
	if (err && !mended)
		violation("sound for who mends it only");
	if (!err && !mended) {
		if (!same(&looked, &found))
			violation("looking finds something else than mending");
		if (recover(base, true, 1, &again, &moved) ||
		    again.cut || again.finished || again.cleared)
			violation("mended, and not whole");
	}
	err ? refused++ : accepted++;
	if (was_moved)
		return;

	/* The same elsewhere. */
	memcpy(medium_memory(), hurt, sizeof(hurt));
	mended = recover(base + 40, false, 1, &found, &moved);
	/* A page behind an end that is another's, too, is cut, or else refused. */
	if (!err != !mended && !(mended && looked.cut))
		violation("another verdict at another address");
	alarm(0);
}

/* All there is: levels, names, attributes, and a rename that is unfinished. */
static void prepare(struct disk *disk)
{
	struct morsel_pool_inode *root;
	struct morsel_pool_name *old, *new;
	struct morsel_tree names;

	medium_adr = false;
	medium_base = 1;
	medium_reset();
	if (disk_format(disk))
		bail("no pool");
	disk_create(disk, "a", 0100644);
	disk_create(disk, "b", 0100600);
	disk_create(disk, "d", 0040755);
	disk_create(disk, "d/c", 0100400);
	disk_link(disk, "a", "d/a");
	disk_write(disk, "a", 0, 1);
	disk_write(disk, "a", 600, 3);
	disk_write(disk, "b", 512ull * 512 * 512, 4);
	disk_set_xattrs(disk, "b", 6);
	disk_end_at(disk, "a", 600 * MORSEL_PAGE_SIZE + 100);
	root = morsel_pool_inode(&disk->pool, MORSEL_POOL_ROOT);
	morsel_tree_open(&names, &medium_source, &root->top);
	old = morsel_pool_name(&names, 0);
	morsel_pool_name_prepare(&disk->pool, &names, 9, "z", 1, &new);
	new->other = morsel_pool_place(MORSEL_POOL_ROOT, 0);
	new->inode = old->inode | MORSEL_NAME_MOVED;
	memcpy(sound, medium_memory(), sizeof(sound));
}

void damage(unsigned int values)
{
	unsigned int i;
	struct disk disk;

	tried = refused = accepted = wrongs = 0;
	prepare(&disk);
	for (at = 0; at < MEDIUM_FRAMES * WORDS; at++) {
		if (!morsel_pool_frames_used(&disk.pool.frames, at / WORDS))
			continue;
		for (i = 0; i < values; i++) {
			unsigned int kind = values < KINDS ? random() % KINDS : i % KINDS;

			memcpy(hurt, sound, sizeof(hurt));
			hurt[at] = value(at, kind);
			if (hurt[at] == sound[at])
				continue;
			memcpy(medium_memory(), hurt, sizeof(hurt));
			try(1);
		}
	}
	disk_close(&disk);
	medium_base = 1;
	ok(!wrongs && refused && accepted, "%u words that nobody wrote: %u refused, %u accepted",
	   tried, refused, accepted);
}

static u64 bad;

static bool is_bad(const struct morsel_pool *pool, u64 frame)
{
	(void)pool;
	return frame == bad;
}

/* 0: it is done without; else it is what cannot be done without, and is named. */
static bool needed(u64 base, bool fix)
{
	char *page = (char *)medium_memory() + bad * MORSEL_PAGE_SIZE;
	unsigned long stores = medium_stores();
	struct morsel_pool_found found;
	struct morsel_pool pool = { 0 };
	const char *why;
	int err;

	/* Who reads it does not get far. */
	if (mprotect(page, MORSEL_PAGE_SIZE, PROT_NONE))
		bail("mprotect");
	medium_base = base;
	medium_put(medium_memory());
	morsel_pool_frames_init(&pool.frames, MEDIUM_FRAMES, 1);
	morsel_pool_init(&pool, base, &medium_source);
	pool.bad = is_bad;
	err = morsel_pool_check_super(&pool, MEDIUM_FRAMES, &why);
	if (!err)
		err = morsel_pool_move(&pool, &why);
	if (!err)
		err = morsel_pool_recover(&pool, fix, 1, &found);
	morsel_pool_frames_exit(&pool.frames);
	mprotect(page, MORSEL_PAGE_SIZE, PROT_READ | PROT_WRITE);
	at = bad * WORDS;
	if (err && (err != -EIO || pool.lost != bad))
		violation("refused for something else");
	if (err && base == 1 && stores != medium_stores())
		violation("refused, and written to");
	return err;
}

void bad_frames(void)
{
	unsigned int lived = 0, tried = 0;
	struct disk disk;

	wrongs = 0;
	prepare(&disk);
	for (bad = 0; bad < MEDIUM_FRAMES; bad++) {
		bool looked;

		if (!morsel_pool_frames_used(&disk.pool.frames, bad))
			continue;
		tried++;
		memcpy(medium_memory(), sound, sizeof(sound));
		looked = needed(1, false);
		lived += !looked;
		if (looked != needed(1, true))
			violation("needed by who mends it only, or by who looks");
		memcpy(medium_memory(), sound, sizeof(sound));
		if (looked != needed(41, true))
			violation("another verdict at another address");
	}
	disk_close(&disk);
	medium_base = 1;
	/* The pages of the two files. */
	ok(!wrongs && lived == 3, "%u frames that are bad: %u cost only themselves", tried, lived);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * walk.c - operations at random, one after the other, with a crash at each store
 *
 * What one operation has left is what the next one begins with: frames and entries
 * that were in use for something else, names that moved, trees that have grown.
 */
#include <stdio.h>

#include "judge.h"
#include "tap.h"
#include "walk.h"

#define LENGTH(a) (sizeof(a) / sizeof(*(a)))

static const char *const paths[] = {
	"a", "b", "d/a", "d/b", "e/a", "f/a",
	"one that is longer than a line of the cache, so that it lies on two of them",
	"d/one that is longer than a line of the cache, so that it lies on two of them",
};
static const u64 pages[] = { 0, 1, 2, 511, 512, 513, 512 * 512 };

/* Directories, of which some are there; what is in them is named by what they are. */
static const char *const directories[] = { "d", "e", "f" };

static const char *a, *b, *from, *to;
static u64 page;
static unsigned char value;

/* Each of them can be done, or cannot be begun. */
enum what {
	CREATE, LINK, UNLINK, RENAME, EXCHANGE, CHOWN, WRITE, POPULATE, PUNCH, TRUNCATE,
	XATTRS, SCRIBBLE, MKDIR, RMDIR, MVDIR, OPERATIONS
};
static const char *const names[OPERATIONS] = {
	"create", "link", "unlink", "rename", "exchange", "chown", "write", "populate",
	"punch", "truncate", "xattrs", "scribble", "mkdir", "rmdir", "rename of a directory",
};

static int operate(struct disk *disk, enum what what)
{
	switch (what) {
	case CREATE:
		return disk_create(disk, a, 0100600 | value);
	case LINK:
		return disk_link(disk, a, b);
	case UNLINK:
		return disk_unlink(disk, a);
	case RENAME:
		return disk_rename(disk, a, b);
	case EXCHANGE:
		return disk_exchange(disk, a, b);
	case CHOWN:
		return disk_chown(disk, a, value, value + 1, 0100000 | value);
	case WRITE:
		return disk_write(disk, a, page, value);
	case POPULATE:
		return disk_populate(disk, a, page, page | 3);
	case PUNCH:
		return disk_punch(disk, a, page, page);
	case TRUNCATE:
		return disk_truncate(disk, a, page);
	case XATTRS:
		return disk_set_xattrs(disk, a, value);
	case SCRIBBLE:
		return disk_scribble(disk, a, page, value);
	case MKDIR:
		return disk_create(disk, to, 0040700 | value);
	case RMDIR:
		return disk_unlink(disk, from);
	case MVDIR:
		return disk_rename(disk, from, to);
	default:
		return 0;
	}
}

/* Is the directory there that a path is in? */
static bool reachable(struct disk *disk, const char *path)
{
	char first[2] = { *path, 0 };

	return path[1] != '/' || disk_there(disk, first);
}

static bool possible(struct disk *disk, enum what what)
{
	bool there;

	if (what == MKDIR)
		return !disk_there(disk, to);
	if (what == RMDIR)
		return disk_there(disk, from) && disk_empty(disk, from);
	/* Over one that is there only if that is empty. */
	if (what == MVDIR)
		return from != to && disk_there(disk, from) &&
		       (!disk_there(disk, to) || disk_empty(disk, to));
	if (!reachable(disk, a) || !reachable(disk, b))
		return false;
	there = disk_there(disk, a);
	switch (what) {
	case CREATE:
		return !there;
	case LINK:
		return there && !disk_there(disk, b);
	case RENAME:
	case EXCHANGE:
		return there && a != b && !disk_same(disk, a, b) &&
		       (what == RENAME || disk_there(disk, b));
	case WRITE:
		/* Bytes of a page that is there are the program's affair. */
		return there && !disk_has(disk, a, page);
	case SCRIBBLE:
		return there && disk_has(disk, a, page);
	default:
		return there;
	}
}

static enum what choose(struct disk *disk)
{
	enum what what;

	do {
		a = paths[random() % LENGTH(paths)];
		b = paths[random() % LENGTH(paths)];
		from = directories[random() % LENGTH(directories)];
		to = directories[random() % LENGTH(directories)];
		page = pages[random() % LENGTH(pages)];
		value = 1 + random() % 100;
		what = random() % OPERATIONS;
	} while (!possible(disk, what));
	return what;
}

/* One operation, first to see what it comes to, and then again with crashes. */
static bool one(struct disk *disk)
{
	static char saved[MEDIUM_BYTES];
	enum what what = choose(disk);
	bool leaked;
	int err;

	judge_doing = names[what];
	memcpy(saved, medium_memory(), sizeof(saved));
	disk_text(disk, judge_before, sizeof(judge_before));
	err = operate(disk, what);
	disk_text(disk, judge_after, sizeof(judge_after));
	disk_close(disk);

	memcpy(medium_memory(), saved, sizeof(saved));
	disk_open(disk);
	medium_go_on(judge);
	err |= operate(disk, what);
	medium_disarm();
	leaked = judge_leaks(disk);
	if (leaked)
		note("%s: leaks", judge_doing);
	return !leaked && (!err || err == -ENOSPC);
}

void walk(unsigned int operations, bool kept_only)
{
	for (int adr = 0; adr < 2 - kept_only; adr++) {
		unsigned long states = medium_states();
		unsigned int i, wrong = 0;
		struct disk disk;

		medium_adr = adr;
		medium_reset();
		disk_format(&disk);
		disk_create(&disk, "d", 0040755);
		disk_create(&disk, "e", 0040700);
		judge_violations = 0;
		medium_arm(judge);
		medium_disarm();
		for (i = 0; i < operations && !wrong && !judge_violations; i++)
			wrong += !one(&disk);
		disk_close(&disk);
		ok(!wrong && !judge_violations, "%u operations at random, %s: %lu states", i,
		   adr ? "caches lost" : "caches kept", medium_states() - states);
		judge_end_if_failed();
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * move.c - a medium that comes back at another address, with a crash at each store
 *
 * Of each image that a crash of the move leaves: it can be moved to where it was going,
 * back to where it was, and to yet another place, and is the same there.  Now and then
 * that move crashes, too.
 */
#include <stdio.h>

#include "judge.h"
#include "move.h"
#include "tap.h"

#define EVERY	61u	/* so many images, one of which is moved with crashes */
#define AGAIN	499u	/* and so many stores of that, one of which is the last */
#define OFTEN	97u	/* or so many, if that is to be thorough */

static const struct {
	const char *name;
	u64 from, to, third;
} places[] = {
	{ "up", 1, 70000, 300 },
	{ "down", 1ull << 30, 5, 1000 },
	{ "up, overlapping", 1, 41, 81 },
	{ "down, by one", 42, 41, 40 },
	{ "from the start of memory", 0, 96, 1 },
};
static u64 here, there, elsewhere;
static unsigned int looks;

static void violation(const char *what, const char *text)
{
	if (judge_violations++ < 10)
		note("%s, to %llu: %s\n%s", judge_doing, (unsigned long long)medium_base, what,
		     text ? : "");
}

/* What is in memory is moved to where that is, and is as before. */
static void arrive(void *copy, u64 base)
{
	struct morsel_pool_found found;
	static char text[TEXT];
	struct disk disk;
	struct morsel_source source_before = medium_source;
	u64 base_before = medium_base;
	const char *why;
	void *was;

	medium_base = base;
	was = medium_put(copy);
	morsel_pool_frames_init(&disk.pool.frames, MEDIUM_FRAMES, 1);
	morsel_pool_init(&disk.pool, base, &medium_source);
	if (morsel_pool_check_super(&disk.pool, MEDIUM_FRAMES, &why) ||
	    morsel_pool_move(&disk.pool, &why)) {
		violation("refused", why);
	} else if (morsel_pool_moved(&disk.pool)) {
		violation("not moved", "");
	} else if (morsel_pool_recover(&disk.pool, true, 1, &found)) {
		violation("recovery", found.why);
	} else {
		disk_text(&disk, text, sizeof(text));
		if (strcmp(text, judge_before) && strcmp(text, judge_after))
			violation("another one", text);
		if (found.cut || found.finished)
			violation("something to mend", text);
	}
	morsel_pool_frames_exit(&disk.pool.frames);
	medium_source = source_before;
	medium_base = base_before;
	medium_put(was);
}

static void judge_second(void *image)
{
	arrive(image, there);
}

static void judge_move(void *image)
{
	static char copy[MEDIUM_BYTES] __attribute__((aligned(MORSEL_PAGE_SIZE)));

	medium_copy(copy, image);
	arrive(copy, there);
	medium_copy(copy, image);
	arrive(copy, here);
	if (!(looks++ % EVERY))
		medium_arm_image(judge_second, 0, medium_thorough ? OFTEN : AGAIN);
	arrive(image, elsewhere);
	medium_disarm_image();
}

/* Files with all there is to be moved, and some that is not. */
static void prepare(struct disk *disk, bool deep)
{
	medium_base = here;
	medium_reset();
	if (disk_format(disk))
		bail("no pool");
	disk_create(disk, "a", 0100644);
	disk_create(disk, "b", 0100600);
	disk_create(disk, "d", 0040755);
	disk_create(disk, "d/c", 0100400);
	disk_write(disk, "a", 1, 2);
	disk_write(disk, "a", 600, 3);
	disk_write(disk, "d/c", 0, 5);
	disk_set_xattrs(disk, "b", 6);
	if (deep)
		disk_write(disk, "b", 512ull * 512 * 512, 9);
	/* An inode that nothing leads to, with a top that names what is another's. */
	disk_create(disk, "e", 0100600);
	disk_stale(disk, "e", "a");
}

static void move(unsigned int which, bool deep)
{
	unsigned long states = medium_states();
	struct disk disk;
	const char *why;
	int err;

	judge_doing = places[which].name;
	judge_violations = 0;
	here = places[which].from;
	there = places[which].to;
	elsewhere = places[which].third;
	prepare(&disk, deep);
	disk_text(&disk, judge_before, sizeof(judge_before));
	strcpy(judge_after, judge_before);
	disk_close(&disk);

	medium_base = there;
	medium_put(medium_memory());
	morsel_pool_frames_init(&disk.pool.frames, MEDIUM_FRAMES, 1);
	morsel_pool_init(&disk.pool, there, &medium_source);
	err = morsel_pool_check_super(&disk.pool, MEDIUM_FRAMES, &why);
	if (!err && !morsel_pool_moved(&disk.pool))
		violation("has not moved", "");
	medium_arm(judge_move);
	if (!err)
		err = morsel_pool_move(&disk.pool, &why);
	if (!err && !medium_persistent())
		violation("through before all of it is persistent", "");
	medium_disarm();
	morsel_pool_frames_exit(&disk.pool.frames);
	ok(!err && !judge_violations, "moved %s, %s, %s: %lu states", places[which].name,
	   deep ? "tables of all levels" : "two levels",
	   medium_adr ? "caches lost" : "caches kept", medium_states() - states);
}

void moves(bool kept_only)
{
	unsigned int i;

	medium_thin = true;
	for (int adr = 0; adr < 2 - kept_only; adr++) {
		medium_adr = adr;
		for (i = 0; i < sizeof(places) / sizeof(*places); i++) {
			move(i, i == 2);
			judge_end_if_failed();
		}
	}
	medium_thin = false;
	medium_base = 1;
}

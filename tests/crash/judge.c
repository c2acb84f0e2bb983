// SPDX-License-Identifier: GPL-2.0-only
/*
 * judge.c - is what a crash has left as it has to be?
 *
 *  - Recovery accepts it, with each frame named once at most, and finds nothing more to
 *    mend the second time.
 *  - The operation has been done or has not been begun, nothing in between.
 *  - Looking at it without mending finds the same.
 */
#include <stdio.h>

#include "judge.h"
#include "tap.h"

/* Recovery crashes at each store while few are not persistent, else at one of: */
#define FEW	9u
#define EVERY	64u
#define OFTEN	4u

char judge_before[TEXT], judge_after[TEXT];
const char *judge_doing;
unsigned int judge_violations;
bool judge_formatting, judge_first_only;

void judge_end_if_failed(void)
{
	if (judge_first_only && tap_failed)
		exit(done());
}

static void violation(const char *what, const char *text)
{
	judge_violations++;
	if (judge_violations < 10)
		note("%s: %s\n%s", judge_doing, what, text);
}

bool (*judge_otherwise)(struct disk *disk);

/* It has been recovered: is it one of those that it can be? */
static void judge_content(struct disk *disk, const char *wrong)
{
	static char text[TEXT];

	disk_text(disk, text, sizeof(text));
	if (judge_otherwise ? !judge_otherwise(disk) :
			      strcmp(text, judge_before) && strcmp(text, judge_after))
		violation(wrong, text);
}

/* Recovery of a copy, with or without mending; false: it refuses. */
static bool recover(struct morsel_pool *pool, bool fix, struct morsel_pool_found *found)
{
	const char *why;

	morsel_pool_frames_init(&pool->frames, MEDIUM_FRAMES, 1);
	morsel_pool_init(pool, medium_base, &medium_source);
	if (morsel_pool_check_super(pool, MEDIUM_FRAMES, &why)) {
		if (!judge_formatting || pool->super->magic)
			violation("super block", why);
		return false;
	}
	if (morsel_pool_recover(pool, fix, 1, found)) {
		violation("recovery", found->why);
		return false;
	}
	return true;
}

/* What recovery has left that was interrupted itself. */
static void judge_again(void *image)
{
	struct morsel_pool_found found;
	void *medium = medium_put(image);
	struct disk disk;

	if (recover(&disk.pool, true, &found))
		judge_content(&disk, "neither before nor after, recovered twice");
	morsel_pool_frames_exit(&disk.pool.frames);
	medium_put(medium);
}

void judge(void *image)
{
	struct morsel_pool_found looked, found, again;
	void *medium = medium_put(image);
	struct disk disk;

	if (!recover(&disk.pool, false, &looked))
		goto out;
	morsel_pool_frames_exit(&disk.pool.frames);
	medium_arm_image(judge_again, FEW, medium_thorough ? OFTEN : EVERY);
	if (!recover(&disk.pool, true, &found))
		goto out;
	/* Whoever writes next relies on that. */
	if (!medium_persistent())
		violation("recovery is through before what it wrote is persistent", "");
	medium_disarm_image();
	judge_content(&disk, "neither before nor after");
	if (looked.inodes != found.inodes || looked.finished != found.finished ||
	    looked.cut != found.cut || looked.cleared != found.cleared ||
	    looked.pages != found.pages)
		violation("looking finds something else than mending", "");
	morsel_pool_frames_exit(&disk.pool.frames);
	if (recover(&disk.pool, true, &again) && (again.finished || again.cut || again.cleared))
		violation("mended twice", "");
out:
	medium_disarm_image();
	morsel_pool_frames_exit(&disk.pool.frames);
	medium_put(medium);
}

/* What is in use is what something leads to: nothing that failed has kept a frame. */
bool judge_leaks(struct disk *disk)
{
	u64 left = morsel_pool_frames_left(&disk->pool.frames), would;
	struct morsel_pool_found found;
	struct disk again;

	if (!recover(&again.pool, false, &found))
		return true;
	would = morsel_pool_frames_left(&again.pool.frames);
	morsel_pool_frames_exit(&again.pool.frames);
	return left != would;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * crash.c - what is left after a crash at any store of any operation
 *
 * Each operation is run once on a medium that crashes after every one of its stores,
 * in every way that it can.  Of each image that is left:
 *  - recovery accepts it, and so it does when it crashes itself at any of its stores;
 *  - the operation has been done or has not been begun, nothing in between;
 *  - what is in use afterwards is what something leads to;
 *  - looking at it without mending finds the same.
 */
#include <stdio.h>
#include <unistd.h>

#include "damage.h"
#include "interleave.h"
#include "judge.h"
#include "move.h"
#include "tap.h"
#include "walk.h"

#define WALK	300	/* operations at random */
#define DAMAGE	2	/* values for each word, at random */

static void everything(struct disk *disk)
{
	disk_create(disk, "a", 0100644);
	disk_create(disk, "b", 0100600);
	disk_create(disk, "d", 0040755);
	disk_create(disk, "d/c", 0100400);
	disk_write(disk, "a", 0, 1);
	disk_write(disk, "a", 1, 2);
	disk_write(disk, "a", 600, 3);
	disk_write(disk, "b", 3, 4);
	disk_write(disk, "d/c", 0, 5);
	disk_link(disk, "a", "d/a");
	disk_set_xattrs(disk, "b", 6);
}

struct operation {
	const char *name;
	int (*run)(struct disk *disk);
};

#define OPERATION(name, call)                 \
	static int name(struct disk *disk)    \
	{                                     \
		return call;                  \
	}

/* Longer than a line of a cache. */
#define LONG "a name that is longer than one line of the cache of any processor is, by far"

OPERATION(create, disk_create(disk, LONG, 0100644))
OPERATION(create_in, disk_create(disk, "d/" LONG, 0100644))
OPERATION(make_directory, disk_create(disk, "e", 0040700))
OPERATION(make_link, disk_link(disk, "b", "d/" LONG))
OPERATION(unlink_one_of_two, disk_unlink(disk, "a"))
OPERATION(unlink_last, disk_unlink(disk, "b"))
OPERATION(rename_in_place, disk_rename(disk, "a", "z"))
OPERATION(rename_to_other, disk_rename(disk, "b", "d/" LONG))
OPERATION(rename_over, disk_rename(disk, "a", "b"))
OPERATION(rename_over_other, disk_rename(disk, "b", "d/c"))
OPERATION(exchange, disk_exchange(disk, "a", "b"))
OPERATION(exchange_other, disk_exchange(disk, "d/c", "b"))
OPERATION(change_owner, disk_chown(disk, "a", 7, 8, 0100755))
OPERATION(write_in_hole, disk_write(disk, "a", 5, 9))
OPERATION(write_new_table, disk_write(disk, "a", 513, 9))
OPERATION(write_at_end, disk_write(disk, "b", 4, 9))
OPERATION(grow_one_order, disk_write(disk, "b", 512, 9))
OPERATION(grow_two_orders, disk_write(disk, "b", 512 * 512, 9))
OPERATION(grow_to_all_orders, disk_write(disk, "b", 512ull * 512 * 512, 9))
OPERATION(populate, disk_populate(disk, "a", 2, 9))
OPERATION(populate_a_table, disk_populate(disk, "a", 514, 520))
OPERATION(punch, disk_punch(disk, "a", 1, 1))
OPERATION(truncate_some, disk_truncate(disk, "a", 1))
OPERATION(truncate_all, disk_truncate(disk, "a", 0))
OPERATION(truncate_to_more, disk_truncate(disk, "a", 700))
OPERATION(end_within_a_page, disk_end_at(disk, "a", MORSEL_PAGE_SIZE + 3805))
OPERATION(set_xattrs, disk_set_xattrs(disk, "a", 10))
OPERATION(replace_xattrs, disk_set_xattrs(disk, "b", 10))

static int format(struct disk *disk)
{
	disk_close(disk);
	return disk_format(disk);
}

static const struct operation operations[] = {
#define NAME(name) { #name, name }
	NAME(create), NAME(create_in), NAME(make_directory), NAME(make_link),
	NAME(unlink_one_of_two), NAME(unlink_last), NAME(rename_in_place),
	NAME(rename_to_other), NAME(rename_over), NAME(rename_over_other),
	NAME(exchange), NAME(exchange_other), NAME(change_owner), NAME(write_in_hole),
	NAME(write_new_table), NAME(write_at_end), NAME(grow_one_order),
	NAME(grow_two_orders), NAME(grow_to_all_orders), NAME(populate),
	NAME(populate_a_table), NAME(punch), NAME(truncate_some), NAME(truncate_all),
	NAME(truncate_to_more), NAME(end_within_a_page),
	NAME(set_xattrs), NAME(replace_xattrs),
};

/* The same pool each time: nothing in it depends on when or where. */
static void prepare(struct disk *disk)
{
	medium_reset();
	if (disk_format(disk))
		bail("no pool");
	everything(disk);
}

static void explore(const struct operation *operation)
{
	unsigned long states = medium_states();
	static char before[TEXT];
	struct disk disk;
	bool leaked;
	int err;

	judge_doing = operation->name;
	judge_violations = 0;
	prepare(&disk);
	disk_text(&disk, judge_before, sizeof(judge_before));
	operation->run(&disk);
	disk_text(&disk, judge_after, sizeof(judge_after));
	disk_close(&disk);

	prepare(&disk);
	medium_arm(judge);
	err = operation->run(&disk);
	medium_disarm();
	/* It says that it is through: nothing but that will do. */
	strcpy(before, judge_before);
	strcpy(judge_before, judge_after);
	medium_look(judge);
	strcpy(judge_before, before);
	leaked = judge_leaks(&disk);
	disk_close(&disk);
	ok(!err && !judge_violations && !leaked, "%s, %s: %lu states", operation->name,
	   medium_adr ? "caches lost" : "caches kept", medium_states() - states);
}

/* Without room at each frame in turn, and a crash at any moment of that. */
static void explore_full(const struct operation *operation)
{
	unsigned long states = medium_states(), n;
	struct disk disk;
	unsigned int leaked = 0;
	int err = -ENOSPC;

	judge_doing = operation->name;
	judge_violations = 0;
	for (n = 1; err == -ENOSPC; n++) {
		prepare(&disk);
		medium_fail_after(n);
		medium_arm(judge);
		err = operation->run(&disk);
		medium_disarm();
		leaked += judge_leaks(&disk);
		disk_close(&disk);
	}
	ok(!err && !judge_violations && !leaked, "%s, no room at any of %lu frames: %lu states",
	   operation->name, n - 2, medium_states() - states);
}

/* What is to be run begins with this. */
static const char *only = "";

static bool wanted(const char *name)
{
	return !strncmp(name, only, strlen(only));
}

/* All operations, one by one. */
static void all(void)
{
	static const struct operation making = { "format", format };
	unsigned int i;

	for (i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
		if (!wanted(operations[i].name))
			continue;
		explore(&operations[i]);
		judge_end_if_failed();
		explore_full(&operations[i]);
		judge_end_if_failed();
	}
	if (!wanted(making.name))
		return;
	judge_formatting = true;
	explore(&making);
	judge_formatting = false;
}

/*
 * -n STATES: at least so many; -k: caches are kept, only; -s SEED of what is random;
 * -x: end at the first failure; -o NAME: only operations whose name begins so, or walk,
 * moves, damage, bad, pairs
 */
int main(int argc, char **argv)
{
	bool kept_only = false;
	unsigned long orders = 0;
	unsigned long least = 0;
	int opt;

	while ((opt = getopt(argc, argv, "n:s:kxo:")) != -1) {
		if (opt == 'n')
			least = strtoul(optarg, NULL, 0);
		else if (opt == 's')
			srandom(strtoul(optarg, NULL, 0));
		else if (opt == 'k')
			kept_only = true;
		else if (opt == 'x')
			judge_first_only = true;
		else if (opt == 'o')
			only = optarg;
		else
			bail("usage: crash [-n STATES] [-s SEED] [-kx] [-o NAME]");
	}
	medium_thorough = least;
	do {
		for (int adr = 0; adr < 2 - kept_only; adr++) {
			medium_adr = adr;
			all();
		}
		if (wanted("walk"))
			walk(WALK, kept_only);
		if (wanted("moves"))
			moves(kept_only);
		if (wanted("pairs"))
			orders += pairs(least ? 4 : 3, least ? 2000 : 100, kept_only);
		if (wanted("damage"))
			damage(DAMAGE);
		if (wanted("bad"))
			bad_frames();
	} while (medium_states() < least);
	if (!kept_only && !*only)
		ok(medium_states() >= 10000, "%lu states", medium_states());
	if (orders)
		note("%lu orders of pairs of operations", orders);
	note("%lu states, %lu moments of which too many were possible to look at all",
	     medium_states(), medium_sampled());
	return done();
}

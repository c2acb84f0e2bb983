/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * medium.h - a pool on a block device or in a file, in the hands of a program
 *
 * Knows the layers of kernel/pool*.c, which nothing else in here does.
 */
#ifndef MORSEL_MEDIUM_H
#define MORSEL_MEDIUM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The least that a pool is made of. */
#define MEDIUM_FRAMES_MIN 16u

/**
 * struct medium - a device or a file
 * @name:   its name
 * @fd:     open
 * @bytes:  its size
 * @frames: whole pages of it
 * @busy:   something else has the device for itself: it is mounted, say
 */
struct medium {
	const char *name;
	int fd;
	uint64_t bytes;
	uint64_t frames;
	bool busy;
};

enum medium_state {
	MEDIUM_NONE, /* no pool */
	MEDIUM_OTHER, /* one of another version */
	MEDIUM_DAMAGED,
	MEDIUM_UNFINISHED, /* a crash left something that mounting finishes */
	MEDIUM_CLEAN
};

/**
 * struct medium_found - what is on it
 * @state:    see above
 * @why:      what is wrong, or NULL
 * @inode:    of which inode; 0: of the pool itself
 * @super:    the super block is good, and known is all up to @base
 * @left:     frames that are free, when the state is MEDIUM_UNFINISHED or better; so
 *            is what is in between
 */
struct medium_found {
	enum medium_state state;
	const char *why;
	uint64_t inode;
	bool super;
	uint32_t version;
	uint8_t uuid[16];
	uint64_t frames;
	uint64_t features;
	uint64_t base;
	uint64_t inodes;
	uint64_t names;
	uint64_t pages;
	uint64_t tables;
	uint64_t finished;
	uint64_t cut;
	uint64_t cleared;
	bool moving;
	uint64_t left;
};

/* What the root directory of a new pool is to be. */
struct medium_root {
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

/*
 * To read, whoever else has it (see @busy), or to write, for ourselves.  0, or a
 * negative errno: -ENODEV for what is neither a block device nor a regular file.
 */
int medium_open(struct medium *medium, const char *name, bool write);
/* How it ends when memory behind the mapping fails; see medium_look(). */
void medium_exit_status(int status);
/* 0 or a negative errno.  Nothing is written: what is mended is a copy in memory. */
int medium_look(struct medium *medium, struct medium_found *found);

/* Is there anything where file systems and partition tables say what they are? */
bool medium_occupied(const struct medium *medium);
bool medium_is_pool(const struct medium *medium);
/* Takes that away, what says that there is a pool first.  0 or a negative errno. */
int medium_wipe(const struct medium *medium);
/* After that, a new pool.  0 or a negative errno. */
int medium_format(struct medium *medium, const uint8_t *uuid, const struct medium_root *root);

#define MEDIUM_UUID 37
void medium_uuid(char text[MEDIUM_UUID], const uint8_t *uuid);

#endif /* MORSEL_MEDIUM_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of a file system share.  Each runs in an empty directory of its
 * own, which is its working directory, on the file system it is pointed at: by its
 * first argument, else by FS_DIR.  What one has to mount itself is of the same type.
 */
#ifndef FS_H
#define FS_H

#include "../guest/common.h"

#include <sys/stat.h>
#include <sys/types.h>

#define PAGE 4096
#define KIB 1024ull
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

/* Who the tests are when they are not root. */
#define USER 1000
#define OTHER 2000

extern unsigned int opt_seconds; /* -s: how long the races of a test last */
/* -o: tmpfs before 6.6, which knows neither O_DIRECT nor user.* attributes */
extern bool opt_old;
/*
 * The files are morsels, where these differ from files of tmpfs: tables are counted,
 * nothing is allocated behind the end of a file, and mappings do not grow.
 */
extern bool fs_morsels;

/* Options and directory, in this order the start of a test; fs_init() does both. */
void fs_init(int argc, char **argv);
void fs_enter(const char *dir);
/* Blocks that one on a device may keep for inodes and names to come. */
unsigned long fs_kept(void);
/*
 * Removes what the test made, which must give back all blocks and inodes.  What
 * main() is to return.
 */
int fs_done(void);
void fs_remove(const char *path);

/* Another instance of the same file system: 0, or an errno. */
int fs_mount(const char *dir, const char *options);
int fs_remount(const char *dir, const char *options);
/* The options that /proc/mounts shows of it, in a static buffer. */
const char *fs_options(const char *dir);

/* These end the test when they fail. */
int file(const char *name, int flags, off_t size);
char *map_file(int fd, size_t len, int prot, int flags);
struct stat status(int fd);

/* Of what a call returned: 0 or its errno; a descriptor is closed. */
int failed(int result);

/* Bytes that are not those of a pattern, which tells files and offsets apart. */
void fill(char *p, off_t offset, size_t len, unsigned int seed);
size_t differ(const char *p, off_t offset, size_t len, unsigned int seed);
size_t not_zero(const char *p, size_t len);

/* Tables of a file, or with -1 of all: 0 where files are no morsels. */
long tables(int fd);

/* In a child: another user, with no capabilities and no further groups. */
void become(uid_t uid, gid_t gid);

#endif /* FS_H */

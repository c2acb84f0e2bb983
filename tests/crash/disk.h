/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * disk.h - files and directories of a pool, as a file system uses it
 *
 * What the kernel has in its caches (which numbers and entries are free, what a name
 * leads to) is looked up on the medium each time.
 */
#ifndef DISK_H
#define DISK_H

#include "medium.h"

struct disk {
	struct morsel_pool pool;
};

/* Opens the pool in the arena that is current; dies if it is none. */
void disk_open(struct disk *disk);
/* Makes a new one in it. */
int disk_format(struct disk *disk);
void disk_close(struct disk *disk);

/*
 * Paths are of at most one directory; 0 or a negative errno.  Bytes are of whole
 * pages, filled with a value.
 */
int disk_create(struct disk *disk, const char *path, u32 mode);
int disk_link(struct disk *disk, const char *path, const char *to);
int disk_unlink(struct disk *disk, const char *path);
int disk_rename(struct disk *disk, const char *path, const char *to);
int disk_exchange(struct disk *disk, const char *path, const char *to);
int disk_chown(struct disk *disk, const char *path, u32 uid, u32 gid, u32 mode);
int disk_write(struct disk *disk, const char *path, u64 page, unsigned char value);
int disk_populate(struct disk *disk, const char *path, u64 first, u64 last);
/* Through a mapping, into a page that is there, and written back. */
int disk_scribble(struct disk *disk, const char *path, u64 page, unsigned char value);
int disk_punch(struct disk *disk, const char *path, u64 first, u64 last);
int disk_truncate(struct disk *disk, const char *path, u64 pages);
int disk_end_at(struct disk *disk, const char *path, u64 bytes);
int disk_set_xattrs(struct disk *disk, const char *path, unsigned char value);

/*
 * Unlinks it, and has it lead to what another one has, as a crash can leave an inode after
 * others got its frames.
 */
void disk_stale(struct disk *disk, const char *path, const char *other);

/* What a path's content is in. */
struct morsel_tree disk_tree(struct disk *disk, const char *path);

/* No name is in a directory. */
bool disk_empty(struct disk *disk, const char *path);
bool disk_there(struct disk *disk, const char *path);
bool disk_same(struct disk *disk, const char *path, const char *other);
bool disk_has(struct disk *disk, const char *path, u64 page);

/*
 * All that can be seen of it, as text: each path with its attributes, number of
 * names and content.  Two pools with the same text are the same.
 */
void disk_text(struct disk *disk, char *text, size_t size);

#endif /* DISK_H */

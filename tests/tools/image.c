// SPDX-License-Identifier: GPL-2.0-only
/*
 * image DIRECTORY: writes a pool with some files there, as whole.img, and as rename-N.img
 * what is left of it by a crash after each store of a rename.
 */
#include <stdio.h>

#include "disk.h"

static const char *directory;

static void save(const char *name, const void *pool)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.img", directory, name);
	file = fopen(path, "w");
	if (!file || fwrite(pool, MORSEL_PAGE_SIZE, MEDIUM_FRAMES, file) != MEDIUM_FRAMES ||
	    fclose(file)) {
		perror(path);
		exit(1);
	}
}

static void crash(void *pool)
{
	static unsigned int n;
	char name[32];

	snprintf(name, sizeof(name), "rename-%02u", n++);
	save(name, pool);
}

int main(int argc, char **argv)
{
	struct disk disk;
	int err;

	if (argc != 2)
		return 2;
	directory = argv[1];
	medium_reset();
	err = disk_format(&disk);
	if (!err)
		err = disk_create(&disk, "d", 0040755);
	if (!err)
		err = disk_create(&disk, "a", 0100644);
	if (!err)
		err = disk_write(&disk, "a", 513, 7);
	if (!err)
		err = disk_link(&disk, "a", "d/b");
	if (err)
		return 1;
	save("whole", disk.pool.super);
	medium_arm(crash);
	err = disk_rename(&disk, "a", "d/c");
	medium_disarm();
	return err != 0;
}

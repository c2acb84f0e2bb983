// SPDX-License-Identifier: GPL-2.0-only
/* The file systems that are compared; see filesystem.h. */
#include "filesystem.h"

#include <fcntl.h>
#include <ftw.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

static char *directories[FILESYSTEMS];

/* Only files of morselfs are morsels. */
static bool is_morselfs(const char *dir)
{
	int fd = open(dir, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	struct morsel_info info;
	bool is = fd >= 0 && !morsel_info(fd, &info);

	if (fd >= 0)
		close(fd);
	return is;
}

static bool is_tmpfs(const char *dir)
{
	struct statfs s;

	return !statfs(dir, &s) && s.f_type == TMPFS_MAGIC;
}

char *filesystem_path(const struct filesystem *fs, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", fs->dir, name) < 0)
		die("out of memory");
	return path;
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

void filesystem_remove(const char *path)
{
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) &&
	    errno != ENOENT)
		fprintf(stderr, "morsel-bench: %s stays: %s\n", path,
			strerror(errno));
}

static void remove_directories(void)
{
	for (int i = 0; i < FILESYSTEMS; i++)
		if (directories[i])
			filesystem_remove(directories[i]);
}

static char *directory_in(const char *mount)
{
	char *dir;

	if (asprintf(&dir, "%s/morsel-bench-XXXXXX", mount) < 0)
		die("out of memory");
	if (!mkdtemp(dir))
		die("%s: %s", mount, strerror(errno));
	return dir;
}

int filesystems(const struct options *o, struct filesystem fs[FILESYSTEMS])
{
	const struct {
		const char *name, *mount, *absent, *other;
		bool (*is)(const char *);
	} wanted[FILESYSTEMS] = {
		{ "morselfs", o->morselfs, "no directory (--morselfs)",
		  "--morselfs is on another file system", is_morselfs },
		{ "tmpfs", o->tmpfs, "no directory (--tmpfs)",
		  "--tmpfs is on another file system", is_tmpfs },
	};
	int n = 0;

	atexit(remove_directories);
	for (int i = 0; i < FILESYSTEMS; i++) {
		if (!wanted[i].mount || !wanted[i].is(wanted[i].mount)) {
			result_missing(wanted[i].name,
				       wanted[i].mount ? wanted[i].other :
							 wanted[i].absent);
			continue;
		}
		directories[i] = directory_in(wanted[i].mount);
		fs[n++] = (struct filesystem){ wanted[i].name, directories[i] };
	}
	return n;
}

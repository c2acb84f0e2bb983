// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files: opened by a name that may be that of anything, and told apart.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool.h"

/* What an O_PATH descriptor is of, opened for @access. */
static int reopen(int place, int access)
{
	char self[32];
	int fd;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", place);
	/* Its lease may be another's, which is no reason to wait. */
	fd = open(self, access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	/* The file is there, so that directory is not. */
	return errno == ENOENT ? -ENOSYS : -errno;
}

int open_regular(const char *path, int access)
{
	/* A device may do something when opened, a fifo let somebody go on. */
	int place = open(path, O_PATH | O_CLOEXEC), ret;
	struct stat st;

	if (place < 0)
		return -errno;
	if (fstat(place, &st))
		ret = -errno;
	else
		ret = S_ISREG(st.st_mode) ? reopen(place, access) : -EISDIR;
	close(place);
	return ret;
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

bool same_file(int a, int b)
{
	struct stat x, y;

	return !fstat(a, &x) && !fstat(b, &y) && same(&x, &y);
}

void remove_file(const char *path, int fd)
{
	struct stat named, opened;

	if (!lstat(path, &named) && !fstat(fd, &opened) &&
	    same(&named, &opened))
		unlink(path);
}

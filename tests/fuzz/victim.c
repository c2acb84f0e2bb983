// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preloaded into trinity, whose victims are files that it can open by name.  A
 * morsel has no name: with VICTIM=ORDER, what opens /dev/morsel gets an ephemeral
 * one of that order instead.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <morsel.h>

/* Minus 1 where it is to be opened as it is. */
static int victim(const char *path)
{
	int (*next)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
	const char *order = getenv("VICTIM");
	int dev, fd;

	if (!order || strcmp(path, MORSEL_DEVICE))
		return -1;
	dev = next(path, O_RDWR | O_CLOEXEC);
	fd = morsel_create(dev, atoi(order), 0777, MORSEL_CREATE_EPHEMERAL,
			   NULL);
	close(dev);
	return fd < 0 ? -1 : fd;
}

int open(const char *path, int flags, ...)
{
	int (*next)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
	int fd = victim(path);
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & (O_CREAT | O_TMPFILE))
		mode = va_arg(ap, mode_t);
	va_end(ap);
	return fd < 0 ? next(path, flags, mode) : fd;
}

FILE *fopen(const char *path, const char *mode)
{
	FILE *(*next)(const char *, const char *) = dlsym(RTLD_NEXT, "fopen");
	int fd = victim(path);

	return fd < 0 ? next(path, mode) : fdopen(fd, mode);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Targets: the morsel that an argument names, by its ID or as a file.  A file of
 * morselfs is a morsel, and answers as any other once it is open.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "tool.h"

int fail_target_text(const struct target *target, const char *reason)
{
	char id[24];

	if (target->path)
		return fail(target->path, reason);
	snprintf(id, sizeof(id), ID_FORMAT, (unsigned long long)target->id);
	return fail(id, reason);
}

int fail_target(enum step step, const struct target *target, int err)
{
	return fail_target_text(target, reason_of(step, err));
}

static int open_file(const struct target *target, unsigned int flags,
		     struct morsel_info *info)
{
	int access = flags & MORSEL_OPEN_RDONLY ? O_RDONLY : O_RDWR;
	int fd = open_regular(target->path, access);
	int ret = fd < 0 ? fd : morsel_info(fd, info);

	if (!ret)
		return fd;
	fail_target(STEP_FILE, target, ret);
	if (fd >= 0)
		close(fd);
	return -1;
}

static int open_id(const struct target *target, unsigned int flags,
		   struct morsel_info *info)
{
	int dev = open_device(), fd, ret;

	if (dev < 0)
		return -1;
	fd = morsel_open(dev, target->id, flags);
	close(dev);
	ret = fd < 0 ? fd : morsel_info(fd, info);
	if (!ret)
		return fd;
	fail_target(STEP_OPEN, target, ret);
	if (fd >= 0)
		close(fd);
	return -1;
}

int open_target(const struct target *target, unsigned int flags,
		struct morsel_info *info)
{
	int fd = target->path ? open_file(target, flags, info) :
				open_id(target, flags, info);

	/* The one that asks does not count.  There are moments when nobody does. */
	if (fd >= 0 && info->descriptors)
		info->descriptors--;
	return fd;
}

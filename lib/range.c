// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The pages of a range: allocated ahead of their use, or given back.
 */
#include <errno.h>
#include <sys/ioctl.h>

#include "morsel.h"

static int range(int fd, unsigned long request, uint64_t offset,
		 uint64_t length, uint64_t *done)
{
	struct morsel_range arg = { .offset = offset, .length = length };
	int ret = ioctl(fd, request, &arg) < 0 ? -errno : 0;

	if (done)
		*done = arg.done;
	return ret;
}

int morsel_populate(int fd, uint64_t offset, uint64_t length, uint64_t *done)
{
	return range(fd, MORSEL_IOC_POPULATE, offset, length, done);
}

int morsel_punch(int fd, uint64_t offset, uint64_t length, uint64_t *done)
{
	return range(fd, MORSEL_IOC_PUNCH, offset, length, done);
}

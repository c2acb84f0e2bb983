// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One morsel, from creation to destruction, by the descriptor bound to it.
 */
#include <errno.h>
#include <sys/ioctl.h>

#include "morsel.h"

static int create(int dev, struct morsel_create *arg, uint64_t *id)
{
	if (ioctl(dev, MORSEL_IOC_CREATE, arg) < 0)
		return -errno;
	if (id)
		*id = arg->id;
	return arg->fd;
}

int morsel_create(int dev, unsigned int order, mode_t mode, unsigned int flags,
		  uint64_t *id)
{
	struct morsel_create arg = {
		.order = order,
		.flags = flags,
		.mode = mode,
	};

	return create(dev, &arg, id);
}

int morsel_create_at(int dev, unsigned int order, mode_t mode,
		     unsigned int flags, uint64_t address, uint64_t *id)
{
	struct morsel_create arg = {
		.order = order,
		.flags = flags | MORSEL_CREATE_META,
		.mode = mode,
		.address = address,
	};

	return create(dev, &arg, id);
}

int morsel_open(int dev, uint64_t id, unsigned int flags)
{
	struct morsel_open arg = {
		.id = id,
		.flags = flags,
	};

	if (ioctl(dev, MORSEL_IOC_OPEN, &arg) < 0)
		return -errno;
	return arg.fd;
}

int morsel_info(int fd, struct morsel_info *info)
{
	return ioctl(fd, MORSEL_IOC_INFO, info) < 0 ? -errno : 0;
}

int morsel_next_table(int fd, struct morsel_table *table)
{
	return ioctl(fd, MORSEL_IOC_NEXT_TABLE, table) < 0 ? -errno : 0;
}

int morsel_destroy(int fd)
{
	return ioctl(fd, MORSEL_IOC_DESTROY) < 0 ? -errno : 0;
}

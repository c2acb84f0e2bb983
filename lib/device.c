// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The control device: opening it, and what it says about all morsels.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "morsel.h"

int morsel_device_open(void)
{
	int dev = open(MORSEL_DEVICE, O_RDWR | O_CLOEXEC);

	return dev < 0 ? -errno : dev;
}

int morsel_next(int dev, uint64_t *cursor, struct morsel_info *info)
{
	struct morsel_next arg = { .cursor = *cursor };

	if (ioctl(dev, MORSEL_IOC_NEXT, &arg) < 0)
		return -errno;
	*cursor = arg.cursor;
	*info = arg.info;
	return 0;
}

int morsel_stats(int dev, struct morsel_stats *stats)
{
	return ioctl(dev, MORSEL_IOC_STATS, stats) < 0 ? -errno : 0;
}

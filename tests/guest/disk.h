/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A real file system, ext4 on a loop device, where O_DIRECT takes the pages of
 * the caller; gone when the test is.
 */
#ifndef DISK_H
#define DISK_H

#include "tap.h"

#define DISK "/run/morsel-disk"

static inline void disk_umount(void)
{
	if (system("umount " DISK "; rm -f " DISK ".image; rmdir " DISK))
		note("cannot remove %s", DISK);
}

static inline void disk_mount(void)
{
	if (system("modprobe -a loop ext4 && truncate -s 16M " DISK ".image && "
		   "mkfs.ext4 -q -O ^has_journal " DISK ".image && "
		   "mkdir -p " DISK " && mount -o loop " DISK ".image " DISK))
		bail("no ext4 in this guest");
}

#endif /* DISK_H */

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mapping a morsel or a part of it, and unmapping it.
 */
#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

#include "morsel.h"

/* From Linux 4.17; the C library may hide it or be older. */
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

int morsel_map_range(int fd, void *addr, uint64_t offset, uint64_t length,
		     int prot, int flags, void **out)
{
	void *p;

	/* Either would make mmap(2) map something else than the morsel. */
	if (flags & (MAP_PRIVATE | MAP_ANONYMOUS))
		return -EINVAL;

	if (addr && !(flags & MAP_FIXED))
		flags |= MAP_FIXED_NOREPLACE;
	p = mmap(addr, length, prot, flags | MAP_SHARED, fd, offset);
	if (p == MAP_FAILED)
		return -errno;
	*out = p;
	return 0;
}

int morsel_map(int fd, void *addr, int prot, int flags, void **out)
{
	struct morsel_info info;
	int ret = morsel_info(fd, &info);

	if (ret)
		return ret;
	return morsel_map_range(fd, addr, 0, info.size, prot, flags, out);
}

/* A file is mapped up to its end: what lies behind is none of ours to unmap. */
int morsel_unmap(void *addr, unsigned int order)
{
	if (order > MORSEL_ORDER_MAX)
		return -EINVAL;
	return munmap(addr, morsel_size(order)) < 0 ? -errno : 0;
}

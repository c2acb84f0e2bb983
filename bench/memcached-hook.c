// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preloaded into memcached -L, puts the memory of its slabs into a morsel.
 *
 * Such a memcached asks for all of it at once, from posix_memalign() and aligned
 * to a huge page; it is the only one there to do so, and never gives it back.
 * The morsel is ephemeral: it goes with memcached.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>

#include <morsel.h>

static int allocate(void **out, size_t size)
{
	int order = morsel_order_for(size), dev, fd, err;
	uint64_t id;

	if (order < 0)
		return order;
	dev = morsel_device_open();
	if (dev < 0)
		return dev;
	fd = morsel_create(dev, order, 0600, MORSEL_CREATE_EPHEMERAL, &id);
	close(dev);
	if (fd < 0)
		return fd;
	err = morsel_map_range(fd, NULL, 0, size, PROT_READ | PROT_WRITE, 0,
			       out);
	close(fd);
	if (!err)
		fprintf(stderr, "memcached-hook: morsel %#llx\n",
			(unsigned long long)id);
	return err;
}

int posix_memalign(void **out, size_t align, size_t size)
{
	int err;

	if (align < morsel_size(1)) {
		*out = aligned_alloc(align, size);
		return *out ? 0 : ENOMEM;
	}
	err = allocate(out, size);
	if (err)
		fprintf(stderr, "memcached-hook: %s\n", strerror(-err));
	return -err;
}

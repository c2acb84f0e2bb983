// SPDX-License-Identifier: GPL-2.0-only
/*
 * What it costs to populate fresh memory on purpose: a morsel beside shared
 * memory, in interleaved rounds of one boot.
 */
#include "demo.h"
#include "sample.h"

#include <errno.h>
#include <unistd.h>

#define ROUNDS 11
#define BYTES (256ul << 20)
#define SMALLEST_GAIN 3.0 /* ioctl over MAP_POPULATE */

/* Populates BYTES of new memory and adds how long that took. */
struct way {
	const char *name;
	void (*populate)(int dev, struct sample *);
};

static void *map_new(int fd, int flags)
{
	void *p = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | flags,
		       fd, 0);

	if (p == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	return p;
}

static int morsel_new(int dev)
{
	int fd = morsel_create(dev, 2, 0600, 0, NULL);

	if (fd < 0)
		die("create: %s", strerror(-fd));
	return fd;
}

static void morsel_drop(int fd)
{
	morsel_destroy(fd);
	close(fd);
}

static void by_ioctl(int dev, struct sample *s)
{
	int fd = morsel_new(dev), err;
	double start = seconds();

	err = morsel_populate(fd, 0, BYTES, NULL);
	sample_add(s, seconds() - start);
	if (err)
		die("populate: %s", strerror(-err));
	morsel_drop(fd);
}

static void by_mmap(int dev, struct sample *s)
{
	int fd = morsel_new(dev);
	double start = seconds();
	void *p = map_new(fd, MAP_POPULATE);

	sample_add(s, seconds() - start);
	munmap(p, BYTES);
	morsel_drop(fd);
}

static void peer_by_mmap(int dev, struct sample *s)
{
	double start = seconds();
	void *p = map_new(-1, MAP_ANONYMOUS | MAP_POPULATE);

	(void)dev;
	sample_add(s, seconds() - start);
	munmap(p, BYTES);
}

static void peer_by_madvise(int dev, struct sample *s)
{
	void *p = map_new(-1, MAP_ANONYMOUS);
	double start = seconds();
	int err = madvise(p, BYTES, MADV_POPULATE_WRITE);

	(void)dev;
	sample_add(s, seconds() - start);
	if (err)
		die("madvise: %s", strerror(errno));
	munmap(p, BYTES);
}

enum { IOCTL, PEER = 2, WAYS = 4 };

static const struct way ways[WAYS] = {
	[IOCTL] = { "morsel, ioctl", by_ioctl },
	{ "morsel, MAP_POPULATE", by_mmap },
	[PEER] = { "anonymous, MAP_POPULATE", peer_by_mmap },
	{ "anonymous, MADV_POPULATE", peer_by_madvise },
};

void population(int dev)
{
	static struct sample samples[WAYS];
	double gain;

	for (int round = 0; round < ROUNDS; round++)
		for (int i = 0; i < WAYS; i++)
			ways[i].populate(dev, &samples[i]);

	printf("\n%lu MiB of new memory populated, shared, %d interleaved "
	       "rounds; ms, median [p10 p90]\n",
	       BYTES / MIB, ROUNDS);
	for (int i = 0; i < WAYS; i++) {
		printf("%-25s", ways[i].name);
		sample_print(&samples[i]);
		printf("\n");
	}
	gain = sample_median(&samples[PEER]) / sample_median(&samples[IOCTL]);
	print_bar("populate, times as fast as anonymous with MAP_POPULATE",
		  gain, "at least 3", gain >= SMALLEST_GAIN);
}

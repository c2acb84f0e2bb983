// SPDX-License-Identifier: GPL-2.0-only
/*
 * probe ROUNDS BYTES POPULATE NAME=DIR... - files of several file systems, one after the
 * other in each round: mapped and read page by page, populated page by page
 *
 * Prints "metric<TAB>peer<TAB>nanoseconds", a line for each round.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define PEERS 8

struct peer {
	char *name, *dir;
	int fd; /* of a file that is full */
};

static void die(const char *what)
{
	fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static int file_new(const struct peer *p, const char *name, size_t size)
{
	char *path;
	int fd;

	if (asprintf(&path, "%s/%s", p->dir, name) < 0)
		die("memory");
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, size))
		die(path);
	unlink(path);
	free(path);
	return fd;
}

static char *map(int fd, size_t size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

static void said(const char *metric, const struct peer *p, long long ns)
{
	printf("%s\t%s\t%lld\n", metric, p->name, ns);
}

static void touch(const volatile char *m, size_t size)
{
	for (size_t at = 0; at < size; at += PAGE)
		m[at];
}

/* Touched again, nothing faults: what the processor and its TLB take alone. */
static void map_and_touch(const struct peer *p, size_t size)
{
	long long start = now(), mapped, again, unmapped;
	char *m = map(p->fd, size);

	touch(m, size);
	mapped = now() - start;
	again = now();
	touch(m, size);
	unmapped = now();
	again = unmapped - again;
	munmap(m, size);
	unmapped = now() - unmapped;
	said("map + touch", p, mapped);
	said("map + touch + unmap", p, mapped + unmapped);
	said("touch again", p, again);
}

static void populate(const struct peer *p, size_t size)
{
	int fd = file_new(p, "new", size);
	volatile char *m = map(fd, size);
	long long start = now();

	for (size_t at = 0; at < size; at += PAGE)
		m[at] = 1;
	said("population by faults", p, now() - start);
	munmap((char *)m, size);
	close(fd);
}

int main(int argc, char **argv)
{
	struct peer peers[PEERS];
	int rounds, n = 0;
	size_t size, fresh;
	static char block[1 << 20];

	if (argc < 5 || argc > 4 + PEERS) {
		fprintf(stderr, "usage: probe ROUNDS BYTES POPULATE NAME=DIR...\n");
		return 2;
	}
	rounds = atoi(argv[1]);
	size = strtoull(argv[2], NULL, 0);
	fresh = strtoull(argv[3], NULL, 0);
	memset(block, 1, sizeof(block));
	for (char **arg = argv + 4; *arg; arg++, n++) {
		struct peer *p = &peers[n];

		p->name = strtok(*arg, "=");
		p->dir = strtok(NULL, "");
		p->fd = file_new(p, "full", size);
		for (size_t at = 0; at < size; at += sizeof(block))
			if (pwrite(p->fd, block, sizeof(block), at) != sizeof(block))
				die(p->name);
	}
	for (int round = 0; round < rounds; round++) {
		for (int i = 0; i < n; i++) {
			map_and_touch(&peers[i], size);
			populate(&peers[i], fresh);
		}
	}
	return 0;
}

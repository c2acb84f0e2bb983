// SPDX-License-Identifier: GPL-2.0-only
/*
 * flame-load morsel|anonymous THREADS SECONDS - populate memory by faults, to be profiled
 *
 * New memory of 64 MiB again and again, each of THREADS its own slice.  Only
 * populate() is of interest: what comes before and after it is not measured by
 * the thesis, either, and bench/flame-draw leaves it out.  Prints the number of
 * faults.
 */
#include <errno.h>
#include <error.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/mman.h>

#include <morsel.h>

#define SIZE (64ul << 20)

static pthread_barrier_t barrier;
static char *memory; /* the leader's to write between the barriers */
static bool over;
static size_t slice;

/* The root of the flame graphs. */
static void __attribute__((noinline)) populate(volatile char *p, size_t n)
{
	for (size_t i = 0; i < n; i += MORSEL_PAGE_SIZE)
		p[i] = 1;
}

/* Two meetings to a round: memory is there, memory is populated. */
static void *follow(void *arg)
{
	size_t number = (size_t)arg;

	for (;;) {
		pthread_barrier_wait(&barrier);
		if (over)
			return NULL;
		populate(memory + number * slice, slice);
		pthread_barrier_wait(&barrier);
	}
}

static char *memory_new(int dev)
{
	int fd = -1, flags = MAP_SHARED | MAP_ANONYMOUS;
	char *p;

	if (dev >= 0) {
		fd = morsel_create(dev, 2, 0600, MORSEL_CREATE_EPHEMERAL, NULL);
		if (fd < 0)
			error(1, -fd, "create");
		flags = MAP_SHARED;
	}
	p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, flags, fd, 0);
	if (p == MAP_FAILED)
		error(1, errno, "mmap");
	if (fd >= 0)
		close(fd);
	return p;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

/* Returns how many faults there were. */
static size_t lead(int dev, double end)
{
	size_t faults = 0;

	do {
		memory = memory_new(dev);
		pthread_barrier_wait(&barrier);
		populate(memory, slice);
		pthread_barrier_wait(&barrier);
		munmap(memory, SIZE);
		faults += SIZE / MORSEL_PAGE_SIZE;
	} while (seconds() < end);
	over = true;
	pthread_barrier_wait(&barrier);
	return faults;
}

int main(int argc, char **argv)
{
	int threads = argc == 4 ? atoi(argv[2]) : 0, dev = -1;
	pthread_t id;

	if (threads < 1)
		error(1, 0,
		      "usage: flame-load morsel|anonymous THREADS SECONDS");
	if (!strcmp(argv[1], "morsel")) {
		dev = morsel_device_open();
		if (dev < 0)
			error(1, -dev, "%s", MORSEL_DEVICE);
	}
	slice = SIZE / threads & -MORSEL_PAGE_SIZE;
	pthread_barrier_init(&barrier, NULL, threads);
	for (int i = 1; i < threads; i++)
		if (pthread_create(&id, NULL, follow, (void *)(size_t)i))
			error(1, 0, "cannot start a thread");
	printf("%zu\n", lead(dev, seconds() + atof(argv[3])));
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many readers: processes map one populated morsel of a gigabyte read-only at
 * the same time and sum it up.  The first one adds a set of tables for reading;
 * however many follow, each adds one entry that attaches it.
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "morsel.h"

#define ORDER 2
#define READERS 8
#define WORDS ((32u << 20) / sizeof(uint64_t))

static uint64_t sum(const uint64_t *words)
{
	uint64_t total = 0;

	for (size_t i = 0; i < WORDS; i++)
		total = total * 31 + words[i];
	return total;
}

/* Says in @ready that it has read all, and stays until @stay is closed. */
static int reader(int dev, uint64_t id, uint64_t expected, int ready, int stay)
{
	int fd = check(morsel_open(dev, id, MORSEL_OPEN_RDONLY), "open");
	bool same;
	char byte;
	void *map;

	check(morsel_map(fd, NULL, PROT_READ, 0, &map), "map");
	same = sum(map) == expected;
	if (write(ready, &same, 1) != 1 || read(stay, &byte, 1) != 0)
		return EXIT_FAILURE;
	return EXIT_SUCCESS;
}

static void show(const char *when, const struct morsel_info *info)
{
	printf("%-15s %6llu data frames, %3llu table frames, %llu attachments\n",
	       when, (unsigned long long)info->data_frames,
	       (unsigned long long)info->table_frames,
	       (unsigned long long)info->attachments);
}

int main(void)
{
	int dev, fd, ready[2], stay[2];
	struct morsel_info before, one, all;
	unsigned int right = 0;
	uint64_t id, expected;
	uint64_t *words;
	void *map;
	bool same;

	dev = check(morsel_device_open(), MORSEL_DEVICE);
	fd = check(morsel_create(dev, ORDER, 0600, 0, &id), "create");
	check(morsel_map(fd, NULL, PROT_READ | PROT_WRITE, 0, &map), "map");
	words = map;
	for (size_t i = 0; i < WORDS; i++)
		words[i] = i * 0x9e3779b97f4a7c15ull;
	expected = sum(words);
	check(morsel_unmap(map, ORDER), "unmap");
	check(morsel_info(fd, &before), "info");
	show("before:", &before);
	fflush(stdout);

	if (pipe(ready) || pipe(stay))
		err(EXIT_FAILURE, "pipe");
	for (int i = 0; i < READERS; i++) {
		pid_t pid;

		/* The first has read before the others start. */
		if (i == 1) {
			right = read(ready[0], &same, 1) == 1 && same;
			check(morsel_info(fd, &one), "info");
			show("one reader:", &one);
			fflush(stdout);
		}
		pid = fork();

		if (pid < 0)
			err(EXIT_FAILURE, "fork");
		if (pid == 0) {
			/* By its ID, not by the inherited descriptor. */
			close(fd);
			close(ready[0]);
			close(stay[1]);
			_exit(reader(dev, id, expected, ready[1], stay[0]));
		}
	}
	close(ready[1]);
	close(stay[0]);
	for (int i = 1; i < READERS && read(ready[0], &same, 1) == 1; i++)
		right += same;
	check(morsel_info(fd, &all), "info");
	show("all readers:", &all);

	/* Let them go, and destroy when the last has gone. */
	close(stay[1]);
	while (wait(NULL) > 0)
		;
	check(morsel_destroy(fd), "destroy");
	printf("%u of %u readers found the content\n", right, READERS);
	if (right != READERS || all.attachments != READERS ||
	    all.table_frames != one.table_frames)
		errx(EXIT_FAILURE, "that is not what sharing looks like");
	return EXIT_SUCCESS;
}

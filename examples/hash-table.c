// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hash table in a morsel with a fixed address: one program builds it, with an
 * ordinary library (uthash) and ordinary pointers; another program, with an
 * address space of its own, walks and searches it as it stands.  Nothing is
 * relocated, copied or parsed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "morsel.h"

/* 16 TiB, far from programs, libraries, heaps and stacks. */
#define ADDRESS 0x100000000000ull
#define ORDER 2
#define ENTRIES 10000u

/* All the memory that the table takes comes from the morsel. */
static void *take(size_t size);
#define uthash_malloc(size) take(size)
#define uthash_free(memory, size) ((void)(memory))
#include <uthash.h>

struct entry {
	const char *name; /* the key */
	unsigned int number;
	UT_hash_handle hh;
};

/* At the start of the morsel: the way in, and what is free. */
struct root {
	struct entry *entries;
	char *next_free;
};

static struct root *const root = (struct root *)ADDRESS;

static void *take(size_t size)
{
	char *memory = root->next_free;

	root->next_free += (size + 15) & ~15ull;
	if (root->next_free > (char *)root + morsel_size(ORDER))
		errx(EXIT_FAILURE, "the morsel is full");
	return memory;
}

static void build(void)
{
	struct entry *entry;
	char name[24];

	root->next_free = (char *)(root + 1);
	for (unsigned int i = 0; i < ENTRIES; i++) {
		entry = take(sizeof(*entry));
		entry->number = i;
		snprintf(name, sizeof(name), "entry %u", i);
		entry->name = strcpy(take(strlen(name) + 1), name);
		HASH_ADD_KEYPTR(hh, root->entries, entry->name,
				strlen(entry->name), entry);
	}
}

/* The second program.  The mapping is read-only: looking up writes nothing. */
static int reader(uint64_t id)
{
	unsigned int walked = 0, found = 0;
	const struct entry *entry;
	char name[24];
	void *map;
	int dev, fd;

	dev = check(morsel_device_open(), MORSEL_DEVICE);
	fd = check(morsel_open(dev, id, MORSEL_OPEN_RDONLY), "open");
	check(morsel_map(fd, NULL, PROT_READ, 0, &map), "map");
	printf("reader %d: mapped at %p, first entry at %p\n", getpid(), map,
	       (void *)root->entries);

	for (entry = root->entries; entry; entry = entry->hh.next)
		walked += entry->number == walked;
	/* One more than there are */
	for (unsigned int i = 0; i <= ENTRIES; i++) {
		snprintf(name, sizeof(name), "entry %u", i);
		HASH_FIND_STR(root->entries, name, entry);
		found += entry && entry->number == i;
	}
	printf("reader %d: walked %u entries, found %u by name\n", getpid(),
	       walked, found);
	return walked == ENTRIES && found == ENTRIES ? EXIT_SUCCESS :
						       EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	int dev, fd, status;
	char text[24];
	uint64_t id;
	pid_t pid;
	void *map;

	if (argc > 1)
		return reader(strtoull(argv[1], NULL, 0));

	dev = check(morsel_device_open(), MORSEL_DEVICE);
	fd = check(morsel_create_at(dev, ORDER, 0600, 0, ADDRESS, &id),
		   "create");
	check(morsel_map(fd, NULL, PROT_READ | PROT_WRITE, 0, &map), "map");
	build();
	snprintf(text, sizeof(text), "0x%016" PRIx64, id);
	printf("writer %d: %u entries at %p, ID %s\n", getpid(),
	       HASH_COUNT(root->entries), map, text);
	fflush(stdout);

	pid = fork();
	if (pid < 0)
		err(EXIT_FAILURE, "fork");
	if (pid == 0) {
		execl("/proc/self/exe", argv[0], text, NULL);
		err(EXIT_FAILURE, "exec");
	}
	if (waitpid(pid, &status, 0) < 0)
		err(EXIT_FAILURE, "waitpid");

	check(morsel_unmap(map, ORDER), "unmap");
	check(morsel_destroy(fd), "destroy");
	if (status)
		errx(EXIT_FAILURE, "the reader did not find what is there");
	return EXIT_SUCCESS;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs, read in parts while the morsel that is being printed goes and another
 * comes that has its frame and its ID: what is printed then is the other's.
 */
#include "guest.h"

#include <sched.h>
#include <sys/mount.h>
#include <time.h>

#define DEBUGFS "/sys/kernel/debug"
#define SECONDS 60 /* to wait for an ID that was there */
#define CREATIONS 2500 /* an ID comes again after 1024, with the same frame */

static char text[1 << 16];

/* Reads on, a byte at a time, until @what was read; false at the end. */
static bool read_until(int fd, char *text, size_t size, const char *what)
{
	size_t len = 0;

	while (len + 1 < size && read(fd, text + len, 1) == 1) {
		text[++len] = 0;
		if (what && strstr(text, what))
			return true;
	}
	return false;
}

/* The same frame is soon handed out again on the processor that freed it. */
static void stay_here(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		bail("sched_setaffinity: %s", strerror(errno));
}

/*
 * Reads the lines of a new morsel into the table of its second tree, which no
 * other has, and destroys it.
 */
static int begin(uint64_t *id)
{
	int fd = create(2, id), trees;
	char *p = map(fd, R);

	(void)*(volatile char *)p;
	unmap(p, 2);
	trees = open(DEBUGFS "/morsel/trees", O_RDONLY | O_CLOEXEC);
	ok(read_until(trees, text, sizeof(text), " table rights=r level=2"),
	   "the table for readers");
	destroy(fd);
	return trees;
}

/* Creates and destroys others until one has that ID; -1: none had. */
static int recur(uint64_t id)
{
	for (int i = 0; i < CREATIONS; i++) {
		uint64_t again;
		int fd = create(2, &again);

		if (again == id) {
			note("its ID again after %d creations", i + 1);
			return fd;
		}
		destroy(fd);
	}
	return -1;
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + SECONDS;
	int fd, trees;
	char want[64];
	uint64_t id;

	guest_init(argc, argv);
	if (access(DEBUGFS "/morsel", F_OK) &&
	    mount("debugfs", DEBUGFS, "debugfs", 0, NULL))
		bail("debugfs: %s", strerror(errno));
	stay_here();
	/* A frame that somebody else took may never come back. */
	for (;;) {
		trees = begin(&id);
		fd = recur(id);
		if (fd >= 0 || time(NULL) > end)
			break;
		close(trees);
	}
	if (fd < 0) {
		skip("its ID again", "the frame has gone elsewhere each time");
		close(trees);
		return guest_done();
	}
	snprintf(want, sizeof(want), "morsel id=0x%016llx order=2 flags=0x0 data=0",
		 (unsigned long long)id);
	ok(read_until(trees, text, sizeof(text), want), "the other's own line");
	ok(read_until(trees, text, sizeof(text),
		      " table rights=rw level=2 first=0 used=0"),
	   "and its table");
	ok(!read_until(trees, text, sizeof(text), NULL) && !strstr(text, "table"),
	   "and nothing else");
	close(trees);
	destroy(fd);
	return guest_done();
}

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

int main(int argc, char **argv)
{
	static char text[1 << 16];
	uint64_t id, again = 0;
	long creations = 0;
	time_t end;
	int fd, trees;
	char want[64], *p;

	guest_init(argc, argv);
	if (access(DEBUGFS "/morsel", F_OK) &&
	    mount("debugfs", DEBUGFS, "debugfs", 0, NULL))
		bail("debugfs: %s", strerror(errno));
	stay_here();
	fd = create(2, &id);
	p = map(fd, R);
	(void)*(volatile char *)p;
	unmap(p, 2);

	/* The place is in its second tree then, which the other does not have. */
	trees = open(DEBUGFS "/morsel/trees", O_RDONLY | O_CLOEXEC);
	ok(read_until(trees, text, sizeof(text), " table rights=r level=2"),
	   "the table for readers");
	destroy(fd);
	end = time(NULL) + SECONDS;
	/* Within 1100 or so as a rule; slowly on a kernel that checks much. */
	for (fd = -1; creations < 60000 && time(NULL) < end; creations++) {
		fd = create(2, &again);
		if (again == id)
			break;
		destroy(fd);
		fd = -1;
	}
	if (fd < 0) {
		skip("its ID again", "the frame has gone elsewhere");
		close(trees);
		return guest_done();
	}
	note("its ID again after %ld creations", creations + 1);
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

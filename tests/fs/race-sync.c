// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that are created, written to and deleted by several processes, while others have
 * all of the file system written back: one that is being made is nobody's to write back
 * yet.  On a device whose caches do not persist; elsewhere there is nothing to do.
 */
#include "crew.h"

enum { CREATED, SYNCED };
static const char *const counted[] = { "new files", "syncs", NULL };

static void create(void)
{
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "%d", getpid());
	fd = open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		bail("open: %s", strerror(errno));
	if (random64() % 4 == 0 && pwrite(fd, "x", 1, 0) != 1)
		crew_wrong("write: %s", strerror(errno));
	close(fd);
	if (unlink(name))
		crew_wrong("unlink: %s", strerror(errno));
	crew_count(CREATED);
}

static void write_back(void)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || syncfs(fd))
		crew_wrong("syncfs: %s", strerror(errno));
	close(fd);
	crew_count(SYNCED);
}

int main(int argc, char **argv)
{
	static const struct hand hands[] = {
		{ NULL, create, 0 },
		{ NULL, create, 0 },
		{ NULL, write_back, 0 },
		{ NULL, write_back, 0 },
	};
	static const struct race race = {
		.hands = hands,
		.n = sizeof(hands) / sizeof(*hands),
		.seconds = 1,
		.counted = counted,
	};

	fs_init(argc, argv);
	crew_race(&race);
	return fs_done();
}

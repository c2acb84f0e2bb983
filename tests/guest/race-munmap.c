// SPDX-License-Identifier: GPL-2.0-only
/*
 * munmap against faults: of a thread that looks at the same addresses, and of
 * another process.  Once it has returned there is nothing, for any thread on
 * any processor; and what others have is not unmapped with it.
 */
#include "race.h"

/* All at once, or one part after the other. */
static int map_and_unmap(struct arena *a, char *p)
{
	size_t size = morsel_size(a->order);
	size_t part = random64() % 2 ? random64() % (size / PAGE) * PAGE : 0;
	int fd = select_id(a->id, 0);

	for (int i = 0; i < 4; i++)
		if (check_one(a, p))
			return 1;
	a->turn++; /* 1: it goes */
	need(!munmap(p + part, size - part));
	need(!part || !munmap(p, part));
	a->turn++; /* 2: it has gone */
	usleep(random64() % 200);
	a->turn++; /* 3: it comes */
	need(map_at(fd, (uint64_t)p, RW) == p);
	close(fd);
	a->turn++; /* 0: it is there */
	return 0;
}

static int watch(struct arena *a, char *p)
{
	while (!a->stop)
		if (look(a, p, 0))
			return 1;
	return 0;
}

static const struct race race = {
	.name = "munmap",
	.change = map_and_unmap,
	.thread = watch,
	.peer = check_and_populate,
};

int main(int argc, char **argv)
{
	return race_main(argc, argv, &race);
}

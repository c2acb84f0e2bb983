// SPDX-License-Identifier: GPL-2.0-only
/*
 * mremap against faults: of a thread that looks at both places, and of another
 * process.  The content is at one place or the other, never at the one that it
 * has left.
 */
#include "race.h"

static int move(struct arena *a, char *p)
{
	size_t size = morsel_size(a->order);
	char *to = race_away(a);

	a->turn++;
	need(mremap(p, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	a->turn++;
	if (check_one(a, to))
		return 1;
	usleep(random64() % 100);
	a->turn++;
	need(mremap(to, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, p) == p);
	a->turn++;
	return check_one(a, p);
}

static int watch(struct arena *a, char *p)
{
	while (!a->stop)
		if (look(a, p, 0) || look(a, race_away(a), 2))
			return 1;
	return 0;
}

static const struct race race = {
	.name = "mremap",
	.change = move,
	.thread = watch,
	.peer = check_and_populate,
};

int main(int argc, char **argv)
{
	return race_main(argc, argv, &race);
}

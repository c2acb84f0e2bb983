// SPDX-License-Identifier: GPL-2.0-only
/*
 * madvise(MADV_DONTNEED) against faults of a thread of the same address space,
 * and of another one.  Were an entry attached again while the kernel zaps, it
 * would zap what is everybody's.
 */
#include "race.h"

static int drop(struct arena *a, char *p)
{
	size_t size = morsel_size(a->order),
	       part = random64() % (size / PAGE) * PAGE;

	need(!madvise(p, size, MADV_DONTNEED));
	need(!madvise(p + part, size - part, MADV_DONTNEED));
	return check_one(a, p);
}

static const struct race race = {
	.name = "MADV_DONTNEED",
	.change = drop,
	.thread = check_many,
	.peer = check_and_populate,
};

int main(int argc, char **argv)
{
	return race_main(argc, argv, &race);
}

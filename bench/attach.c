// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapping and unmapping an object of which more and more is populated: the time
 * is to stay the same.  All objects are of one size, 1 GiB.
 */
#include "memory.h"

struct run {
	int fd;
	bool touch;
};

static double use(void *with)
{
	const struct run *r = with;
	double start = seconds();
	char *p = memory_map(&memory_morsel, r->fd, GIB, PROT_READ, 0);

	if (r->touch)
		memory_read(p, PAGE, PAGE);
	memory_unmap(&memory_morsel, p, GIB);
	return seconds() - start;
}

static int populated(size_t pages)
{
	int fd = memory_open(&memory_morsel, GIB);
	int err = morsel_populate(fd, 0, pages * PAGE, NULL);

	if (err)
		die("populate: %s", strerror(-err));
	return fd;
}

static void run(const struct options *o)
{
	static const char *const metrics[] = {
		"map + unmap of a populated object",
		"map + touch of one page + unmap of a populated object",
	};
	struct run runs[2 * 19];
	struct step steps[2 * 19];
	int n = 0, largest = o->quick ? 9 : 18;

	for (int order = 0; order <= largest; order += 3) {
		size_t pages = 1ul << order;
		int fd = populated(pages);

		for (int touch = 0; touch < 2; touch++) {
			runs[n] = (struct run){ fd, touch };
			steps[n] = (struct step){
				use,
				&runs[n],
				series(metrics[touch], "s", "morsel", "pages",
				       pages),
			};
			n++;
		}
	}
	rounds_run(steps, n, o->rounds);
	for (int i = 0; i < n; i += 2)
		memory_close(runs[i].fd);
}

const struct benchmark benchmark_attach = {
	.name = "attach",
	.what = "map and unmap alone, 2^0 to 2^18 populated pages",
	.run = run,
	.rounds = 400,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Explicit population of new memory: by the ioctl of the morsel, MAP_POPULATE
 * and MADV_POPULATE_WRITE, beside what clearing the memory alone takes.
 */
#include "memory.h"

enum how { IOCTL, AT_MAPPING, BY_ADVICE, CLEAR };

struct run {
	const struct memory *memory;
	enum how how;
	size_t size;
};

static double populate(void *with)
{
	const struct run *r = with;
	int fd = memory_open(r->memory, r->size), err = 0;
	char *p = NULL;
	double start;

	if (r->how == BY_ADVICE)
		p = memory_map(r->memory, fd, r->size, RW, 0);
	start = seconds();
	if (r->how == IOCTL)
		err = morsel_populate(fd, 0, r->size, NULL);
	else if (r->how == AT_MAPPING)
		p = memory_map(r->memory, fd, r->size, RW, MAP_POPULATE);
	else if (madvise(p, r->size, MADV_POPULATE_WRITE))
		err = -errno;
	start = seconds() - start;
	if (err)
		die("populating %s: %s", r->memory->name, strerror(-err));
	if (p)
		memory_unmap(r->memory, p, r->size);
	memory_close(fd);
	return start;
}

/* Of memory that is there, and in the TLB as far as that goes. */
static double clear(void *with)
{
	static char *p;
	const struct run *r = with;
	double start;

	if (!p)
		p = memory_map(r->memory, -1, r->size, RW, MAP_POPULATE);
	start = seconds();
	memset(p, 0, r->size);
	/* Or the compiler sees that nobody reads it. */
	__asm__ volatile("" : : "r"(p) : "memory");
	return seconds() - start;
}

static const struct {
	struct run run;
	const char *name;
} ways[] = {
	{ { &memory_morsel, IOCTL, 0 }, "morsel, ioctl" },
	{ { &memory_morsel_part, AT_MAPPING, 0 }, "morsel, MAP_POPULATE" },
	{ { &memory_anonymous, AT_MAPPING, 0 },
	  "shared anonymous, MAP_POPULATE" },
	{ { &memory_anonymous, BY_ADVICE, 0 },
	  "shared anonymous, MADV_POPULATE_WRITE" },
	{ { &memory_memfd, AT_MAPPING, 0 }, "memfd, MAP_POPULATE" },
	{ { &memory_memfd, BY_ADVICE, 0 }, "memfd, MADV_POPULATE_WRITE" },
	{ { &memory_private, BY_ADVICE, 0 },
	  "private anonymous, MADV_POPULATE_WRITE" },
	{ { &memory_private_huge, BY_ADVICE, 0 },
	  "private anonymous, THP, MADV_POPULATE_WRITE" },
	{ { &memory_tmpfs_huge, AT_MAPPING, 0 },
	  "tmpfs, huge=always, MAP_POPULATE" },
	{ { &memory_hugetlb, AT_MAPPING, 0 }, "hugetlbfs, MAP_POPULATE" },
	{ { &memory_anonymous, CLEAR, 0 }, "memset of the same memory" },
};

static void run(const struct options *o)
{
	static struct run runs[ARRAY_SIZE(ways)];
	struct step steps[ARRAY_SIZE(ways)];
	int n = 0;
	size_t size = o->quick ? 8 * MIB : 256 * MIB;

	result_option("bytes", size);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		if (!memory_there(ways[i].run.memory))
			continue;
		runs[n] = ways[i].run;
		runs[n].size = size;
		steps[n] = (struct step){
			runs[n].how == CLEAR ? clear : populate,
			&runs[n],
			series("explicit population", "s", ways[i].name, NULL,
			       0),
		};
		n++;
	}
	rounds_run(steps, n, o->rounds);
}

const struct benchmark benchmark_populate = {
	.name = "populate",
	.what = "explicit population of 256 MiB",
	.run = run,
	.rounds = 11,
};

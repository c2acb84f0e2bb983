// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapping memory that is populated already (thesis, figures 5.4 and 5.5): map,
 * read a word of every page, unmap; the whole and its parts.
 */
#include "memory.h"

#define LARGEST 20 /* 2^20 pages, 4 GiB */
#define ALL_FIT (1ul << 16) /* pages; an object of each kind at a time */

struct run {
	const struct memory *memory;
	int flags; /* more of mmap */
	int fd;
	size_t size;
	struct series *map, *touch, *unmap;
};

static double use(void *with)
{
	const struct run *r = with;
	double start = seconds(), mapped, touched, end;
	char *p = memory_map(r->memory, r->fd, r->size, PROT_READ, r->flags);

	mapped = seconds();
	memory_read(p, r->size, PAGE);
	touched = seconds();
	memory_unmap(r->memory, p, r->size);
	end = seconds();
	series_add(r->map, mapped - start);
	series_add(r->touch, touched - mapped);
	series_add(r->unmap, end - touched);
	return end - start;
}

static const struct {
	const struct memory *memory;
	int flags;
	const char *name;
} peers[] = {
	{ &memory_morsel, 0, "morsel" },
	{ &memory_shm, 0, "POSIX shm" },
	{ &memory_shm, MAP_POPULATE, "POSIX shm, MAP_POPULATE" },
	{ &memory_tmpfs_huge, 0, "tmpfs, huge=always" },
	{ &memory_hugetlb, 0, "hugetlbfs" },
	{ &memory_file, 0, "ext4 file" },
	{ &memory_file, MAP_POPULATE, "ext4 file, MAP_POPULATE" },
};

/*
 * All of those in @which, bits, by turns.  Objects are filled first; a flag more
 * or less makes no other object.
 */
static void by_turns(const struct options *o, size_t pages, unsigned int which)
{
	struct run runs[ARRAY_SIZE(peers)];
	struct step steps[ARRAY_SIZE(peers)];
	size_t size = pages * PAGE;
	int n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(peers); i++) {
		const struct memory *m = peers[i].memory;
		const char *name = peers[i].name;

		if (!(which & 1u << i) || m->page > size || !memory_there(m))
			continue;
		runs[n] = (struct run){
			.memory = m,
			.flags = peers[i].flags,
			.size = size,
			.fd = n && runs[n - 1].memory == m ?
				      runs[n - 1].fd :
				      memory_filled(m, size),
			.map = series("map", "s", name, "pages", pages),
			.touch = series("touch", "s", name, "pages", pages),
			.unmap = series("unmap", "s", name, "pages", pages),
		};
		steps[n] = (struct step){
			use,
			&runs[n],
			series("map + touch + unmap", "s", name, "pages",
			       pages),
		};
		n++;
	}
	/* Of small ones many, since they are fast and vary. */
	rounds_run(steps, n,
		   pages <= 4096 && !o->quick ? 10 * o->rounds : o->rounds);
	for (int i = 0; i < n; i++)
		if (!i || runs[i].fd != runs[i - 1].fd)
			memory_close(runs[i].fd);
}

/* Large ones in pairs, for all of them do not fit in memory at once. */
static void one_size(const struct options *o, size_t pages)
{
	unsigned int all = (1u << ARRAY_SIZE(peers)) - 1, which;

	if (pages <= ALL_FIT) {
		by_turns(o, pages, all);
		return;
	}
	for (size_t i = 1; i < ARRAY_SIZE(peers); i++) {
		if (i > 1 && peers[i].memory == peers[i - 1].memory)
			continue;
		if (peers[i].memory == &memory_hugetlb &&
		    pages * PAGE > MEMORY_HUGETLB_MOST)
			continue;
		which = 1;
		for (size_t k = i; k < ARRAY_SIZE(peers); k++)
			if (peers[k].memory == peers[i].memory)
				which |= 1u << k;
		by_turns(o, pages, which);
	}
}

static void run(const struct options *o)
{
	for (int order = 0; order <= (o->quick ? 10 : LARGEST); order += 2)
		one_size(o, 1ul << order);
}

const struct benchmark benchmark_map = {
	.name = "map",
	.what = "map, touch and unmap populated objects of 2^0 to 2^20 pages",
	.run = run,
	.rounds = 11,
};

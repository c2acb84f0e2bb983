// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations whose instructions plugin.c counts, each between two marks: a
 * page fault that populates; and to map, touch and unmap what is populated.  Runs
 * in the guest; prints a line for each run, in the order in which the plugin
 * reports them: operation, peer, pages.
 */
#include "../memory.h"
#include "../qemu/mark.h"

#define WARM 64 /* pages; the path, its caches, what is ahead of need */
#define FAULTS 448 /* pages; with these, a table of them */

static void fault(const struct memory *m)
{
	size_t size = (WARM + FAULTS) * PAGE;
	int fd = memory_open(m, size);
	char *p = memory_map(m, fd, size, RW, 0);

	memory_write(p, WARM * PAGE, PAGE);
	mark(MARK_BEGIN);
	for (size_t i = 0; i < FAULTS; i++) {
		volatile char *page = p + (WARM + i) * PAGE;

		mark(MARK_COUNT);
		*page = 1;
		mark(MARK_CLOSE);
	}
	mark(MARK_END);
	printf("page fault\t%s\t1\n", m->name);
	memory_unmap(m, p, size);
	memory_close(fd);
}

static void map_touch_unmap(const struct memory *m, const char *peer, int flags,
			    size_t pages)
{
	int fd = memory_filled(m, pages * PAGE);
	char *p;

	mark(MARK_BEGIN);
	for (int round = 0; round < 24; round++) {
		if (round >= 4)
			mark(MARK_COUNT);
		p = memory_map(m, fd, pages * PAGE, PROT_READ, flags);
		memory_read(p, pages * PAGE, PAGE);
		memory_unmap(m, p, pages * PAGE);
		mark(MARK_CLOSE);
	}
	mark(MARK_END);
	printf("map + touch + unmap\t%s\t%zu\n", peer, pages);
	memory_close(fd);
}

int main(void)
{
	static const struct memory *const kinds[] = {
		&memory_morsel,	 &memory_anonymous, &memory_memfd,
		&memory_private, &memory_morsel_sequential,
	};
	static const size_t sizes[] = { 1, 16, 64, 512, 513 };

	pin_to(0);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		fault(kinds[i]);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		map_touch_unmap(&memory_morsel, "morsel", 0, sizes[i]);
		map_touch_unmap(&memory_shm, "POSIX shm", 0, sizes[i]);
		map_touch_unmap(&memory_shm, "POSIX shm, MAP_POPULATE",
				MAP_POPULATE, sizes[i]);
	}
	return 0;
}

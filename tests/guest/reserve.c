// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames that faults take ahead of need: never more than were used and no more
 * than seven of each processor, none of them counted as a page, all of them
 * zeroed; none for who has a memory policy; and they go with the morsel.
 */
#include "guest.h"

#include <linux/mempolicy.h>
#include <sys/syscall.h>

#define MOST 7ull
#define PAGES 200ull

static void policy(int mode)
{
	if (syscall(SYS_set_mempolicy, mode, NULL, 0))
		bail("set_mempolicy: %s", strerror(errno));
}

/* Every page once; how often the reserve was not as it is to be. */
static void touch_all(unsigned int order)
{
	uint64_t most = 0, wrong = 0, dirty = 0;
	struct morsel_info i;
	uint64_t id;
	int fd = create(order, &id);
	char *p = map(fd, RW);

	for (uint64_t n = 1; n <= PAGES; n++) {
		dirty += *word(p, n) != 0;
		memset(p + n * PAGE, 0xff, PAGE);
		i = info(fd);
		wrong += i.reserve_frames > n || i.reserve_frames > MOST ||
			 i.data_frames != n || i.allocated != n;
		if (i.reserve_frames > most)
			most = i.reserve_frames;
	}
	is(wrong, 0, "order %u: as many as were used, seven at most", order);
	ok(most > 0, "order %u: %llu were ahead", order,
	   (unsigned long long)most);
	is(dirty, 0, "order %u: all were zeroed", order);
	unmap(p, order);
	destroy(fd);
}

/* The descriptor keeps the object, but not its frames. */
static void gone_with_the_morsel(void)
{
	struct morsel_stats before = stats();
	int fd = create(2, NULL);
	char *p = map(fd, RW);

	for (uint64_t n = 0; n < 10; n++)
		*word(p, n) = 1;
	ok(stats().reserve_frames > before.reserve_frames, "some are ahead");
	unmap(p, 2);
	if (morsel_destroy(fd))
		bail("destroy");
	is(stats().reserve_frames, before.reserve_frames,
	   "destroyed, and none is, with a descriptor open");
	close(fd);
}

/* What was taken where a policy did not say otherwise is not for who has one. */
static void by_policy(void)
{
	int fd = create(2, NULL);
	char *p = map(fd, RW);
	uint64_t ahead;

	for (uint64_t n = 0; n < 17; n++)
		*word(p, n) = 1;
	ahead = info(fd).reserve_frames;
	policy(MPOL_LOCAL);
	for (uint64_t n = 17; n < PAGES; n++)
		*word(p, n) = 1;
	policy(MPOL_DEFAULT);
	ok(ahead, "%llu are ahead", (unsigned long long)ahead);
	is(info(fd).reserve_frames, ahead, "and stay so with a memory policy");
	is(info(fd).data_frames, PAGES, "all pages are there");
	unmap(p, 2);
	destroy(fd);
}

/* As large as a table is what populates explicitly: it needs none. */
static void explicitly(void)
{
	int fd = create(2, NULL);

	is(morsel_populate(fd, 0, PAGES * PAGE, NULL), 0, "explicit population");
	is(info(fd).reserve_frames, 0, "takes none ahead");
	destroy(fd);
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	if (!run_on(0))
		bail("processor 0");
	for (unsigned int order = 1; order <= 3; order++)
		touch_all(order);
	gone_with_the_morsel();
	by_policy();
	explicitly();
	return guest_done();
}

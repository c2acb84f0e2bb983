// SPDX-License-Identifier: GPL-2.0-only
/*
 * Punch against readers that spin, and so have a page in the TLB of their
 * processor all the time: once a punch has returned, nobody sees what was in the
 * page, let alone what whoever got its frame has put there.  Nothing orders a
 * reader and the puncher but the value itself.
 */
#include "guest.h"

#include <sys/resource.h>

#define PAGES 8
#define SPINS 64	/* reads between two looks at what was punched */
#define TAG 0x5a5aull	/* in what the writer wrote, at the top */

struct arena {
	unsigned int order;
	int fd;
	uint64_t first; /* page of the morsel */
	atomic_int stop;
	/* By page: all that was written up to this number has been taken out. */
	atomic_ulong gone[PAGES];
	atomic_ulong punches, uses, holes;
};

static uint64_t written(uint64_t number)
{
	return TAG << 48 | number;
}

enum kind { WRITABLE, READABLE, EXECUTABLE, OWN_LEAVES, KINDS };

static char *map_pages(struct arena *a, enum kind kind)
{
	static const int prots[KINDS] = { RW, R, R | X, R };
	size_t size = morsel_size(a->order);
	char *p;

	if (kind == OWN_LEAVES)
		p = mmap(NULL, PAGES * PAGE, R, MAP_SHARED, a->fd,
			 a->first * PAGE);
	else
		p = mmap(NULL, size, prots[kind], MAP_SHARED, a->fd, 0);
	if (p == MAP_FAILED)
		bail("mmap: %s", strerror(errno));
	return kind == OWN_LEAVES ? p : p + a->first * PAGE;
}

struct job {
	struct arena *a;
	enum kind kind;
};

static int spin(void *arg)
{
	struct job *job = arg;
	struct arena *a = job->a;
	char *p = map_pages(a, job->kind);

	while (!a->stop) {
		unsigned int i = random64() % PAGES;
		uint64_t gone = a->gone[i];

		for (int n = 0; n < SPINS; n++) {
			uint64_t value = *word(p, i);

			if (!value) {
				a->holes++;
				continue;
			}
			if (value >> 48 != TAG || value <= written(gone)) {
				note("kind %d: page %u holds %#llx, and up to "
				     "%#llx is gone",
				     job->kind, i, (unsigned long long)value,
				     (unsigned long long)written(gone));
				a->stop = 1;
				return 1;
			}
			gone = a->gone[i];
		}
		a->uses += SPINS;
	}
	return 0;
}

/* Takes frames from the same allocator, and leaves them full of something. */
static int take_frames(void *arg)
{
	struct arena *a = arg;
	size_t size = 64 * PAGE;

	while (!a->stop) {
		char *p = mmap(NULL, size, RW,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

		need(p != MAP_FAILED);
		memset(p, 0xa5, size);
		munmap(p, size);
		usleep(1000);
	}
	return 0;
}

static bool raced(const struct arena *a)
{
	return a->punches > 10 && a->holes > 10 && a->uses > 1000;
}

static void punch(unsigned int order)
{
	struct arena *a = shared(sizeof(*a));
	double start = now();
	pid_t pids[KINDS + 1];
	struct job jobs[KINDS];
	uint64_t number = 1, done;
	int failed = 0;
	char *p;

	a->order = order;
	a->fd = create(order, NULL);
	a->first = pages_of(order) / 2;
	for (int i = 0; i < KINDS; i++) {
		jobs[i] = (struct job){ a, i };
		pids[i] = spawn(spin, &jobs[i]);
	}
	pids[KINDS] = spawn(take_frames, a);
	p = map_pages(a, WRITABLE);
	/* Or it would wait for its turn among those who spin. */
	setpriority(PRIO_PROCESS, 0, -20);
	while (!a->stop && goes_on(start, raced(a))) {
		unsigned int first = random64() % PAGES,
			     n = 1 + random64() % (PAGES - first);

		for (unsigned int i = first; i < first + n; i++)
			*word(p, i) = written(number + i);
		/* As long as somebody needs to run and to read it. */
		usleep(random64() % 4000);
		failed |= morsel_punch(a->fd, (a->first + first) * PAGE,
				       n * PAGE, &done);
		for (unsigned int i = first; i < first + n; i++)
			a->gone[i] = number + i;
		number += PAGES;
		a->punches++;
	}
	setpriority(PRIO_PROCESS, 0, 0);
	start = now() - start;
	a->stop = 1;
	for (int i = 0; i <= KINDS; i++)
		failed |= reap(pids[i]);
	note("%lu punches, %lu uses, %lu holes in %.1f s", a->punches, a->uses,
	     a->holes, start);
	ok(!failed, "order %u: nobody sees what is gone", order);
	ok(raced(a), "order %u: there was a race", order);
	munmap(p - a->first * PAGE, morsel_size(order));
	destroy(a->fd);
	munmap(a, sizeof(*a));
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	split_time(max_order());
	for (unsigned int order = 1; order <= max_order() && !tap_failed; order++)
		punch(order);
	return guest_done();
}

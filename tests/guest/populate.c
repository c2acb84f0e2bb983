// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lock-free population: processes that fault the same and neighbouring pages
 * at the same time agree on every page, and no frame is lost on the way.
 */
#include "guest.h"

#include <signal.h>

#define SAME 1500 /* pages hit by two processes at once */
#define KILLS 20

struct arena {
	uint64_t id;
	unsigned int order;
	uint64_t n;
	int step; /* +1 upwards, -1 downwards */
	atomic_int *gate; /* both count it up, and wait for the other */
	_Atomic uint64_t *claimed; /* pages that were stamped first by us */
	_Atomic uint64_t *acked; /* pages known to be stamped */
};

static void meet(atomic_int *gate, int round)
{
	atomic_fetch_add(gate, 1);
	await(gate, 2 * round);
}

/* Stamps all pages from one end to the other, each only if nobody has. */
static int from_one_end(void *arg)
{
	struct arena *a = arg;
	char *p = map_id(a->id, RW);

	meet(a->gate, 1);
	for (uint64_t i = 0; i < a->n; i++) {
		uint64_t page = spread(a->order, a->step > 0 ? i : a->n - 1 - i,
				       a->n),
			 none = 0;

		*a->claimed += atomic_compare_exchange_strong(
			word(p, page), &none, stamp(page));
		atomic_fetch_add(word(p, page) + 1, 1);
	}
	meet(a->gate, 2);
	for (uint64_t i = 0; i < a->n; i++)
		need(word(p, spread(a->order, i, a->n))[1] == 2);
	need(bad_stamps(p, a->order, a->n) == 0);
	return 0;
}

static void from_both_ends(unsigned int order, uint64_t n)
{
	struct {
		atomic_int gate;
		_Atomic uint64_t up, down;
	} *s = shared(sizeof(*s));
	struct arena up = { .order = order,
			    .n = n,
			    .step = 1,
			    .gate = &s->gate,
			    .claimed = &s->up };
	struct arena down = up;
	int fd = create(order, &up.id);
	pid_t pids[2];

	down.id = up.id;
	down.step = -1;
	down.claimed = &s->down;
	pids[0] = spawn(from_one_end, &up);
	pids[1] = spawn(from_one_end, &down);
	is(reap(pids[0]), 0,
	   "order %u: from both ends: the one agrees on every page", order);
	is(reap(pids[1]), 0, "order %u: from both ends: and so does the other",
	   order);
	is(s->up + s->down, n, "order %u: each page was claimed once", order);
	ok(s->up && s->down, "order %u: %llu of them upwards, %llu downwards",
	   order, (unsigned long long)s->up, (unsigned long long)s->down);
	is(info(fd).data_frames, n, "order %u: as many data frames as pages",
	   order);
	is(info(fd).table_frames, tables_for_spread(order, n),
	   "order %u: and the tables they need", order);
	munmap(s, sizeof(*s));
	destroy(fd);
}

/*
 * The pages of which every second needs tables of its own, so that these race
 * too.
 */
static uint64_t same_page(unsigned int order, uint64_t i)
{
	uint64_t tables = order == 2 ? 512 : SAME / 2;

	return i / 2 % tables * (pages_of(order) / tables) + i % 2 +
	       i / 2 / tables * 2;
}

static int in_step(void *arg)
{
	struct arena *a = arg;
	char *p = map_id(a->id, RW);

	for (uint64_t i = 0; i < SAME; i++) {
		meet(a->gate, i + 1);
		atomic_fetch_add(word(p, same_page(a->order, i)), i + 1);
	}
	return 0;
}

static void same_pages(unsigned int order)
{
	atomic_int *gate = shared(sizeof(*gate));
	struct arena a = { .order = order, .gate = gate };
	int fd = create(order, &a.id), wrong = 0;
	pid_t pids[2];
	char *p;

	pids[0] = spawn(in_step, &a);
	pids[1] = spawn(in_step, &a);
	is(reap(pids[0]) | reap(pids[1]), 0,
	   "order %u: two processes hit %d pages at once", order, SAME);
	p = map(fd, R);
	for (uint64_t i = 0; i < SAME; i++)
		wrong += *word(p, same_page(order, i)) != 2 * (i + 1);
	is(wrong, 0, "order %u: and got the same page each time", order);
	is(info(fd).data_frames, SAME, "order %u: with no frame lost", order);
	unmap(p, order);
	munmap(gate, sizeof(*gate));
	destroy(fd);
}

/* Goes on where the last writer was killed, and says what is safely written. */
static int writer(void *arg)
{
	struct arena *a = arg;
	char *p = map_id(a->id, RW);

	for (uint64_t i = *a->acked; i < a->n; i++) {
		uint64_t page = spread(a->order, i, a->n);

		*word(p, page) = stamp(page);
		*a->acked = i + 1;
	}
	pause();
	return 1;
}

static void killed_writer(unsigned int order)
{
	_Atomic uint64_t *acked = shared(sizeof(*acked));
	struct arena a = { .order = order, .n = 1 << 17, .acked = acked };
	int fd = create(order, &a.id), lost = 0, early = 0, frames = 0;

	for (int round = 0; round < KILLS; round++) {
		pid_t pid = spawn(writer, &a);
		uint64_t start = *acked, data;
		char *p;

		while (*acked == start)
			usleep(50);
		usleep(random64() % 8000);
		kill(pid, SIGKILL);
		early += reap(pid) != -SIGKILL || *acked == a.n;
		data = info(fd).data_frames;
		frames += data < *acked || data > *acked + 1;
		p = map(fd, R);
		for (uint64_t i = 0; i < *acked; i++) {
			uint64_t page = spread(order, i, a.n);

			lost += *word(p, page) != stamp(page);
		}
		unmap(p, order);
	}
	note("order %u: %llu pages before %d kills", order,
	     (unsigned long long)*acked, KILLS);
	is(early, 0, "order %u: the writer was killed amid its work", order);
	is(lost, 0, "order %u: all it had acknowledged is there", order);
	is(frames, 0, "order %u: data frames are the pages written", order);
	munmap((void *)acked, sizeof(*acked));
	destroy(fd);
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	for (unsigned int order = 2; order <= max_order(); order++) {
		from_both_ends(order, opt_pages);
		same_pages(order);
		killed_writer(order);
	}
	return guest_done();
}

// SPDX-License-Identifier: GPL-2.0-only
/* Races over views of one morsel; see race.h. */
#include "race.h"

#include <pthread.h>

char *race_home(const struct arena *a)
{
	return (char *)free_addr(a->order, 1);
}

char *race_away(const struct arena *a)
{
	return (char *)free_addr(a->order, 2);
}

int check_one(struct arena *a, char *p)
{
	uint64_t page = spread(a->order, random64() % N, N);

	need(*word(p, page) == stamp(page));
	a->uses++;
	return 0;
}

int check_many(struct arena *a, char *p)
{
	while (!a->stop)
		if (check_one(a, p))
			return 1;
	return 0;
}

int populate_one(struct arena *a, char *p)
{
	uint64_t page = spread(a->order, random64() % N, N) + 64 +
			random64() % 256;

	if (check_one(a, p))
		return 1;
	if (page >= pages_of(a->order))
		return 0;
	/* Sixteen at once every now and then. */
	if (random64() % 8 == 0 && page + 16 <= pages_of(a->order))
		need(!madvise(word(p, page), 16 * PAGE, MADV_POPULATE_WRITE));
	word(p, page)[1] = 1;
	return 0;
}

int check_and_populate(struct arena *a, char *p)
{
	while (!a->stop)
		if (populate_one(a, p))
			return 1;
	return 0;
}

int look(struct arena *a, char *p, unsigned long when)
{
	uint64_t page = spread(a->order, random64() % N, N), value;
	unsigned long turn = a->turn;
	bool seen = peek(word(p, page), &value);

	need(!seen || value == stamp(page));
	if (turn % 2 == 0 && a->turn == turn)
		need(seen == (turn % 4 == when));
	a->uses++;
	a->refused += !seen;
	return 0;
}

struct actor {
	const struct race *race;
	struct arena *a;
	char *p;
	int failed;
};

static void *run_thread(void *arg)
{
	struct actor *me = arg;

	run_on(1);
	me->failed = me->race->thread(me->a, me->p);
	/* There is no use in going on. */
	if (me->failed)
		me->a->stop = 1;
	return NULL;
}

static int changer(void *arg)
{
	struct actor *me = arg;
	pthread_t thread;
	int failed = 0, fd;

	/* Not inherited: this process has the mapping to itself. */
	fd = select_id(me->a->id, 0);
	me->p = map_at(fd, (uint64_t)race_home(me->a), RW);
	close(fd);
	need(me->p == race_home(me->a));
	if (me->race->thread)
		pthread_create(&thread, NULL, run_thread, me);
	/*
	 * Never in turns with its thread on one processor, where whoever sleeps
	 * and wakes often would stay while the other process has its own.
	 */
	run_on(0);
	for (; !me->a->stop && !failed; me->a->changes++)
		failed = me->race->change(me->a, me->p);
	me->a->stop = 1;
	if (me->race->thread)
		pthread_join(thread, NULL);
	return failed || me->failed;
}

static int peer(void *arg)
{
	struct actor *me = arg;
	int failed = me->race->peer(me->a, map_id(me->a->id, RW));

	me->a->stop = 1;
	return failed;
}

static int raced(const struct arena *a)
{
	return a->changes > 10 && a->uses > 100;
}

/* Longer than this no change takes, so one that does waits for ever. */
#define PATIENCE 25.0

/* Also by hanging can a race end, and then nobody could be reaped. */
static void let_run(const struct race *race, struct arena *a, double start)
{
	unsigned long changes = 0;
	double last = start;

	while (!a->stop && goes_on(start, raced(a))) {
		usleep(10000);
		if (a->changes != changes) {
			changes = a->changes;
			last = now();
		}
		if (now() - last > PATIENCE)
			bail("order %u: %s: hangs after %lu changes", a->order,
			     race->name, changes);
	}
}

void race_run(const struct race *race, unsigned int order)
{
	struct arena *a = shared(sizeof(*a));
	struct actor actor = { .race = race, .a = a };
	pid_t left, right;
	double start;
	int fd;
	char *p;

	a->order = order;
	fd = create(order, &a->id);
	p = map(fd, RW);
	put_stamps(p, order, N);
	unmap(p, order);
	if (race->before)
		race->before(fd, order);
	start = now();
	left = spawn(changer, &actor);
	right = spawn(peer, &actor);
	let_run(race, a, start);
	start = now() - start;
	a->stop = 1;
	is(reap(left), 0, "order %u: %s: the changing process", order,
	   race->name);
	is(reap(right), 0, "order %u: %s: the other process", order,
	   race->name);
	note("%lu changes, %lu uses, %lu refused in %.1f s", a->changes,
	     a->uses, a->refused, start);
	ok(raced(a), "order %u: %s: there was a race", order, race->name);
	if (race->after)
		race->after(fd, order);
	p = map(fd, R);
	is(bad_stamps(p, order, N), 0, "order %u: %s: content", order,
	   race->name);
	unmap(p, order);
	is(info(fd).attachments, 0, "order %u: %s: nothing is attached", order,
	   race->name);
	destroy(fd);
	munmap(a, sizeof(*a));
}

int race_main(int argc, char **argv, const struct race *race)
{
	guest_init(argc, argv);
	split_time(max_order());
	for (unsigned int order = 1; order <= max_order() && !tap_failed; order++)
		race_run(race, order);
	return guest_done();
}

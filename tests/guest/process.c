// SPDX-License-Identifier: GPL-2.0-only
/*
 * fork copies no table, whatever is in a morsel; exec and exit end a view and
 * nothing else; and a process that is killed at any step of its life with
 * morsels leaves nothing behind and changes nothing for others.
 */
#include "peer.h"

#include <sched.h>

#define N 512 /* pages with a stamp */
#define ONE_VIEW (3 * PAGE) /* tables: a placeholder and two parents */

struct arena {
	unsigned int order;
	uint64_t id;
	int fd;
	char *p;
	atomic_long tables, attachments;
	atomic_int step;
};

/* Says what it has inherited, then touches it. */
static int inherit(void *arg)
{
	struct arena *a = arg;
	uint64_t n = opt_pages < pages_of(a->order) ? opt_pages :
						      pages_of(a->order);
	long before = table_bytes();

	a->tables = before;
	a->attachments = info(a->fd).attachments;
	if (!a->p)
		return 0;
	need(*word(a->p, 0) == stamp(0));
	need(info(a->fd).attachments == (uint64_t)a->attachments + !!a->order);
	need(bad_stamps(a->p, a->order, n) == 0);
	need(table_bytes() - before <= ONE_VIEW);
	word(a->p, 0)[4] = 0xc0ffee;
	return 0;
}

static void fork_is_constant(unsigned int order)
{
	uint64_t n = opt_pages < pages_of(order) ? opt_pages : pages_of(order);
	struct arena *a = shared(sizeof(*a));
	struct peer peer;
	long bare;

	a->order = order;
	a->fd = create(order, &a->id);
	peer = peer_start(a->id, order, n);
	is(reap(spawn(inherit, a)), 0, "order %u: a child without a mapping",
	   order);
	bare = a->tables;
	a->p = map(a->fd, RW);
	put_stamps(a->p, order, n);
	is(disagree(&peer, a->p, true), 0, "order %u: %llu pages populated",
	   order, (unsigned long long)n);
	is(reap(spawn(inherit, a)), 0,
	   "order %u: a child with one; its first touch attaches", order);
	/* No table for what it has not touched, not even a placeholder. */
	ok(a->tables < bare + (long)PAGE,
	   "order %u: fork copied no table (VmPTE %ld without, %ld with)",
	   order, bare, (long)a->tables);
	is(a->attachments, order ? 2 : 0,
	   "order %u: until then only the parent and the peer are attached",
	   order);
	is(peer_call(&peer, peer_swap, 32, 0), 0xc0ffee,
	   "order %u: the peer sees the child's write", order);
	is(disagree(&peer, a->p, true), 0, "order %u: both see the same after",
	   order);
	is(info(a->fd).attachments, order ? 2 : 0,
	   "order %u: the child's entry is gone", order);
	unmap(a->p, order);
	peer_stop(&peer);
	destroy(a->fd);
	munmap(a, sizeof(*a));
}

/* Writes through an inherited and a new mapping, then ends with both. */
static int ends(void *arg)
{
	struct arena *a = arg;
	char *own = map_id(a->id, RW);

	word(a->p, 0)[4] = 1;
	need(atomic_fetch_add(word(own, 0) + 4, 1) == 1);
	if (a->step == 0)
		return 0;
	if (a->step == 1)
		execl("/bin/true", "true", NULL);
	if (a->step == 2)
		raise(SIGKILL);
	if (a->step == 3)
		raise(SIGABRT);
	return 1;
}

static void all_ends(unsigned int order)
{
	static const struct {
		const char *name;
		int status;
	} how[] = { { "exit", 0 },
		    { "exec", 0 },
		    { "SIGKILL", -SIGKILL },
		    { "SIGABRT", -SIGABRT } };
	uint64_t n = N < pages_of(order) ? N : pages_of(order);
	struct arena *a = shared(sizeof(*a));
	struct peer peer;

	a->order = order;
	a->fd = create(order, &a->id);
	peer = peer_start(a->id, order, n);
	a->p = map(a->fd, RW);
	put_stamps(a->p, order, n);
	for (int i = 0; i < 4; i++) {
		struct morsel_info before = info(a->fd), after;

		a->step = i;
		is(reap(spawn(ends, a)), how[i].status, "order %u: %s", order,
		   how[i].name);
		after = info(a->fd);
		ok(after.mappings == before.mappings &&
			   after.descriptors == before.descriptors &&
			   after.data_frames == before.data_frames,
		   "order %u: took its mappings and descriptors", order);
		is(peer_call(&peer, peer_swap, 32, 0), 2,
		   "order %u: and left what it wrote", order);
		is(disagree(&peer, a->p, true), 0,
		   "order %u: both see the same", order);
	}
	unmap(a->p, order);
	peer_stop(&peer);
	destroy(a->fd);
	munmap(a, sizeof(*a));
}

static int touch(void *arg)
{
	struct arena *a = arg;

	need(*word(a->p, 0) == stamp(0));
	return 0;
}

/* A life with a morsel of its own beside the common one, step by step. */
static int live_until_killed(void *arg)
{
	struct arena *a = arg, inherited = *a;
	size_t size = morsel_size(a->order);
	uint64_t id;

	for (;;) {
		char *to = (char *)free_addr(a->order, 2), *p, *common;
		int fd;

		fd = create(a->order, &id);
		a->step++;
		common = map_id(a->id, RW);
		a->step++;
		p = map_at(fd, free_addr(a->order, 1), RW);
		a->step++;
		put_stamps(p, a->order, N);
		a->step++;
		need(*word(common, 0) == stamp(0));
		word(common, 0)[6] = 1;
		a->step++;
		inherited.p = common;
		need(reap(spawn(touch, &inherited)) == 0);
		a->step++;
		need(!mprotect(p, size, R));
		need(!probe(p, READ));
		need(!mprotect(p, size, RW));
		a->step++;
		need(!madvise(common, PAGE, MADV_DONTNEED));
		need(mremap(p, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) ==
		     to);
		need(!bad_stamps(to, a->order, N));
		a->step++;
		need(!mprotect(to + size - PAGE, PAGE, R));
		need(!probe(to + size - 1, READ));
		a->step++;
		need(!munmap(to + size - PAGE, PAGE));
		a->step++;
		munmap(to, size);
		a->step++;
		unmap(common, a->order);
		a->step++;
		destroy(fd);
	}
}

#define STEPS 12

static int live(void *arg)
{
	struct arena *a = arg;
	int ret = live_until_killed(arg);

	a->step += STEPS; /* nobody need wait */
	return ret;
}

/* What the dead have created lives on, until somebody destroys it. */
static int bury(uint64_t but)
{
	double limit = now() + 20;
	struct morsel_info i;
	uint64_t cursor = 0;
	int n = 0;

	while (!morsel_next(device(), &cursor, &i)) {
		int fd, err;

		if (i.id == but)
			continue;
		fd = select_id(i.id, 0);
		/* A grandchild may still be about to die. */
		while ((err = morsel_destroy(fd)) == -EBUSY && now() < limit)
			usleep(1000);
		if (err)
			bail("destroy: %s", strerror(-err));
		close(fd);
		n++;
	}
	return n;
}

static void killed(unsigned int order)
{
	uint64_t n = N < pages_of(order) ? N : pages_of(order);
	struct arena *a = shared(sizeof(*a));
	int odd = 0, wrong = 0, changed = 0, buried = 0;
	struct morsel_stats before, after;
	struct peer peer;

	a->order = order;
	a->fd = create(order, &a->id);
	peer = peer_start(a->id, order, n);
	a->p = map(a->fd, RW);
	put_stamps(a->p, order, n);
	wrong = disagree(&peer, a->p, true);
	before = stats();
	for (int i = 0; i < 2 * STEPS; i++) {
		pid_t pid;

		/* When a step begins, and again at some moment after that. */
		a->step = 0;
		pid = spawn(live, a);
		for (double limit = now() + 20;
		     a->step < i / 2 && now() < limit;)
			sched_yield();
		if (i % 2)
			usleep(random64() % 5000);
		kill(pid, SIGKILL);
		odd += reap(pid) != -SIGKILL;
		for (int t = 0; t < 2000 && info(a->fd).mappings > 2; t++)
			usleep(1000);
		buried += bury(a->id);
		after = stats();
		changed += !same_stats(before, after);
		wrong += disagree(&peer, a->p, true);
	}
	is(odd, 0, "order %u: %d processes were well until SIGKILL", order,
	   2 * STEPS);
	is(changed, 0, "order %u: none of them left anything behind", order);
	is(wrong, 0, "order %u: or changed what others see", order);
	ok(buried, "order %u: %d of them had a morsel of their own", order,
	   buried);
	unmap(a->p, order);
	peer_stop(&peer);
	destroy(a->fd);
	munmap(a, sizeof(*a));
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	for (unsigned int order = 0; order <= max_order(); order++) {
		fork_is_constant(order);
		all_ends(order);
		killed(order);
	}
	return guest_done();
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaching: one entry per process whatever the content, and which mappings
 * attach at all.
 */
#include "guest.h"

/*
 * A placeholder and two parents; anything that grows with content is far
 * above.
 */
#define MOST_TABLES (3 * PAGE)

struct arena {
	uint64_t id;
	unsigned int order;
	uint64_t pages;
	int prot;
	atomic_int step;
};

static int grows_by_a_constant(void *arg)
{
	struct arena *a = arg;
	char *p = map_id(a->id, a->prot);
	unsigned long before = table_bytes(), one, all;
	volatile char *last =
		p + spread(a->order, a->pages - 1, a->pages) * PAGE;

	(void)*last;
	one = table_bytes() - before;
	need(bad_stamps(p, a->order, a->pages) == 0);
	all = table_bytes() - before;
	if (one != all || all > MOST_TABLES)
		note("order %u: page tables grew by %lu, then by %lu bytes",
		     a->order, one, all);
	need(one == all);
	need(all <= MOST_TABLES);
	return 0;
}

static void table_memory(unsigned int order, uint64_t n, int prot)
{
	struct arena a = { .order = order, .pages = n, .prot = prot };
	int fd = create(order, &a.id);
	char *p = map(fd, RW);

	put_stamps(p, order, n);
	unmap(p, order);
	is(reap(spawn(grows_by_a_constant, &a)), 0,
	   "order %u, prot %d: page tables of a reader of %llu pages stay constant",
	   order, prot, (unsigned long long)n);
	destroy(fd);
}

/* Touches, then holds the mapping until told to go. */
static int hold(void *arg)
{
	struct arena *a = arg;
	char *p = map_id(a->id, a->prot);
	char *end = p + morsel_size(a->order) - PAGE;

	need(!probe(p, READ) && !probe(end, READ));
	if (a->prot & W)
		need(!probe(p, WRITE));
	else
		need(probe(p, WRITE));
	a->step++;
	await(&a->step, 10);
	return 0;
}

static void many_processes(unsigned int order)
{
	struct arena *a = shared(2 * sizeof(*a)), *b = a + 1;
	int fd = create(order, &a->id);
	pid_t left, right;

	b->id = a->id;
	a->order = b->order = order;
	a->prot = RW;
	b->prot = R;
	left = spawn(hold, a);
	await(&a->step, 1);
	is(info(fd).attachments, 1,
	   "order %u: a writer is attached by one entry", order);
	right = spawn(hold, b);
	await(&b->step, 1);
	is(info(fd).attachments, 2,
	   "order %u: a reader has one of its own", order);
	is(stats().attachments, info(fd).attachments,
	   "order %u: and STATS agrees", order);
	a->step = 10;
	is(reap(left), 0, "order %u: the writer had its rights", order);
	ok(info(fd).attachments < 3 && info(fd).mappings == 1,
	   "order %u: its exit detached it", order);
	b->step = 10;
	is(reap(right), 0, "order %u: the reader had its rights", order);
	is(info(fd).attachments, 0, "order %u: nothing is attached", order);
	is(info(fd).mappings, 0, "order %u: nothing is mapped", order);
	destroy(fd);
	munmap(a, 2 * sizeof(*a));
}

static void which_attach(unsigned int order)
{
	static const int prots[] = { PROT_NONE, R, RW, W, R | X, RW | X };
	static const char *const names[] = {
		"none", "r", "rw", "w", "rx", "rwx"
	};
	int fd = create(order, NULL);

	for (int i = 0; i < 6; i++) {
		char *p = map(fd, prots[i]);

		probe(p, prots[i] & W ? WRITE : READ);
		is(info(fd).attachments, order && prots[i] != PROT_NONE,
		   "order %u: attachments of %s", order, names[i]);
		unmap(p, order);
		is(info(fd).attachments, 0, "order %u: none after munmap of %s",
		   order, names[i]);
	}
	destroy(fd);
}

int main(int argc, char **argv)
{
	unsigned int max;

	guest_init(argc, argv);
	max = max_order();
	for (unsigned int order = 0; order <= max; order++)
		which_attach(order);
	for (unsigned int order = 1; order <= max; order++)
		many_processes(order);
	table_memory(1, 512, RW);
	for (unsigned int order = 2; order <= max; order++)
		table_memory(order, 16384, RW);
	table_memory(2, 16384, R);
	table_memory(3, 16384, R);
	return done();
}

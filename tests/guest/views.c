// SPDX-License-Identifier: GPL-2.0-only
/*
 * munmap() and mprotect(), of all and of parts: what a process does to its own
 * view is nothing to anybody else.
 */
#include "peer.h"

#define N 512 /* pages with a stamp */

struct part {
	const char *name;
	size_t offset, size;
};

static struct part parts[8];
static int n_parts;

static void part(const char *name, size_t offset, size_t size)
{
	parts[n_parts++] = (struct part){ name, offset, size };
}

/* Kinds of parts that a morsel of this order has. */
static void list_parts(unsigned int order)
{
	size_t size = morsel_size(order), table = 2 << 20;

	n_parts = 0;
	part("all", 0, size);
	if (!order)
		return;
	part("the first page", 0, PAGE);
	part("the last page", size - PAGE, PAGE);
	part("a page within", size / 2 + PAGE, PAGE);
	part("the upper half", size / 2, size / 2);
	if (order < 2)
		return;
	part("a table", table, table);
	part("a table and its edges", table - PAGE, table + 2 * PAGE);
	part("all but its edges", PAGE, size - 2 * PAGE);
}

/* How an access to a part and to its neighbours fails: 0 or a signal each. */
static int inside(char *p, const struct part *at, enum access how)
{
	return probe(p + at->offset, how) |
	       probe(p + at->offset + at->size - 1, how);
}

static int outside(char *p, const struct part *at, unsigned int order,
		   enum access how)
{
	size_t end = at->offset + at->size;

	return (at->offset ? probe(p + at->offset - 1, how) : 0) |
	       (end < morsel_size(order) ? probe(p + end, how) : 0);
}

static void take(struct peer *peer, int fd, const struct part *at)
{
	unsigned int order = peer->order;
	char *p = map(fd, RW);

	is(disagree(peer, p, true), 0, "order %u: mapped", order);
	is(munmap(p + at->offset, at->size), 0, "order %u: munmap of %s", order,
	   at->name);
	is(inside(p, at, READ), SIGSEGV, "order %u: it is gone", order);
	is(outside(p, at, order, WRITE), 0,
	   "order %u: what is beside it is not", order);
	munmap(p, morsel_size(order));
	is(info(fd).mappings, 1, "order %u: only the peer's mapping is left",
	   order);
	p = map(fd, RW);
	is(disagree(peer, p, true), 0,
	   "order %u: mapped again, both see the same", order);
	unmap(p, order);
}

static void protect(struct peer *peer, int fd, const struct part *at)
{
	static const struct {
		int prot, read, write;
		const char *name;
	} rights[] = {
		{ R, 0, SIGSEGV, "read" },
		{ PROT_NONE, SIGSEGV, SIGSEGV, "none" },
		{ R | X, 0, SIGSEGV, "read and execute" },
		{ RW | X, 0, 0, "all" },
		{ RW, 0, 0, "write" },
	};
	unsigned int order = peer->order;
	char *p = map(fd, RW);

	is(disagree(peer, p, true), 0, "order %u: mapped", order);
	for (size_t i = 0; i < sizeof(rights) / sizeof(*rights); i++) {
		const char *name = rights[i].name;

		is(mprotect(p + at->offset, at->size, rights[i].prot), 0,
		   "order %u: mprotect of %s: %s", order, at->name, name);
		is(inside(p, at, READ), rights[i].read,
		   "order %u: %s: reading it", order, name);
		is(inside(p, at, WRITE), rights[i].write,
		   "order %u: %s: writing it", order, name);
		is(outside(p, at, order, WRITE), 0,
		   "order %u: %s: writing beside it", order, name);
		/* The peer may write all along, and where it does is seen. */
		is(peer_call(peer, peer_swap, at->offset + 40, i + 1), i,
		   "order %u: %s: the peer writes", order, name);
		if (rights[i].prot & R)
			is(*(_Atomic uint64_t *)(p + at->offset + 40), i + 1,
			   "order %u: %s: that is seen", order, name);
		/* Nor does its use bring back what was taken away here. */
		is(inside(p, at, READ), rights[i].read,
		   "order %u: %s: reading it, after the peer did", order, name);
		is(inside(p, at, WRITE), rights[i].write,
		   "order %u: %s: writing it, after the peer did", order, name);
		is(peer_call(peer, peer_check, order, peer->n), 0,
		   "order %u: %s: the peer's content", order, name);
	}
	is(disagree(peer, p, true), 0,
	   "order %u: with all rights back both see the same", order);
	peer_call(peer, peer_swap, at->offset + 40, 0);
	unmap(p, order);
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	for (unsigned int order = 0; order <= max_order(); order++) {
		uint64_t id, n = N < pages_of(order) ? N : pages_of(order);
		int fd = morsel_create(device(), order, 0700, 0, &id);
		struct peer peer;
		char *p;

		if (fd < 0)
			bail("create: %s", strerror(-fd));
		peer = peer_start(id, order, n);
		p = map(fd, RW);
		put_stamps(p, order, n);
		unmap(p, order);
		list_parts(order);
		for (int i = 0; i < n_parts; i++) {
			take(&peer, fd, &parts[i]);
			protect(&peer, fd, &parts[i]);
		}
		peer_stop(&peer);
		destroy(fd);
	}
	return guest_done();
}

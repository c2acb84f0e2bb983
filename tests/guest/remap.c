// SPDX-License-Identifier: GPL-2.0-only
/*
 * mremap(): a mapping, or a part of one, goes elsewhere, and stays what it was:
 * a view of memory that others share.
 */
#include "peer.h"

#define N 512 /* pages with a stamp */

static char *move(char *from, size_t size, char *to)
{
	return mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to);
}

struct scene {
	unsigned int order;
	int fd;
	size_t size;
	char *p;
	struct peer peer;
};

static struct scene scene(unsigned int order)
{
	uint64_t id, n = N < pages_of(order) ? N : pages_of(order);
	struct scene s = { .order = order, .fd = create(order, &id) };

	s.size = morsel_size(order);
	s.peer = peer_start(id, order, n);
	s.p = map_at(s.fd, free_addr(order, 0), RW);
	put_stamps(s.p, order, n);
	return s;
}

static void leave(struct scene *s, const char *what)
{
	unsigned int order = s->order;
	char *p = map(s->fd, RW);

	is(disagree(&s->peer, p, true), 0, "order %u: content after %s", order,
	   what);
	unmap(p, order);
	peer_stop(&s->peer);
	munmap(s->p, s->size);
	is(info(s->fd).mappings, 0, "order %u: nothing mapped after %s", order,
	   what);
	is(info(s->fd).attachments, 0, "order %u: nothing attached after %s",
	   order, what);
	destroy(s->fd);
}

static void whole(unsigned int order)
{
	struct scene s = scene(order);
	char *to = (char *)free_addr(order, 1);

	ok(move(s.p, s.size, to) == to, "order %u: moves", order);
	ok(probe(s.p, READ), "order %u: away from where it was", order);
	is(disagree(&s.peer, to, true), 0, "order %u: it is shared as before",
	   order);
	is(info(s.fd).attachments, order ? 2 : 0,
	   "order %u: and attached by one entry", order);
	ok(move(to, s.size, s.p) == s.p, "order %u: moves home", order);
	is(disagree(&s.peer, s.p, true), 0, "order %u: it is shared as before",
	   order);
	/* Read-only goes along. */
	mprotect(s.p, s.size, R);
	ok(move(s.p, s.size, to) == to, "order %u: moves read-only", order);
	is(disagree(&s.peer, to, false), 0, "order %u: and is readable", order);
	ok(probe(to, WRITE), "order %u: but not writable", order);
	mprotect(to, s.size, RW);
	ok(!probe(to, WRITE), "order %u: until that is asked for", order);
	ok(move(to, s.size, s.p) == s.p, "order %u: moves home again", order);
	leave(&s, "moves of all");
}

static void refused(unsigned int order)
{
	struct scene s = scene(order);

	is_errno(mremap(s.p, s.size, s.size + PAGE, MREMAP_MAYMOVE), EFAULT,
		 "order %u: does not grow", order);
	is_errno(mremap(s.p, s.size, s.size + PAGE, 0), EFAULT,
		 "order %u: nor in place", order);
	is_errno(mremap(s.p, 0, s.size, MREMAP_MAYMOVE), EFAULT,
		 "order %u: is not doubled", order);
	is_errno(mremap(s.p, s.size, s.size, MREMAP_MAYMOVE | MREMAP_DONTUNMAP,
			NULL),
		 EINVAL, "order %u: does not leave a copy", order);
	is_errno(move(s.p, s.size, s.p + s.size / 2), EINVAL,
		 "order %u: does not move onto itself", order);
	is(disagree(&s.peer, s.p, true), 0,
	   "order %u: refused moves change nothing", order);
	leave(&s, "refused moves");
}

/* The one that is in the way goes, as a mapping, not as an object. */
static void onto_another(unsigned int order)
{
	struct scene s = scene(order), other;
	char *there;

	munmap(s.p, s.size);
	other = scene(order);
	s.p = map_at(s.fd, free_addr(order, 1), RW);
	there = other.p;
	*word(other.p, 0) = 4711;
	is(disagree(&s.peer, s.p, true), 0, "order %u: one of two", order);

	ok(move(s.p, s.size, there) == there,
	   "order %u: moves onto another morsel", order);
	s.p = there;
	is(disagree(&s.peer, s.p, true), 0,
	   "order %u: there is now what was moved", order);
	is(info(other.fd).mappings, 1, "order %u: the other is unmapped",
	   order);
	is(peer_call(&other.peer, peer_swap, 0, stamp(0)), 4711,
	   "order %u: and its peer sees it as it was", order);
	other.p = map_at(other.fd, free_addr(order, 1), RW);
	is(disagree(&other.peer, other.p, true), 0, "order %u: all of it",
	   order);
	leave(&s, "a move onto another");
	leave(&other, "another came in its place");
}

/* Pages [first, first + n) of the scene to @to, and home again. */
static void part(struct scene *s, uint64_t first, uint64_t n, char *to,
		 const char *what)
{
	char *from = s->p + first * PAGE;
	uint64_t last = first + n - 1, tag = random64();
	unsigned int order = s->order;

	/* What was split is not merged again, and only one VMA can move. */
	munmap(s->p, s->size);
	map_at(s->fd, (uint64_t)s->p, RW);
	*word(s->p, first) = tag;
	word(s->p, last)[5] = tag + 1;
	if (!ok(move(from, n * PAGE, to) == to, "order %u: %s moves", order,
		what)) {
		*word(s->p, first) = stamp(first);
		return;
	}
	ok(probe(from, READ) && probe(from + (n - 1) * PAGE, READ),
	   "order %u: %s: is gone from where it was", order, what);
	ok((!first || !probe(from - 1, WRITE)) &&
		   (last == pages_of(order) - 1 ||
		    !probe(from + n * PAGE, WRITE)),
	   "order %u: %s: its neighbours are not", order, what);
	ok(*word(to, 0) == tag && word(to, n - 1)[5] == tag + 1,
	   "order %u: %s: has its content with it", order, what);
	word(to, 0)[3] = tag + 2;
	is(peer_call(&s->peer, peer_swap, first * PAGE + 24, tag + 3), tag + 2,
	   "order %u: %s: the peer sees a write to it", order, what);
	is(word(to, 0)[3], tag + 3, "order %u: %s: sees one of the peer's",
	   order, what);
	ok(move(to, n * PAGE, from) == from, "order %u: %s moves home", order,
	   what);
	is(word(s->p, first)[3], tag + 3, "order %u: %s: is home", order, what);
	*word(s->p, first) = stamp(first);
	is(disagree(&s->peer, s->p, true), 0, "order %u: %s: both see the same",
	   order, what);
}

static void parts(unsigned int order)
{
	char *to = (char *)free_addr(order, 1);
	uint64_t pages = pages_of(order);
	struct scene s = scene(order);

	part(&s, 1, 1, to, "a page");
	part(&s, pages - 3, 3, to + PAGE, "the end");
	part(&s, 0, pages / 2, to + 3 * PAGE, "the first half");
	if (order > 1) {
		part(&s, 512, 512, to, "a table");
		part(&s, 512, 512, to + PAGE, "a table, off its alignment");
		part(&s, 500, 600, to + 500 * PAGE, "a table and its edges");
	}
	leave(&s, "moves of parts");
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	for (unsigned int order = 0; order <= max_order(); order++) {
		whole(order);
		refused(order);
		onto_another(order);
		if (order)
			parts(order);
	}
	return guest_done();
}

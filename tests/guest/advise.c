// SPDX-License-Identifier: GPL-2.0-only
/*
 * madvise(): what each advice answers, and that none of them changes what
 * anybody sees.  (MADV_REMOVE, which is meant to, is not of these.)
 */
#include "peer.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

#define N 512 /* pages with a stamp */

static const struct {
	const char *name;
	int advice, err;
} advices[] = {
	{ "DONTNEED", MADV_DONTNEED, 0 },
	{ "FREE", MADV_FREE, EINVAL }, /* for anonymous memory only */
	{ "COLD", MADV_COLD, 0 },
	{ "PAGEOUT", MADV_PAGEOUT, 0 },
	{ "HUGEPAGE", MADV_HUGEPAGE, 0 },
	{ "COLLAPSE", MADV_COLLAPSE, EINVAL },
	{ "NOHUGEPAGE", MADV_NOHUGEPAGE, 0 },
	{ "MERGEABLE", MADV_MERGEABLE, 0 },
	{ "UNMERGEABLE", MADV_UNMERGEABLE, 0 },
	{ "WILLNEED", MADV_WILLNEED, 0 },
	{ "DODUMP", MADV_DODUMP, EINVAL },
	{ "WIPEONFORK", MADV_WIPEONFORK, EINVAL },
};

static void advise(struct peer *peer, char *p, size_t offset, size_t size,
		   const char *where)
{
	unsigned int order = peer->order;

	for (size_t i = 0; i < sizeof(advices) / sizeof(*advices); i++) {
		int got = madvise(p + offset, size, advices[i].advice) ? errno :
									 0;
		/* Twice: with the entries of before, and attached anew. */
		int wrong = disagree(peer, p, true) + disagree(peer, p, true);

		is(got, advices[i].err, "order %u: MADV_%s of %s", order,
		   advices[i].name, where);
		is(wrong, 0, "order %u: after MADV_%s of %s both see the same",
		   order, advices[i].name, where);
	}
}

static void all_advices(unsigned int order)
{
	uint64_t id, n = N < pages_of(order) ? N : pages_of(order);
	int fd = create(order, &id);
	struct peer peer = peer_start(id, order, n);
	char *p = map(fd, RW);

	put_stamps(p, order, n);
	is(disagree(&peer, p, true), 0, "order %u: both see the same", order);
	advise(&peer, p, 0, morsel_size(order), "all");
	if (order) {
		advise(&peer, p, 3 * PAGE, 5 * PAGE, "a few pages");
		/* From within one table to within the next. */
		if (order > 1)
			advise(&peer, p, 1 << 20, 2 << 20, "parts of tables");
	}
	is(info(fd).data_frames, n, "order %u: no frame was added or lost",
	   order);
	unmap(p, order);
	peer_stop(&peer);
	destroy(fd);
}

/* What populates it for one populates it for all. */
static void populate(unsigned int order)
{
	uint64_t id, n = order ? 512 : 1, part = n / 2 + 1;
	int fd = create(order, &id);
	struct peer peer = peer_start(id, order, n);
	char *p = map(fd, RW), *r = map(fd, R), *none = map(fd, PROT_NONE);
	size_t middle = order > 1 ? (2 << 20) - 100 * PAGE : 0;

	is_errno(madvise(r, part * PAGE, MADV_POPULATE_WRITE), EINVAL,
		 "order %u: MADV_POPULATE_WRITE where only reading is allowed",
		 order);
	is_errno(madvise(none, part * PAGE, MADV_POPULATE_READ), EINVAL,
		 "order %u: MADV_POPULATE_READ where nothing is allowed",
		 order);
	is(info(fd).data_frames, !order, "order %u: they populated nothing",
	   order);

	is(madvise(p + middle, part * PAGE, MADV_POPULATE_WRITE), 0,
	   "order %u: MADV_POPULATE_WRITE", order);
	is(info(fd).data_frames, part, "order %u: populated just that", order);
	is(madvise(r + middle, part * PAGE, MADV_POPULATE_READ), 0,
	   "order %u: MADV_POPULATE_READ of the same", order);
	is(info(fd).data_frames, part, "order %u: populated no more", order);
	put_stamps(p, order, n);
	is(disagree(&peer, p, true) + disagree(&peer, r, false), 0,
	   "order %u: the peer sees these pages", order);
	if (order > 1) {
		/* By the reader, far away, across the border of two tables. */
		middle += morsel_size(order) / 2;
		part += info(fd).data_frames;
		is(madvise(r + middle, (512 / 2 + 1) * PAGE,
			   MADV_POPULATE_READ),
		   0, "order %u: MADV_POPULATE_READ of others", order);
		is(info(fd).data_frames, part, "order %u: populated just that",
		   order);
		peer_call(&peer, peer_swap, middle, 42);
		is(*(_Atomic uint64_t *)(p + middle), 42,
		   "order %u: for all of them", order);
	}
	unmap(none, order);
	unmap(r, order);
	unmap(p, order);
	peer_stop(&peer);
	destroy(fd);
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	for (unsigned int order = 0; order <= max_order(); order++) {
		all_advices(order);
		populate(order);
	}
	return guest_done();
}

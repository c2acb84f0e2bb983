// SPDX-License-Identifier: GPL-2.0-only
/*
 * mlock(), mlockall() and msync(): they populate what they are told to, have
 * nothing else to do, and take nothing away.
 */
#include "peer.h"

#include <stdio.h>

#define N 512 /* pages with a stamp */
#define TABLE (2ul << 20)

static void lock_parts(struct peer *peer, int fd, char *p)
{
	unsigned int order = peer->order;
	/* Not stamped; across the border of two tables where there are two. */
	size_t at = order > 1 ? TABLE / 2 + morsel_size(order) / 4 : 0,
	       size = order ? TABLE : PAGE;
	uint64_t frames = info(fd).data_frames;

	is(mlock(p + at, size), 0, "order %u: mlock", order);
	is(info(fd).data_frames, order > 1 ? frames + 512 : frames,
	   "order %u: populated what it locked", order);
	is(disagree(peer, p, true), 0, "order %u: both see the same", order);
	is(munlock(p + at, size), 0, "order %u: munlock", order);
	is(disagree(peer, p, true), 0, "order %u: both see the same", order);
	is(mlock2(p + at, size, MLOCK_ONFAULT), 0, "order %u: mlock on fault",
	   order);
	is(disagree(peer, p, true), 0, "order %u: both see the same", order);
	is(munlock(p, morsel_size(order)), 0, "order %u: munlock of all",
	   order);
	is(disagree(peer, p, true), 0, "order %u: both see the same", order);
}

static void sync_parts(struct peer *peer, char *p)
{
	static const struct {
		int flags, err;
		const char *name;
	} syncs[] = {
		{ MS_ASYNC, 0, "MS_ASYNC" },
		{ MS_SYNC, 0, "MS_SYNC" },
		{ MS_INVALIDATE, 0, "MS_INVALIDATE" },
		{ MS_SYNC | MS_INVALIDATE, 0, "MS_SYNC and MS_INVALIDATE" },
		{ MS_ASYNC | MS_SYNC, EINVAL, "MS_ASYNC and MS_SYNC" },
	};
	unsigned int order = peer->order;
	size_t size = morsel_size(order);

	for (size_t i = 0; i < sizeof(syncs) / sizeof(*syncs); i++) {
		int got = msync(p, size, syncs[i].flags) ? errno : 0;

		is(got, syncs[i].err, "order %u: msync of all, %s", order,
		   syncs[i].name);
		got = msync(p + size - PAGE, PAGE, syncs[i].flags) ? errno : 0;
		is(got, syncs[i].err, "order %u: msync of a page, %s", order,
		   syncs[i].name);
		is(disagree(peer, p, true), 0, "order %u: both see the same",
		   order);
	}
}

static void parts(unsigned int order)
{
	uint64_t id, n = N < pages_of(order) ? N : pages_of(order);
	int fd = create(order, &id);
	struct peer peer = peer_start(id, order, n);
	char *p = map(fd, RW);

	put_stamps(p, order, n);
	lock_parts(&peer, fd, p);
	sync_parts(&peer, p);
	unmap(p, order);
	peer_stop(&peer);
	destroy(fd);
}

struct arena {
	unsigned int order;
	uint64_t id;
};

/*
 * What mlockall() covers it populates, wherever the process may read.  A morsel
 * of more than some MiB is therefore mapped without rights, or it would be
 * populated whole.
 */
static int lock_all(void *arg)
{
	struct arena *a = arg;
	bool small = a->order < 2;
	int fd = select_id(a->id, 0), prot = small ? RW : PROT_NONE;
	size_t size = morsel_size(a->order);
	char *before = map(fd, prot), *after;

	need(!mlockall(MCL_CURRENT | MCL_FUTURE));
	if (small)
		need(info(fd).data_frames == pages_of(a->order));
	after = map(fd, prot);
	need(!mprotect(before, size, RW) && !mprotect(after, size, RW));
	word(before, 0)[4] = 7;
	need(word(after, 0)[4] == 7);
	need(!bad_stamps(after, a->order, N));
	need(!munlockall());
	need(!bad_stamps(before, a->order, N));
	need(!munmap(before, size) && !bad_stamps(after, a->order, N));
	return 0;
}

static void all(unsigned int order)
{
	struct arena a = { .order = order };
	uint64_t n = N < pages_of(order) ? N : pages_of(order);
	int fd = create(order, &a.id);
	struct peer peer = peer_start(a.id, order, n);
	char *p = map(fd, RW);

	put_stamps(p, order, n);
	unmap(p, order);
	is(reap(spawn(lock_all, &a)), 0,
	   "order %u: mlockall, then mapped, then munlockall", order);
	is(info(fd).data_frames, n, "order %u: populated nothing but that",
	   order);
	p = map(fd, RW);
	is(peer_call(&peer, peer_swap, 32, 0), 7,
	   "order %u: what was written is there", order);
	is(disagree(&peer, p, true), 0, "order %u: both see the same", order);
	unmap(p, order);
	peer_stop(&peer);
	destroy(fd);
}

/* The first stamps, which are in the first pages. */
static bool has_stamps(char *p, unsigned int order)
{
	for (uint64_t i = 0; i < 64 && i < pages_of(order); i++)
		if (*word(p, i) != stamp(i))
			return false;
	return true;
}

/*
 * The kernel neither locks a mapping that may not be expanded nor marks it to be
 * locked on fault, and would populate all of it: here two tables at most.
 */
static int lock_on_fault(void *arg)
{
	struct arena *a = arg;
	size_t size = a->order < 2 ? morsel_size(a->order) : 2 * TABLE;
	int fd = select_id(a->id, 0);
	uint64_t attached = info(fd).attachments, frames;
	char *p = mmap(NULL, size, RW, MAP_SHARED, fd, 0);

	alarm(60);
	need(p != MAP_FAILED && has_stamps(p, a->order));
	need(!a->order || info(fd).attachments > attached);
	frames = info(fd).data_frames;
	need(!mlockall(MCL_CURRENT | MCL_ONFAULT));
	need(info(fd).data_frames == frames);
	need(has_stamps(p, a->order));
	word(p, 0)[4] = 8;
	need(!munlockall());
	need(has_stamps(p, a->order) && word(p, 0)[4] == 8);
	return 0;
}

static void on_fault(unsigned int order)
{
	struct arena a = { .order = order };
	uint64_t n = N < pages_of(order) ? N : pages_of(order);
	int fd = create(order, &a.id);
	struct peer peer = peer_start(a.id, order, n);
	char *p = map(fd, RW);

	put_stamps(p, order, n);
	unmap(p, order);
	is(reap(spawn(lock_on_fault, &a)), 0,
	   "order %u: mlockall on fault, with it attached", order);
	p = map(fd, RW);
	is(peer_call(&peer, peer_swap, 32, 0), 8,
	   "order %u: what was written is there", order);
	is(disagree(&peer, p, true), 0, "order %u: both see the same", order);
	unmap(p, order);
	peer_stop(&peer);
	destroy(fd);
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	for (unsigned int order = 0; order <= max_order(); order++) {
		parts(order);
		all(order);
		on_fault(order);
	}
	return guest_done();
}

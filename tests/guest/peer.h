/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A peer: another process that has the same morsel mapped, elsewhere, and runs
 * functions when asked, so that a test sees the content by other eyes than its
 * own.  It is forked before the test maps the morsel and inherits nothing of it
 * but what is named by the ID.
 */
#ifndef PEER_H
#define PEER_H

#include "guest.h"

#include <signal.h>
#include <sys/prctl.h>

/* Runs in the peer; @base is where that has the morsel. */
typedef int64_t peer_fn(char *base, uint64_t a, uint64_t b);

struct peer {
	unsigned int order;
	uint64_t n; /* pages with a stamp */
	pid_t pid;
	int ask, answer;
};

struct peer_call {
	peer_fn *fn;
	uint64_t a, b;
};

static inline void peer_serve(uint64_t id, int ask, int answer)
{
	char *base = map_id(id, RW);
	struct peer_call call;
	int64_t ret = 0;

	/* Mapped: the first answer is to no question. */
	if (write(answer, &ret, sizeof(ret)) != sizeof(ret))
		return;
	while (read(ask, &call, sizeof(call)) == sizeof(call)) {
		ret = call.fn(base, call.a, call.b);
		if (write(answer, &ret, sizeof(ret)) != sizeof(ret))
			break;
	}
}

static inline int64_t peer_call(struct peer *peer, peer_fn *fn, uint64_t a,
				uint64_t b)
{
	struct peer_call call = { fn, a, b };
	int64_t ret;

	if (write(peer->ask, &call, sizeof(call)) != sizeof(call) ||
	    read(peer->answer, &ret, sizeof(ret)) != sizeof(ret))
		bail("the peer is gone");
	return ret;
}

static inline int64_t peer_check(char *base, uint64_t order, uint64_t n)
{
	return bad_stamps(base, order, n);
}

/* Exchange: gives back what was there. */
static inline int64_t peer_swap(char *base, uint64_t offset, uint64_t value)
{
	return atomic_exchange((_Atomic uint64_t *)(base + offset), value);
}

/* A peer of the morsel @id, which has stamps in @n pages once it is asked. */
static inline struct peer peer_start(uint64_t id, unsigned int order,
				     uint64_t n)
{
	struct peer peer = { .order = order, .n = n };
	pid_t parent = getpid();
	int ask[2], answer[2];
	int64_t ready;

	if (pipe2(ask, O_CLOEXEC) || pipe2(answer, O_CLOEXEC))
		bail("pipe: %s", strerror(errno));
	peer.pid = fork();
	if (peer.pid < 0)
		bail("fork: %s", strerror(errno));
	if (!peer.pid) {
		/* A descriptor that two processes hold is one in use. */
		for (int fd = 3; fd < 64; fd++)
			if (fd != device() && fd != ask[0] && fd != answer[1])
				close(fd);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			peer_serve(id, ask[0], answer[1]);
		_exit(0);
	}
	close(ask[0]);
	close(answer[1]);
	peer.ask = ask[1];
	peer.answer = answer[0];
	if (read(peer.answer, &ready, sizeof(ready)) != sizeof(ready))
		bail("the peer is gone");
	return peer;
}

static inline void peer_stop(struct peer *peer)
{
	kill(peer->pid, SIGKILL);
	reap(peer->pid);
	close(peer->ask);
	close(peer->answer);
}

/*
 * What is wrong with a mapping of the peer's morsel at @p: stamps that either
 * does not see, and words that one writes and the other does not see.
 */
static inline int disagree(struct peer *peer, char *p, bool writable)
{
	uint64_t last = spread(peer->order, peer->n - 1, peer->n),
		 value = random64(), n = peer->n;
	int wrong = 0;

	wrong += !!bad_stamps(p, peer->order, n);
	wrong += !!peer_call(peer, peer_check, peer->order, n);
	peer_call(peer, peer_swap, last * PAGE + 8, value);
	wrong += word(p, last)[1] != value;
	if (writable) {
		word(p, 0)[2] = value + 1;
		wrong += peer_call(peer, peer_swap, 16, 0) !=
			 (int64_t)value + 1;
		wrong += word(p, 0)[2] != 0;
	}
	return wrong;
}

#endif /* PEER_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Futexes in a morsel: two processes, at different addresses, share a mutex
 * and a condition.
 */
#include "guest.h"

#include <pthread.h>

#define TURNS 300

struct table_tennis {
	pthread_mutex_t lock;
	pthread_cond_t turn;
	int ball;
};

struct arena {
	uint64_t id;
	uint64_t page;
};

/* One player hits the ball when it is even, the other when it is odd. */
static int play(struct table_tennis *t, int side)
{
	struct timespec limit;

	for (int i = 0; i < TURNS; i++) {
		clock_gettime(CLOCK_REALTIME, &limit);
		limit.tv_sec += 20;
		need(!pthread_mutex_lock(&t->lock));
		while (t->ball % 2 != side)
			need(!pthread_cond_timedwait(&t->turn, &t->lock,
						     &limit));
		t->ball++;
		need(!pthread_cond_signal(&t->turn));
		need(!pthread_mutex_unlock(&t->lock));
	}
	return 0;
}

static int opponent(void *arg)
{
	struct arena *a = arg;
	char *p =
		map_id(a->id, RW); /* beside the inherited one, so elsewhere */

	return play((struct table_tennis *)word(p, a->page), 1);
}

static void match(unsigned int order)
{
	pthread_mutexattr_t mutex;
	pthread_condattr_t cond;
	struct table_tennis *t;
	struct arena a = { .page = pages_of(order) - 1 };
	int fd = create(order, &a.id);
	pid_t pid;
	char *p;

	p = map_at(fd, free_addr(order, 0), RW);
	t = (struct table_tennis *)word(p, a.page);
	pthread_mutexattr_init(&mutex);
	pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&t->lock, &mutex);
	pthread_condattr_init(&cond);
	pthread_condattr_setpshared(&cond, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&t->turn, &cond);
	pid = spawn(opponent, &a);
	is(play(t, 0), 0, "order %u: this side's turns", order);
	is(reap(pid), 0, "order %u: the other side's", order);
	is(t->ball, 2 * TURNS, "order %u: none is missing", order);
	unmap(p, order);
	destroy(fd);
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	for (unsigned int order = 0; order <= max_order(); order++)
		match(order);
	return done();
}

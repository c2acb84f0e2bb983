// SPDX-License-Identifier: GPL-2.0-only
/*
 * Futexes in a morsel: two processes, at different addresses, share a mutex
 * and a condition, a mutex that outlives its owner, and a bare futex.
 */
#include "guest.h"

#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

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

/* Dies with the mutex locked, by @how: a signal, or exit for 0. */
struct heir {
	uint64_t id, page;
	int how;
};

static int die_locked(void *arg)
{
	struct heir *h = arg;
	pthread_mutex_t *lock =
		(pthread_mutex_t *)word(map_id(h->id, RW), h->page);

	need(!pthread_mutex_lock(lock));
	if (h->how)
		raise(h->how);
	return 0;
}

/* The kernel itself writes to the futexes of the dead. */
static void robust(unsigned int order, bool inherit_priority)
{
	const char *what = inherit_priority ? "robust and PI" : "robust";
	struct heir h = { .page = pages_of(order) - 1 };
	int fd = create(order, &h.id);
	char *p = map_at(fd, free_addr(order, 0), RW);
	pthread_mutex_t *lock = (pthread_mutex_t *)word(p, h.page);
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	if (inherit_priority)
		pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(lock, &attr);
	for (h.how = 0; h.how <= SIGKILL; h.how += SIGKILL) {
		struct timespec limit;

		is(reap(spawn(die_locked, &h)), -h.how,
		   "order %u: %s: dies with the mutex", order, what);
		clock_gettime(CLOCK_REALTIME, &limit);
		limit.tv_sec += 20;
		is(pthread_mutex_timedlock(lock, &limit), EOWNERDEAD,
		   "order %u: %s: the next owner is told", order, what);
		is(pthread_mutex_consistent(lock), 0,
		   "order %u: %s: makes it consistent", order, what);
		is(pthread_mutex_unlock(lock), 0, "order %u: %s: unlocks it",
		   order, what);
	}
	is(pthread_mutex_trylock(lock), 0, "order %u: %s: it is a mutex still",
	   order, what);
	pthread_mutex_unlock(lock);
	unmap(p, order);
	destroy(fd);
}

static long futex(void *word, int op, int value)
{
	struct timespec limit = { .tv_sec = 20 };

	return syscall(SYS_futex, word, op, value, &limit, NULL, 0);
}

static int sleeper(void *arg)
{
	struct arena *a = arg;
	_Atomic uint64_t *bed = word(map_id(a->id, R), a->page);

	return futex((void *)bed, FUTEX_WAIT, 0) ? errno : 0;
}

/* Asleep on a word that it may only read, and that another may write. */
static void wait_and_wake(unsigned int order)
{
	struct arena a = { .page = pages_of(order) / 2 };
	int fd = create(order, &a.id);
	char *p = map_at(fd, free_addr(order, 0), RW);
	_Atomic uint64_t *bed = word(p, a.page);
	double limit = now() + 20;
	long woken;
	pid_t pid;

	pid = spawn(sleeper, &a);
	/* Until it sleeps, there is nobody to be woken; it may then sleep on. */
	do {
		usleep(1000);
		woken = futex((void *)bed, FUTEX_WAKE, 1);
	} while (!woken && now() < limit);
	is(woken, 1, "order %u: one was woken", order);
	is(reap(pid), 0, "order %u: and knows it", order);
	unmap(p, order);
	destroy(fd);
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	for (unsigned int order = 0; order <= max_order(); order++) {
		match(order);
		robust(order, false);
		robust(order, true);
		wait_and_wake(order);
	}
	return done();
}

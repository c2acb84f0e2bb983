// SPDX-License-Identifier: GPL-2.0-only
/*
 * Futexes in a shared mapping, whose key is the file and the offset: processes
 * meet wherever each has it mapped, by whichever name.
 */
#include "fs.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>

#define SLOT (5 * PAGE + 128)

static int futex(_Atomic uint32_t *word, int op, uint32_t value)
{
	return syscall(SYS_futex, word, op, value, NULL, NULL, 0);
}

static char *map_name(const char *name)
{
	int fd = file(name, 0, 8 * PAGE);
	char *p = map_file(fd, 8 * PAGE, RW, MAP_SHARED);

	close(fd);
	return p;
}

static int sleeper(void *name)
{
	_Atomic uint32_t *word = (_Atomic uint32_t *)(map_name(name) + SLOT);

	atomic_fetch_add(word + 1, 1);
	while (!atomic_load(word))
		need(futex(word, FUTEX_WAIT, 0) == 0 || errno == EAGAIN ||
		     errno == EINTR);
	return 0;
}

static void wake(void)
{
	pid_t first, second;
	_Atomic uint32_t *word;
	int woken = 0;

	word = (_Atomic uint32_t *)(map_name("futex") + SLOT);
	link("futex", "second-name");
	first = spawn(sleeper, "futex");
	second = spawn(sleeper, "second-name");
	while (atomic_load(word + 1) < 2)
		usleep(1000);
	/* It goes back to sleep, as the word still is 0. */
	for (int i = 0; i < 60000 && woken == 0; i++) {
		usleep(1000);
		woken = futex(word, FUTEX_WAKE, 1);
	}
	atomic_store(word, 1);
	futex(word, FUTEX_WAKE, 2);
	is(woken, 1, "a sleeper is woken through another mapping");
	is(reap(first), 0, "by the same name");
	is(reap(second), 0, "and by another");
	is(futex(word, FUTEX_WAKE, 2), 0, "nobody is left");
	is_errno(futex(word, FUTEX_WAIT, 0), EAGAIN, "it is not what it was");
	munmap(word - SLOT / sizeof(*word), 8 * PAGE);
}

struct robust {
	pthread_mutex_t mutex;
	atomic_int held;
	long sum;
};

static int dies(void *name)
{
	struct robust *r = (struct robust *)map_name(name);

	need(pthread_mutex_lock(&r->mutex) == 0);
	atomic_store(&r->held, 1);
	return 0;
}

static int adds(void *name)
{
	struct robust *r = (struct robust *)map_name(name);

	for (int i = 0; i < 3000; i++) {
		need(pthread_mutex_lock(&r->mutex) == 0);
		r->sum++;
		need(pthread_mutex_unlock(&r->mutex) == 0);
	}
	return 0;
}

static void mutexes(void)
{
	struct robust *r = (struct robust *)map_name("mutex");
	pthread_mutexattr_t attr;
	pid_t pids[3];
	int failed = 0;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&r->mutex, &attr);
	for (int i = 0; i < 3; i++)
		pids[i] = spawn(adds, "mutex");
	for (int i = 0; i < 3; i++)
		failed += reap(pids[i]) != 0;
	is(failed, 0, "three processes take turns");
	is(r->sum, 3 * 3000, "and none is in the other's way");
	is(reap(spawn(dies, "mutex")), 0, "one dies with the lock");
	is(r->held, 1, "which it held");
	is(pthread_mutex_lock(&r->mutex), EOWNERDEAD, "the next one is told");
	is(pthread_mutex_consistent(&r->mutex), 0, "and repairs it");
	is(pthread_mutex_unlock(&r->mutex), 0, "unlocked");
	munmap(r, 8 * PAGE);
}

/* Taken with nobody to fight: the page must be written by the kernel. */
static void priority(void)
{
	_Atomic uint32_t *word = (_Atomic uint32_t *)map_name("pi");

	is(futex(word, FUTEX_LOCK_PI, 0), 0, "a lock that lends priority");
	is(*word, getpid(), "has its owner");
	is(futex(word, FUTEX_UNLOCK_PI, 0), 0, "unlocked");
	munmap(word, 8 * PAGE);
}

int main(int argc, char **argv)
{
	fs_init(argc, argv);
	wake();
	mutexes();
	priority();
	return fs_done();
}

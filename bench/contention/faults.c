// SPDX-License-Identifier: GPL-2.0-only
/*
 * faults.c - page faults on many processors, one marked access after the other
 *
 * Runs in the guest under plugin.c.  In a run N threads (or processes), each on
 * a processor of its own, populate one shared memory, each in 2 MiB of its own.
 *
 * In turn: each waits for the one before it, populates one page, and wakes the
 * next; so a processor's faults have one of every other processor in between,
 * and nothing else goes on.  At once: all populate as fast as they can.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <morsel.h>

#include "../qemu/mark.h"

#define PAGE ((size_t)MORSEL_PAGE_SIZE)
#define SLICE (512 * PAGE)
#define WORKERS_MAX 64
/* Fill the tables, the caches of the allocators, the view. */
#define WARM_PAGES 64

#define die(fmt, ...)                                                    \
	do {                                                             \
		fprintf(stderr, "contention: " fmt "\n", ##__VA_ARGS__); \
		exit(1);                                                 \
	} while (0)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct worker {
	_Alignas(128) atomic_uint turn; /* rounds that it may begin */
	int number;
};

/* Shared by all workers, be they threads or processes. */
struct race {
	struct worker workers[WORKERS_MAX];
	char *memory;
	int n, pages;
	bool at_once;
	_Alignas(128) atomic_int ready, done;
};

static struct race *race;

static void futex(atomic_uint *word, int op, unsigned int value)
{
	syscall(SYS_futex, word, op, value, NULL, NULL, 0);
}

static void turn_wait(struct worker *w, unsigned int round)
{
	unsigned int now;

	while ((now = atomic_load(&w->turn)) <= round)
		futex(&w->turn, FUTEX_WAIT, now);
}

static void turn_pass(struct worker *w)
{
	struct worker *next = &race->workers[(w->number + 1) % race->n];

	atomic_fetch_add(&next->turn, 1);
	futex(&next->turn, FUTEX_WAKE, 1);
}

static char *page_of(struct worker *w, int page)
{
	return race->memory + w->number * SLICE + page * PAGE;
}

static void touch_warm(volatile char *p)
{
	mark(MARK_WARM);
	*p = 1;
	mark(MARK_CLOSE);
}

static void touch_counted(volatile char *p)
{
	mark(MARK_COUNT);
	*p = 1;
	mark(MARK_CLOSE);
}

/* The last one waits for nobody: who is alone passes on to itself. */
static void populate_in_turn(struct worker *w, int first, int last,
			     void (*touch)(volatile char *))
{
	for (int page = first; page < last; page++) {
		turn_wait(w, page);
		touch(page_of(w, page));
		turn_pass(w);
	}
}

/* Who is done goes on until all are, or its slice is full. */
static void populate_at_once(struct worker *w, int first, int last)
{
	int page;

	atomic_fetch_add(&race->ready, 1);
	while (atomic_load(&race->ready) < race->n)
		mark(MARK_WAIT);
	for (page = first; page < last; page++)
		touch_counted(page_of(w, page));
	atomic_fetch_add(&race->done, 1);
	while (atomic_load(&race->done) < race->n)
		if (page < 512)
			touch_warm(page_of(w, page++));
		else
			mark(MARK_WAIT);
}

static void pin_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("cannot run on processor %d: %s", cpu, strerror(errno));
}

static void *work(void *arg)
{
	struct worker *w = arg;

	pin_to(w->number);
	populate_in_turn(w, 0, WARM_PAGES, touch_warm);
	if (race->at_once)
		populate_at_once(w, WARM_PAGES, WARM_PAGES + race->pages);
	else
		populate_in_turn(w, WARM_PAGES, WARM_PAGES + race->pages,
				 touch_counted);
	return NULL;
}

static void threads_run(void)
{
	pthread_t threads[WORKERS_MAX];

	for (int i = 0; i < race->n; i++)
		if (pthread_create(&threads[i], NULL, work, &race->workers[i]))
			die("cannot create %d threads", race->n);
	for (int i = 0; i < race->n; i++)
		pthread_join(threads[i], NULL);
}

static void processes_run(void)
{
	int status;

	for (int i = 0; i < race->n; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork: %s", strerror(errno));
		if (!pid) {
			work(&race->workers[i]);
			_exit(0);
		}
	}
	for (int i = 0; i < race->n; i++)
		if (wait(&status) < 0 || status)
			die("a process ended with status %#x", status);
}

struct peer {
	const char *name;
	char *(*map)(size_t size);
	void (*unmap)(char *p, size_t size);
};

static int device, morsel;

/* One of 1 GiB, in which a single entry of each address space is the mapping. */
static char *morsel_new(size_t size)
{
	void *p;
	int err;

	(void)size;
	morsel = morsel_create(device, 2, 0600, 0, NULL);
	if (morsel < 0)
		die("morsel_create: %s", strerror(-morsel));
	err = morsel_map(morsel, NULL, PROT_READ | PROT_WRITE, 0, &p);
	if (err)
		die("morsel_map: %s", strerror(-err));
	return p;
}

static void morsel_delete(char *p, size_t size)
{
	(void)size;
	morsel_unmap(p, 2);
	if (morsel_destroy(morsel))
		die("morsel_destroy failed");
	close(morsel);
}

/* Aligned like a morsel: pages of two workers have no table in common. */
static char *anonymous_new(size_t size)
{
	char *p = mmap(NULL, size + SLICE, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	p += -(uintptr_t)p % SLICE;
	p = mmap(p, size, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (p == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	return p;
}

/* What surrounds it is address space alone. */
static void anonymous_delete(char *p, size_t size)
{
	munmap(p, size);
}

static const struct peer peers[] = {
	{ "morsel", morsel_new, morsel_delete },
	{ "shared anonymous", anonymous_new, anonymous_delete },
};

struct way {
	const char *name;
	void (*run)(void);
	bool at_once;
};

static const struct way ways[] = {
	{ "threads", threads_run, false },
	{ "processes", processes_run, false },
	{ "threads at once", threads_run, true },
};

/*
 * The lock of a VMA is 40 bytes, and one in eight lies in two cache lines, which
 * costs its faults two transfers more.  The allocator would hand out the same one
 * for run after run: other mappings, of a random number, make each a new draw.
 */
#define SHIFT_MAX 64
#define SHIFT_SIZE (2 * SHIFT_MAX * PAGE)

static char *shift(void)
{
	char *p = mmap(NULL, SHIFT_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);
	int n = rand() % SHIFT_MAX;

	if (p == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	for (int i = 0; i < n; i++)
		if (mprotect(p + (2 * i + 1) * PAGE, PAGE, PROT_READ))
			die("mprotect: %s", strerror(errno));
	return p;
}

/* What is printed names the run that the plugin reports at its end. */
static void run(const struct peer *peer, const struct way *way, int n,
		int pages, bool report)
{
	size_t size = WORKERS_MAX * SLICE;
	char *shifted = shift();

	memset(race, 0, sizeof(*race));
	race->memory = peer->map(size);
	race->n = n;
	race->pages = pages;
	race->at_once = way->at_once;
	for (int i = 0; i < n; i++)
		race->workers[i].number = i;
	atomic_store(&race->workers[0].turn, 1);

	if (way->at_once)
		mark(MARK_BEGIN_MIXED);
	else
		mark(MARK_BEGIN);
	way->run();
	if (report) {
		mark(MARK_END);
		printf("run\t%s\t%s\t%d\n", peer->name, way->name, n);
		fflush(stdout);
	}
	peer->unmap(race->memory, size);
	munmap(shifted, SHIFT_SIZE);
}

/* Emulated on few processors, many that run at once come to no end. */
#define AT_ONCE_MAX 8

static void runs(const struct way *way, const int *cpus, int n, int pages,
		 int rounds)
{
	for (int round = 0; round < rounds; round++)
		for (int i = 0; i < n; i++)
			for (unsigned int k = 0; k < ARRAY_SIZE(peers); k++) {
				if (way->at_once && cpus[i] > AT_ONCE_MAX)
					continue;
				run(&peers[(k + round) % ARRAY_SIZE(peers)],
				    way, cpus[i], pages, true);
			}
}

int main(int argc, char **argv)
{
	int cpus[WORKERS_MAX], n = 0, pages, rounds;

	if (argc < 4)
		die("usage: faults ROUNDS PAGES CPUS...");
	rounds = atoi(argv[1]);
	pages = atoi(argv[2]);
	for (int i = 3; i < argc && n < WORKERS_MAX; i++) {
		cpus[n] = atoi(argv[i]);
		if (cpus[n] < 1 || cpus[n] > WORKERS_MAX)
			die("1 to %d processors", WORKERS_MAX);
		n++;
	}
	if (rounds < 1 || pages < 1 || pages > 512 - WARM_PAGES)
		die("1 round or more of 1 to %d pages", 512 - WARM_PAGES);

	device = morsel_device_open();
	if (device < 0)
		die("%s: %s", MORSEL_DEVICE, strerror(-device));
	race = mmap(NULL, sizeof(*race), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (race == MAP_FAILED)
		die("mmap: %s", strerror(errno));

	for (unsigned int i = 0; i < ARRAY_SIZE(peers); i++)
		run(&peers[i], &ways[0], cpus[n - 1], pages, false);
	for (unsigned int i = 0; i < ARRAY_SIZE(ways); i++)
		runs(&ways[i], cpus, n, pages, rounds);
	return 0;
}

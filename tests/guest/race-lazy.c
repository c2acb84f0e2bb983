// SPDX-License-Identifier: GPL-2.0-only
/*
 * Detaching while a processor is lazy: the thread that used the page sleeps, and
 * its processor idles or runs a kernel thread, still in that address space and
 * with its TLB as it was; or it runs another process for a while; or it is taken
 * offline and comes back.  The first thing that the thread reads when it wakes is
 * what is there now.
 *
 * The emulator has no PCID and forgets all translations when a processor changes
 * the address space, with page-table isolation at every system call.  So this can
 * fail without isolation only, and what protects who comes back from another
 * address space (the generation alone) is seen on a real processor only.
 */
#include "guest.h"

#include <pthread.h>
#include <sched.h>

#define RUN 8 /* pages that are punched together */
#define ONLINE "/sys/devices/system/cpu/cpu1/online"

struct arena {
	unsigned int order;
	int fd, other;
	char *p;
	uint64_t page;
	int ask[2], nudge[2];
	_Atomic uint64_t expected;
	atomic_bool there; /* or no access */
	atomic_int stop, failed, asked, answered;
	atomic_ulong changes, lazy, offline;
};

/* Reads, sleeps, and reads: the first instructions after the system call. */
static void *sleeper(void *arg)
{
	struct arena *a = arg;
	char c;

	while (read(a->ask[0], &c, 1) == 1) {
		uint64_t value = 0;
		bool seen = peek(word(a->p, a->page), &value);

		if (seen != a->there || (seen && value != a->expected)) {
			note("order %u: it sees %d, %#llx, not %d, %#llx",
			     a->order, seen, (unsigned long long)value,
			     a->there, (unsigned long long)a->expected);
			a->failed = 1;
		}
		/* Gone while the processor was offline. */
		a->lazy += run_on(1) && sched_getcpu() == 1;
		peek(word(a->p, a->page), &value);
		a->answered++;
	}
	return NULL;
}

static void ask(struct arena *a)
{
	double limit = now() + 20;

	a->asked++;
	if (write(a->ask[1], "", 1) != 1)
		bail("pipe: %s", strerror(errno));
	while (a->answered < a->asked && now() < limit)
		usleep(50);
	if (a->answered < a->asked)
		bail("nobody answers");
	/* Until it sleeps. */
	usleep(200 + random64() % 800);
}

/* Another address space on the sleeper's processor. */
static int neighbour(void *arg)
{
	struct arena *a = arg;
	char c;

	close(a->nudge[1]);
	while (read(a->nudge[0], &c, 1) == 1)
		run_on(1);
	return 0;
}

static void occupy(struct arena *a)
{
	static char text[4096];
	int fd;

	switch (random64() % 3) {
	case 0: /* a kernel thread on each processor */
		fd = open("/proc/sys/vm/stat_refresh", O_RDONLY | O_CLOEXEC);
		if (fd < 0 || read(fd, text, sizeof(text)) < 0)
			bail("stat_refresh: %s", strerror(errno));
		close(fd);
		break;
	case 1:
		if (write(a->nudge[1], "", 1) != 1)
			bail("pipe: %s", strerror(errno));
		usleep(200);
		break;
	}
}

static void map_over(struct arena *a, int fd)
{
	if (mmap(a->p, morsel_size(a->order), RW, MAP_SHARED | MAP_FIXED, fd,
		 0) != a->p)
		bail("mmap: %s", strerror(errno));
}

/*
 * Nothing here unmaps but what is to be tested: the kernel's own flush makes up
 * for ours wherever it has any entry to clear or any table to free.
 */
static void change(struct arena *a, uint64_t number)
{
	size_t size = morsel_size(a->order);
	uint64_t done;

	for (int i = RUN - 1; i >= 0; i--)
		*word(a->p, a->page + i) = number;
	a->expected = number;
	a->there = true;
	ask(a);
	occupy(a);
	switch (random64() % 5) {
	case 0:
	case 1:
		if (morsel_punch(a->fd, a->page * PAGE, RUN * PAGE, &done))
			bail("punch");
		a->expected = 0;
		if (random64() % 2)
			break;
		/* It gets one frame, and others the one that it had. */
		for (int i = 0; i < RUN; i++)
			*word(a->p, a->page + i) = number + 1 + i;
		a->expected = number + 1;
		break;
	case 2:
		if (mprotect(a->p, size, PROT_NONE))
			bail("mprotect: %s", strerror(errno));
		a->there = false;
		break;
	case 3:
		if (munmap(a->p, size))
			bail("munmap: %s", strerror(errno));
		a->there = false;
		break;
	case 4: /* another morsel at the same address */
		map_over(a, a->other);
		*word(a->p, a->page) = number + 1;
		a->expected = number + 1;
		break;
	}
	occupy(a);
	ask(a);
	map_over(a, a->fd);
	a->changes++;
}

/* The sleeper's processor goes and comes. */
static int plug(void *arg)
{
	struct arena *a = arg;

	while (!a->stop) {
		usleep(100000 + random64() % 300000);
		put_text(ONLINE, "0");
		usleep(random64() % 50000);
		put_text(ONLINE, "1");
		a->offline++;
	}
	return 0;
}

static bool raced(const struct arena *a, bool plugs)
{
	return a->changes > 10 && a->lazy > 10 && (!plugs || a->offline);
}

static void lazy(unsigned int order)
{
	struct arena *a = shared(sizeof(*a));
	bool plugs = !access(ONLINE, W_OK);
	pid_t other, plugger = 0;
	pthread_t thread;
	double start;

	a->order = order;
	a->fd = create(order, NULL);
	a->other = create(order, NULL);
	a->p = (char *)free_addr(order, 1);
	a->page = pages_of(order) / 2;
	if (pipe2(a->ask, O_CLOEXEC) || pipe2(a->nudge, O_CLOEXEC))
		bail("pipe: %s", strerror(errno));
	other = spawn(neighbour, a);
	if (plugs)
		plugger = spawn(plug, a);
	map_over(a, a->fd);
	pthread_create(&thread, NULL, sleeper, a);
	run_on(0);
	start = now();
	for (uint64_t number = RUN;
	     !a->failed && goes_on(start, raced(a, plugs)); number += RUN)
		change(a, number);
	start = now() - start;
	a->stop = 1;
	close(a->ask[1]);
	close(a->nudge[1]);
	pthread_join(thread, NULL);
	run_anywhere();
	is(reap(other), 0, "order %u: the neighbour", order);
	if (plugs)
		is(reap(plugger), 0, "order %u: the processor came and went",
		   order);
	else
		skip("the processor comes and goes", "it cannot");
	note("%lu changes, %lu sleeps on the other processor, %lu times "
	     "offline, in %.1f s",
	     a->changes, a->lazy, a->offline, start);
	ok(!a->failed, "order %u: who wakes sees what is there", order);
	ok(raced(a, plugs), "order %u: there was a race", order);
	close(a->ask[0]);
	close(a->nudge[0]);
	unmap(a->p, order);
	destroy(a->fd);
	destroy(a->other);
	munmap(a, sizeof(*a));
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	split_time(max_order());
	for (unsigned int order = 1; order <= max_order() && !tap_failed; order++)
		lazy(order);
	return guest_done();
}

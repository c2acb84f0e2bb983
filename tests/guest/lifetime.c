// SPDX-License-Identifier: GPL-2.0-only
/*
 * What ends or copies an address space - fork, exec, exit, SIGKILL - leaves
 * the content alone.
 */
#include "guest.h"

#include <signal.h>
#include <sys/prctl.h>

#define N 512 /* pages with a stamp */
#define KILLS 25

struct arena {
	unsigned int order;
	uint64_t id;
	char *p;
	atomic_int step;
};

/*
 * Inherited mapping: sees what the parent wrote and writes what the parent
 * sees.
 */
static int forked(void *arg)
{
	struct arena *a = arg;

	need(bad_stamps(a->p, a->order, N) == 0);
	word(a->p, 1)[1] = 0xc0ffee;
	a->step++;
	await(&a->step, 2);
	need(word(a->p, 1)[1] == 0xbeef);
	return 0;
}

static void fork_shares(struct arena *a, int fd)
{
	pid_t pid;

	a->step = 0;
	a->p = map(fd, RW);
	put_stamps(a->p, a->order, N);
	pid = spawn(forked, a);
	await(&a->step, 1);
	is(word(a->p, 1)[1], 0xc0ffee,
	   "order %u: the parent sees the child's write", a->order);
	is(info(fd).attachments, 2, "order %u: both are attached", a->order);
	is(info(fd).mappings, 2, "order %u: both have it mapped", a->order);
	word(a->p, 1)[1] = 0xbeef;
	a->step = 2;
	is(reap(pid), 0, "order %u: the child sees the parent's", a->order);
	is(info(fd).attachments, 1, "order %u: the child's exit detached it",
	   a->order);
	is(bad_stamps(a->p, a->order, N), 0,
	   "order %u: the parent still has the content", a->order);
	unmap(a->p, a->order);
}

static int grandchild(void *arg)
{
	struct arena *a = arg;

	need(bad_stamps(a->p, a->order, N) == 0);
	return 0;
}

/* A child that never touches its copy forks again, and goes first. */
static int untouched(void *arg)
{
	pid_t pid = spawn(grandchild, arg);

	need(reap(pid) == 0);
	return 0;
}

static int exec_away(void *arg)
{
	struct arena *a = arg;
	char addr[32];

	a->p = map_id(a->id, RW);
	need(bad_stamps(a->p, a->order, N) == 0);
	snprintf(addr, sizeof(addr), "%p", (void *)a->p);
	execl("/proc/self/exe", "lifetime", "--", addr, NULL);
	return 1;
}

/* The program exec_away() becomes. */
static int after_exec(char *addr)
{
	need(probe(addr, READ));
	need(stats().attachments == 0);
	return 0;
}

static int leave(void *arg)
{
	struct arena *a = arg;

	a->p = map_id(a->id, RW);
	need(bad_stamps(a->p, a->order, N) == 0);
	return 0;
}

static void check(struct arena *a, int fd, const char *what)
{
	is(info(fd).attachments, 0, "order %u: nothing is attached after %s",
	   a->order, what);
	is(info(fd).mappings, 0, "order %u: nothing is mapped after %s",
	   a->order, what);
	is(info(fd).descriptors, 1, "order %u: nothing is open after %s",
	   a->order, what);
	a->p = map(fd, R);
	is(bad_stamps(a->p, a->order, N), 0, "order %u: content after %s",
	   a->order, what);
	unmap(a->p, a->order);
}

/* Maps, reads, writes, changes rights, forks and unmaps until it is killed. */
static int restless(void *arg)
{
	struct arena *a = arg;
	uint64_t page;
	char *p;

	for (;;) {
		p = map_id(a->id, RW);
		a->step = 1;
		for (int i = 0; i < 8; i++) {
			page = spread(a->order, random64() % N, N);
			need(*word(p, page) == stamp(page));
			*word(p, page) = stamp(page);
		}
		madvise(p, morsel_size(a->order), MADV_DONTNEED);
		need(!probe(p, WRITE));
		if (random64() % 4 == 0)
			need(reap(spawn(grandchild,
					&(struct arena){ .order = a->order,
							 .p = p })) == 0);
		mprotect(p, morsel_size(a->order), R);
		need(!probe(p, READ));
		unmap(p, a->order);
	}
}

static void kills(struct arena *a)
{
	int odd = 0;

	for (int i = 0; i < KILLS; i++) {
		pid_t pid;

		a->step = 0;
		pid = spawn(restless, a);
		await(&a->step, 1);
		usleep(random64() % 20000);
		kill(pid, SIGKILL);
		odd += reap(pid) != -SIGKILL;
	}
	is(odd, 0, "order %u: %d processes were well until SIGKILL", a->order,
	   KILLS);
	/* Children of theirs, who have the descriptor too, are ours by now. */
	while (waitpid(-1, NULL, 0) > 0)
		;
}

int main(int argc, char **argv)
{
	struct arena *a;

	guest_init(argc, argv);
	if (optind < argc)
		return after_exec((char *)strtoull(argv[optind], NULL, 0));
	a = shared(sizeof(*a));
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (a->order = 1; a->order <= max_order(); a->order++) {
		int fd = create(a->order, &a->id);

		fork_shares(a, fd);
		a->p = map(fd, RW);
		is(reap(spawn(untouched, a)), 0,
		   "order %u: content in a grandchild", a->order);
		unmap(a->p, a->order);
		check(a, fd, "fork");
		is(reap(spawn(exec_away, a)), 0,
		   "order %u: exec takes the mapping away", a->order);
		check(a, fd, "exec");
		is(reap(spawn(leave, a)), 0, "order %u: exit", a->order);
		check(a, fd, "exit");
		kills(a);
		check(a, fd, "SIGKILL");
		destroy(fd);
	}
	return guest_done();
}

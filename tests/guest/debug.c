// SPDX-License-Identifier: GPL-2.0-only
/*
 * A debugger, by ptrace() and as gdb, reads and writes a morsel of the process
 * it looks at, and whoever shares that morsel sees what it wrote.
 */
#include "guest.h"

#include <signal.h>

#include <sys/ptrace.h>

#define N 512 /* pages with a stamp */
#define ORDERS (MORSEL_ORDER_MAX + 1)

/* A process to look at: one morsel of each order, and nothing to do. */
struct victim {
	char *p[ORDERS];
	int fd[ORDERS];
	uint64_t id[ORDERS];
	unsigned int orders;
	atomic_int ready;
};

static int idle(void *arg)
{
	struct victim *v = arg;

	for (unsigned int order = 0; order < v->orders; order++)
		v->p[order] = map_id(v->id[order], RW);
	v->ready = 1;
	pause();
	return 0;
}

/* Where to look: at the first and at the last page with a stamp. */
static int places(unsigned int order)
{
	return order ? 2 : 1;
}

static uint64_t page_at(unsigned int order, int i)
{
	uint64_t n = N < pages_of(order) ? N : pages_of(order);

	return spread(order, i ? n - 1 : 0, n);
}

static void by_ptrace(struct victim *v, pid_t pid, unsigned int order, char *p)
{
	int status;

	if (ptrace(PTRACE_SEIZE, pid, 0, 0) ||
	    ptrace(PTRACE_INTERRUPT, pid, 0, 0) ||
	    waitpid(pid, &status, 0) != pid)
		bail("ptrace: %s", strerror(errno));
	for (int i = 0; i < places(order); i++) {
		uint64_t page = page_at(order, i);
		char *there = v->p[order] + page * PAGE;

		errno = 0;
		is(ptrace(PTRACE_PEEKDATA, pid, there, 0), stamp(page),
		   "order %u: ptrace reads page %#llx", order,
		   (unsigned long long)page);
		is(ptrace(PTRACE_POKEDATA, pid, there + 16, 0x5eed + i), 0,
		   "order %u: ptrace writes there", order);
		is(word(p, page)[2], 0x5eed + i,
		   "order %u: another process sees it", order);
		is(ptrace(PTRACE_PEEKDATA, pid, there + 16, 0), 0x5eed + i,
		   "order %u: ptrace reads it", order);
		word(p, page)[2] = 0;
	}
	ptrace(PTRACE_DETACH, pid, 0, 0);
}

/* Starts slowly: once for all orders. */
static void by_gdb(struct victim *v, pid_t pid, char **p)
{
	char command[8192], line[256];
	uint64_t seen[2 * ORDERS] = { 0 };
	size_t len;
	FILE *out;

	len = snprintf(command, sizeof(command), "gdb -nx -batch -p %d", pid);
	for (unsigned int order = 0; order < v->orders; order++)
		for (int i = 0; i < places(order); i++) {
			uint64_t page = page_at(order, i);
			char *there = v->p[order] + page * PAGE;

			len += snprintf(
				command + len, sizeof(command) - len,
				" -ex 'printf \"word %u: %%lx\\n\", *(unsigned long *)%p'"
				" -ex 'set {unsigned long}%p = 0x%x'",
				2 * order + i, there, there + 16,
				0xdeb + 2 * order + i);
		}
	snprintf(command + len, sizeof(command) - len, " 2>&1");
	out = popen(command, "re");
	if (!out)
		bail("gdb: %s", strerror(errno));
	while (fgets(line, sizeof(line), out)) {
		unsigned long value;
		unsigned int which;

		if (sscanf(line, "word %u: %lx", &which, &value) == 2 &&
		    which < 2 * ORDERS)
			seen[which] = value;
	}
	is(pclose(out), 0, "gdb ran");
	for (unsigned int order = 0; order < v->orders; order++)
		for (int i = 0; i < places(order); i++) {
			uint64_t page = page_at(order, i);

			is(seen[2 * order + i], stamp(page),
			   "order %u: gdb reads page %#llx", order,
			   (unsigned long long)page);
			is(word(p[order], page)[2], 0xdeb + 2 * order + i,
			   "order %u: another process sees what gdb wrote",
			   order);
		}
}

int main(int argc, char **argv)
{
	struct victim *v;
	char *p[ORDERS];
	pid_t pid;

	guest_init(argc, argv);
	v = shared(sizeof(*v));
	v->orders = max_order() + 1;
	for (unsigned int order = 0; order < v->orders; order++)
		v->fd[order] = create(order, &v->id[order]);
	/* What it has never touched itself is for the debugger to attach. */
	pid = spawn(idle, v);
	await(&v->ready, 1);
	for (unsigned int order = 0; order < v->orders; order++) {
		p[order] = map(v->fd[order], RW);
		put_stamps(p[order], order, N);
		by_ptrace(v, pid, order, p[order]);
		is(bad_stamps(p[order], order, N), 0, "order %u: content",
		   order);
	}
	by_gdb(v, pid, p);
	is(waitpid(pid, NULL, WNOHANG), 0, "the process is well");
	kill(pid, SIGKILL);
	reap(pid);
	for (unsigned int order = 0; order < v->orders; order++) {
		is(bad_stamps(p[order], order, N), 0, "order %u: content",
		   order);
		unmap(p[order], order);
		destroy(v->fd[order]);
	}
	return guest_done();
}

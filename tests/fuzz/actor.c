// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes that run one command each time they are told to.  They know nothing
 * of the model, and may be killed at any time.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/futex.h>
#include <sched.h>
#include <setjmp.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 60 /* seconds for one command */

struct actor actors[ACTORS_MAX];
unsigned int n_actors = 4;

static int sockets[2] = { -1, -1 };
static const char *disk;
static sigjmp_buf env;
static volatile sig_atomic_t may_fault;

static void on_fault(int sig)
{
	if (may_fault)
		siglongjmp(env, sig);
	signal(sig, SIG_DFL);
}

static long sys_result(long ret)
{
	return ret == -1 ? -errno : ret;
}

static void copy(char *to, const char *from)
{
	__asm__ volatile("rep movsb"
			 : "+D"(to), "+S"(from)
			 : "c"(PAGE)
			 : "memory");
}

static long by_cpu(char *to, const char *from)
{
	int sig = sigsetjmp(env, 1);

	may_fault = !sig;
	if (!sig)
		copy(to, from);
	may_fault = 0;
	return sig ? -4096 - sig : 0;
}

static void probe(struct probe *p)
{
	int sig = sigsetjmp(env, 1);

	may_fault = !sig;
	if (!sig)
		p->value = *(volatile uint64_t *)p->addr;
	may_fault = 0;
	p->sig = sig;
}

static long whole(long ret)
{
	ret = sys_result(ret);
	return ret < 0 ? ret : ret == (long)PAGE ? 0 : -EIO;
}

static long by_proc(struct slot *s, bool write)
{
	char path[64];
	long ret;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/mem", s->command.args[0]);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = whole(write ? pwrite(fd, s->buffer, PAGE, s->command.args[1]) :
			    pread(fd, s->buffer, PAGE, s->command.args[1]));
	close(fd);
	return ret;
}

static long by_pipe(struct slot *s)
{
	void *p = (void *)s->command.args[1];
	struct iovec iov = { p, PAGE };
	int fds[2];
	long ret;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	if (s->command.what == DO_PIPE_WRITE) {
		ret = whole(write(fds[1], s->buffer, PAGE));
		ret = ret ?: whole(read(fds[0], p, PAGE));
	} else {
		ret = whole(s->command.what == DO_PIPE_READ ?
				    write(fds[1], p, PAGE) :
				    vmsplice(fds[1], &iov, 1, 0));
		ret = ret ?: whole(read(fds[0], s->buffer, PAGE));
	}
	close(fds[0]);
	close(fds[1]);
	return ret;
}

static long by_disk(struct slot *s)
{
	void *p = (void *)s->command.args[1];
	bool out = s->command.what == DO_DISK_READ;
	char path[64];
	int fd, direct;
	long ret;

	snprintf(path, sizeof(path), "%s/%d", disk, getpid());
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	direct = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	unlink(path);
	if (fd < 0 || direct < 0)
		return -ENOTDIR;
	if (out) {
		ret = whole(pwrite(direct, p, PAGE, 0));
		ret = ret ?: whole(pread(fd, s->buffer, PAGE, 0));
	} else {
		ret = whole(pwrite(fd, s->buffer, PAGE, 0));
		ret = ret ?: sys_result(fdatasync(fd));
		ret = ret ?: whole(pread(direct, p, PAGE, 0));
	}
	close(fd);
	close(direct);
	return ret;
}

static long put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	long ret;

	if (fd < 0)
		return -errno;
	ret = sys_result(write(fd, text, strlen(text)));
	close(fd);
	return ret < 0 ? ret : 0;
}

static void serve(unsigned int a);

/* A child of the coordinator, not of the actor, which may be killed before it. */
static long fork_into(unsigned int a)
{
	long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);

	if (!pid)
		serve(a);
	return sys_result(pid);
}

static long run(struct slot *s)
{
	struct command *c = &s->command;
	long *p = c->args;

	switch (c->what) {
	case DO_SYSCALL:
		return sys_result(
			syscall(c->nr, p[0], p[1], p[2], p[3], p[4], p[5]));
	case DO_READ:
		return by_cpu(s->buffer, (char *)p[1]);
	case DO_WRITE:
		return by_cpu((char *)p[1], s->buffer);
	case DO_PROC_READ:
	case DO_PROC_WRITE:
		return by_proc(s, c->what == DO_PROC_WRITE);
	case DO_PIPE_READ:
	case DO_PIPE_WRITE:
	case DO_SPLICE_READ:
		return by_pipe(s);
	case DO_DISK_READ:
	case DO_DISK_WRITE:
		return by_disk(s);
	case DO_PUT:
		return put((char *)p[0], (char *)p[1]);
	case DO_FORK:
		return fork_into(p[0]);
	case DO_SEND:
		return morsel_fd_send(sockets[0], p[0]);
	case DO_RECEIVE:
		return morsel_fd_recv(sockets[1]);
	}
	return -ENOSYS;
}

static void futex(atomic_uint *word, int op, unsigned int value)
{
	struct timespec second = { .tv_sec = 1 };

	syscall(SYS_futex, word, op, value, &second, NULL, 0);
}

static void pass(struct slot *s)
{
	atomic_fetch_add(&s->turn, 1);
	futex(&s->turn, FUTEX_WAKE, 1);
}

static void be(unsigned int id)
{
	setfsgid(id);
	setfsuid(id);
	/* Another identity forgets it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void serve(unsigned int a)
{
	struct sigaction action = { .sa_handler = on_fault };
	struct slot *s = actors[a].slot;
	unsigned int turn;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	setgroups(0, NULL);
	for (;;) {
		while (!((turn = s->turn) & 1))
			futex(&s->turn, FUTEX_WAIT, turn);
		if (s->command.as_user)
			be(USER);
		for (unsigned int i = 0; i < s->n_probes; i++)
			probe(&s->probes[i]);
		s->command.ret = run(s);
		for (unsigned int i = 0; i < s->n_probes; i++)
			probe(&s->probes[i]);
		if (s->command.as_user)
			be(0);
		pass(s);
	}
}

void actors_init(const char *directory)
{
	struct timeval second = { .tv_sec = 10 };

	disk = directory;
	for (unsigned int a = 0; a < n_actors; a++) {
		actors[a].slot = mmap(NULL, sizeof(struct slot), R | W,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (actors[a].slot == MAP_FAILED)
			bail("shared memory: %s", strerror(errno));
	}
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sockets))
		bail("socketpair: %s", strerror(errno));
	setsockopt(sockets[1], SOL_SOCKET, SO_RCVTIMEO, &second,
		   sizeof(second));
}

void actor_start(unsigned int a)
{
	pid_t pid;

	actors[a].slot->turn = 0;
	pid = fork();
	if (pid < 0)
		bail("fork: %s", strerror(errno));
	if (!pid)
		serve(a);
	actors[a].pid = pid;
}

void actor_kill(unsigned int a)
{
	if (!actors[a].pid)
		return;
	kill(actors[a].pid, SIGKILL);
	if (waitpid(actors[a].pid, NULL, 0) != actors[a].pid)
		bail("waitpid: %s", strerror(errno));
	actors[a].pid = 0;
}

void actors_drain(void)
{
	char byte;

	/* What comes with a message that nobody takes is closed. */
	while (recv(sockets[1], &byte, 1, MSG_DONTWAIT) >= 0)
		;
}

long actor_run(unsigned int a)
{
	struct slot *s = actors[a].slot;
	double start = now();
	unsigned int turn;
	int status;

	pass(s);
	while ((turn = s->turn) & 1) {
		futex(&s->turn, FUTEX_WAIT, turn);
		if (!(s->turn & 1))
			break;
		if (now() - start > PATIENCE)
			found("has not returned for %d s", PATIENCE);
		if (waitpid(actors[a].pid, &status, WNOHANG) == actors[a].pid) {
			actors[a].pid = 0;
			found("the process died, status %#x", status);
		}
	}
	return s->command.ret;
}

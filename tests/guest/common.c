// SPDX-License-Identifier: GPL-2.0-only
/* What all tests in a guest share; see common.h. */
#include "common.h"

#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>

#define PATIENCE 60.0 /* seconds that await() waits before it gives up */

static __thread sigjmp_buf probe_env;
static __thread volatile sig_atomic_t probing;

static void on_fault(int sig)
{
	if (probing)
		siglongjmp(probe_env, sig);
	signal(sig, SIG_DFL);
}

void catch_faults(void)
{
	struct sigaction action = { .sa_handler = on_fault };

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}

int probe(void *addr, enum access how)
{
	int sig = sigsetjmp(probe_env, 1);

	if (!sig) {
		probing = 1;
		if (how == READ)
			(void)*(volatile char *)addr;
		else if (how == WRITE) /* a write that changes nothing */
			__asm__ volatile("lock orb $0, %0"
					 : "+m"(*(volatile char *)addr));
		else if (((int (*)(void))addr)() != 42)
			sig = -1;
	}
	probing = 0;
	return sig;
}

bool peek(void *addr, uint64_t *value)
{
	int sig = sigsetjmp(probe_env, 1);

	if (!sig) {
		probing = 1;
		*value = *(volatile uint64_t *)addr;
	}
	probing = 0;
	return !sig;
}

bool poke(void *addr, uint64_t value)
{
	int sig = sigsetjmp(probe_env, 1);

	if (!sig) {
		probing = 1;
		*(volatile uint64_t *)addr = value;
	}
	probing = 0;
	return !sig;
}

void put_code(void *addr)
{
	/* mov $42, %eax; ret */
	memcpy(addr, (char[]){ 0xb8, 42, 0, 0, 0, 0xc3 }, 6);
}

bool run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return !sched_setaffinity(0, sizeof(set), &set);
}

void run_anywhere(void)
{
	cpu_set_t set;

	memset(&set, 0xff, sizeof(set));
	sched_setaffinity(0, sizeof(set), &set);
}

pid_t spawn(int (*fn)(void *arg), void *arg)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		bail("fork: %s", strerror(errno));
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(98);
	_exit(fn(arg));
}

int reap(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		bail("waitpid: %s", strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void *shared(size_t size)
{
	void *p = mmap(NULL, size, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		bail("shared memory: %s", strerror(errno));
	return p;
}

void await(atomic_int *step, int value)
{
	double limit = now() + PATIENCE;

	while (atomic_load(step) < value) {
		if (now() > limit)
			bail("step %d never came", value);
		sched_yield();
	}
}

void put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		bail("%s to %s: %s", text, path, strerror(errno));
	close(fd);
}

void get_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, size - 1);

	if (fd < 0 || n <= 0)
		bail("%s: %s", path, strerror(errno));
	text[n] = 0;
	close(fd);
}

/* As it was read: one value, or all there are with the chosen one in brackets. */
void put_back(const char *path, char *text)
{
	char *chosen = strchr(text, '[');

	if (chosen) {
		*strchr(chosen, ']') = 0;
		text = chosen + 1;
	}
	put_text(path, text);
}

uint64_t random64(void)
{
	static __thread uint64_t state;

	if (!state)
		state = (uint64_t)getpid() << 32 ^ (uint64_t)(now() * 1e9) ^
			(uintptr_t)&state;
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

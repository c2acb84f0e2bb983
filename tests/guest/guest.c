// SPDX-License-Identifier: GPL-2.0-only
/* What the guest tests share; see guest.h. */
#include "guest.h"

#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>

#define RUN 64 /* neighbours in spread() */
#define PATIENCE 60.0 /* seconds that await() waits before it gives up */

unsigned int opt_seconds = 1;
unsigned long opt_pages = 8192;

static int device_fd = -1;
static unsigned int races = 1;
static struct morsel_stats at_first;
static __thread sigjmp_buf probe_env;
static __thread volatile sig_atomic_t probing;

static void on_fault(int sig)
{
	if (probing)
		siglongjmp(probe_env, sig);
	signal(sig, SIG_DFL);
}

void guest_init(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_fault };
	int opt;

	setvbuf(stdout, NULL, _IONBF, 0);
	while ((opt = getopt(argc, argv, "s:n:")) != -1) {
		if (opt == 's')
			opt_seconds = strtoul(optarg, NULL, 0);
		else if (opt == 'n')
			opt_pages = strtoul(optarg, NULL, 0);
		else
			bail("usage: %s [-s SECONDS] [-n PAGES]", argv[0]);
	}
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	device_fd = morsel_device_open();
	if (device_fd < 0)
		bail("%s: %s", MORSEL_DEVICE, strerror(-device_fd));
	at_first = stats();
}

int guest_done(void)
{
	ok(same_stats(at_first, stats()), "all is given back");
	return done();
}

int device(void)
{
	return device_fd;
}

struct morsel_stats stats(void)
{
	struct morsel_stats s;
	int err = morsel_stats(device(), &s);

	if (err)
		bail("stats: %s", strerror(-err));
	return s;
}

unsigned int max_order(void)
{
	return stats().max_order;
}

bool same_stats(struct morsel_stats a, struct morsel_stats b)
{
	bool same = a.morsels == b.morsels && a.data_frames == b.data_frames &&
		    a.table_frames == b.table_frames &&
		    a.reserve_frames == b.reserve_frames &&
		    a.attachments == b.attachments;

	if (!same)
		note("morsels %lld -> %lld, data %lld -> %lld, "
		     "tables %lld -> %lld, reserve %lld -> %lld, "
		     "attachments %lld -> %lld",
		     a.morsels, b.morsels, a.data_frames, b.data_frames,
		     a.table_frames, b.table_frames, a.reserve_frames,
		     b.reserve_frames, a.attachments, b.attachments);
	return same;
}

int create(unsigned int order, uint64_t *id)
{
	int fd = morsel_create(device(), order, 0700, 0, id);

	if (fd < 0)
		bail("create order %u: %s", order, strerror(-fd));
	return fd;
}

struct morsel_info info(int fd)
{
	struct morsel_info i;
	int err = morsel_info(fd, &i);

	if (err)
		bail("info: %s", strerror(-err));
	return i;
}

int select_id(uint64_t id, unsigned int flags)
{
	int fd = morsel_open(device(), id, flags);

	if (fd < 0)
		bail("open %#llx: %s", (unsigned long long)id, strerror(-fd));
	return fd;
}

int try_open(uint64_t id, unsigned int flags)
{
	int fd = morsel_open(device(), id, flags);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? -fd : 0;
}

char *map(int fd, int prot)
{
	return map_at(fd, 0, prot);
}

char *map_at(int fd, uint64_t addr, int prot)
{
	void *p;
	int err = morsel_map(fd, (void *)addr, prot, 0, &p);

	if (err)
		bail("map order %u at %#llx, prot %d: %s", info(fd).order,
		     (unsigned long long)addr, prot, strerror(-err));
	return p;
}

char *map_id(uint64_t id, int prot)
{
	int fd = select_id(id, prot & W ? 0 : MORSEL_OPEN_RDONLY);
	char *p = map(fd, prot);

	close(fd);
	return p;
}

void unmap(void *addr, unsigned int order)
{
	int err = morsel_unmap(addr, order);

	if (err)
		bail("unmap order %u at %p: %s", order, addr, strerror(-err));
}

void destroy(int fd)
{
	int err = morsel_destroy(fd);

	if (err)
		bail("destroy order %u: %s", info(fd).order, strerror(-err));
	close(fd);
}

uint64_t free_addr(unsigned int order, unsigned int slot)
{
	/* Far from where the kernel puts programs, stacks and its own choices. */
	uint64_t base = order == 4 ? 16ull << 48 : 16ull << 40;

	return base + (slot + 1) * (order == 4 ? 1ull << 48 : 1ull << 40);
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

void put_code(void *addr)
{
	/* mov $42, %eax; ret */
	memcpy(addr, (char[]){ 0xb8, 42, 0, 0, 0, 0xc3 }, 6);
}

uint64_t spread(unsigned int order, uint64_t i, uint64_t n)
{
	if (n >= pages_of(order) || n < RUN)
		return i % pages_of(order);
	return i / RUN * (pages_of(order) / ((n + RUN - 1) / RUN)) + i % RUN;
}

static uint64_t at_most(unsigned int order, uint64_t n)
{
	return n < pages_of(order) ? n : pages_of(order);
}

void put_stamps(char *base, unsigned int order, uint64_t n)
{
	for (uint64_t i = 0; i < at_most(order, n); i++) {
		uint64_t page = spread(order, i, n);

		*word(base, page) = stamp(page);
	}
}

uint64_t bad_stamps(char *base, unsigned int order, uint64_t n)
{
	uint64_t bad = 0;

	for (uint64_t i = 0; i < at_most(order, n); i++) {
		uint64_t page = spread(order, i, n);

		if (*word(base, page) != stamp(page) && !bad++)
			note("page %#llx holds %#llx, not %#llx",
			     (unsigned long long)page,
			     (unsigned long long)*word(base, page),
			     (unsigned long long)stamp(page));
	}
	return bad;
}

uint64_t tables_for(unsigned int order, const uint64_t *pages, uint64_t n)
{
	uint64_t tables = order > 0;

	for (unsigned int shift = 9; shift < 9 * order; shift += 9)
		for (uint64_t i = 0; i < n; i++)
			tables += !i ||
				  pages[i] >> shift != pages[i - 1] >> shift;
	return tables;
}

uint64_t tables_for_spread(unsigned int order, uint64_t n)
{
	uint64_t *pages = calloc(n, sizeof(*pages)), tables;

	n = at_most(order, n);
	for (uint64_t i = 0; i < n; i++)
		pages[i] = spread(order, i, n);
	tables = tables_for(order, pages, n);
	free(pages);
	return tables;
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

unsigned long table_bytes(void)
{
	static char text[8192];
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text) - 1);
	char *line;

	close(fd);
	text[n > 0 ? n : 0] = 0;
	line = strstr(text, "VmPTE:");
	if (!line)
		bail("no VmPTE in /proc/self/status");
	return strtoul(line + strlen("VmPTE:"), NULL, 10) * 1024;
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

void split_time(unsigned int n)
{
	races = n;
}

bool goes_on(double start, bool enough)
{
	double passed = now() - start, share = (double)opt_seconds / races;

	if (share < 1)
		share = opt_seconds < 1 ? opt_seconds : 1;
	return passed < share || (!enough && passed < share + 60);
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

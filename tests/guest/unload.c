// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unloading the module: refused while anything of it lives, possible as soon
 * as nothing does, and as often as one likes without a byte left behind.
 */
#include "guest.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>

#define WARM_UP 50 /* cycles until the kernel's caches have their size */
#define CYCLES 1000
#define PINNED 4096 /* pages in a pipe */
#define LIVES 10 /* one cycle in so many has a morsel in it */

static int module_fd;
static struct stat node; /* of the device, as it was */

struct arena {
	uint64_t id; /* of what lives on, or 0 */
	atomic_int step;
};

static struct arena *arena;

static void module_find(void)
{
	static const char built[] = "-morsel"; /* by scripts/kernel-build */
	struct utsname name;
	char path[64], *kind;

	uname(&name);
	/* 6.12 of 6.12.117-amd64, 6.12-debug of 6.12.117-morsel-debug. */
	kind = strstr(name.release, built);
	kind = kind ? kind + strlen(built) : "";
	strchr(strchr(name.release, '.') + 1, '.')[0] = 0;
	snprintf(path, sizeof(path), "build/module-%.16s%.16s/morsel.ko",
		 name.release, kind);
	module_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (module_fd < 0 || stat(MORSEL_DEVICE, &node))
		bail("%s: %s", path, strerror(errno));
}

static int unload(void)
{
	return syscall(SYS_delete_module, "morsel", O_NONBLOCK) ? errno : 0;
}

/* What has just been dropped may take a moment to go. */
static int unload_soon(void)
{
	int err = unload();

	for (int i = 0; i < 500 && err == EAGAIN; i++) {
		usleep(10000);
		err = unload();
	}
	return err;
}

static void load(void)
{
	if (syscall(SYS_finit_module, module_fd, "", 0))
		bail("load: %s", strerror(errno));
	if (chown(MORSEL_DEVICE, node.st_uid, node.st_gid) ||
	    chmod(MORSEL_DEVICE, node.st_mode & 0777))
		bail("%s: %s", MORSEL_DEVICE, strerror(errno));
}

/* device() is closed but for a time: it would keep the module. */
static void device_reopen(void)
{
	int fd = morsel_device_open();

	if (fd < 0 || dup2(fd, device()) < 0)
		bail("%s: %s", MORSEL_DEVICE, strerror(fd < 0 ? -fd : errno));
	if (fd != device())
		close(fd);
}

static void device_close(void)
{
	close(device());
}

static int take_device(void)
{
	return open(MORSEL_DEVICE, O_RDWR | O_CLOEXEC) < 0;
}

static int take_descriptor(void)
{
	return create(2, &arena->id) < 0;
}

static int take_mapping(void)
{
	int fd = create(2, &arena->id);
	char *p = map(fd, RW);

	*word(p, 7) = 1;
	close(fd);
	return 0;
}

static int take_untouched_mapping(void)
{
	int fd = create(2, &arena->id);

	map(fd, R);
	close(fd);
	return 0;
}

static int leave_object(void)
{
	close(create(2, &arena->id));
	return 0;
}

static int leave_meta(void)
{
	int fd = morsel_create_at(device(), 2, 0700, 0, free_addr(2, 0),
				  &arena->id);

	need(fd >= 0);
	close(fd);
	return 0;
}

static int ephemeral(void)
{
	return morsel_create(device(), 2, 0700, MORSEL_CREATE_EPHEMERAL, NULL);
}

static int take_ephemeral(void)
{
	return ephemeral() < 0;
}

static int take_ephemeral_mapping(void)
{
	int fd = ephemeral();

	*word(map(fd, RW), 7) = 1;
	close(fd);
	return 0;
}

static int dead_descriptor(void)
{
	int fd = create(2, NULL);

	need(!morsel_destroy(fd));
	return fd;
}

static int take_dead(void)
{
	dead_descriptor();
	return 0;
}

static int send_away(int fd)
{
	int pair[2];

	need(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	need(!morsel_fd_send(pair[0], fd));
	close(fd);
	return 0;
}

static int send_descriptor(void)
{
	return send_away(create(2, &arena->id));
}

static int send_dead(void)
{
	return send_away(dead_descriptor());
}

/* What keeps the module while a child has taken it. */
static const struct keeper {
	const char *what;
	int (*take)(void);
} keepers[] = {
	{ "an open device", take_device },
	{ "a descriptor", take_descriptor },
	{ "a mapping without descriptor", take_mapping },
	{ "a mapping never touched", take_untouched_mapping },
	{ "a morsel without descriptor", leave_object },
	{ "a meta morsel", leave_meta },
	{ "an ephemeral morsel that is open", take_ephemeral },
	{ "an ephemeral morsel that is mapped", take_ephemeral_mapping },
	{ "the descriptor of a dead morsel", take_dead },
	{ "a descriptor in a socket", send_descriptor },
	{ "the descriptor of a dead morsel in a socket", send_dead },
};

static int keep(void *arg)
{
	const struct keeper *keeper = arg;

	device_reopen();
	need(!keeper->take());
	device_close();
	arena->step = 1;
	await(&arena->step, 2);
	return 0;
}

/*
 * EAGAIN is what delete_module() says of a module that has users; EBUSY would
 * be one that is still being loaded or already unloaded.
 */
static void kept(const struct keeper *keeper)
{
	pid_t pid;

	*arena = (struct arena){ 0 };
	pid = spawn(keep, (void *)keeper);
	await(&arena->step, 1);
	is(unload(), EAGAIN, "kept by %s: EAGAIN", keeper->what);
	arena->step = 2;
	is(reap(pid), 0, "which then goes");
	if (arena->id) {
		usleep(20000);
		is(unload(), EAGAIN, "kept by the morsel that is left: EAGAIN");
		device_reopen();
		destroy(select_id(arena->id, 0));
		device_close();
	}
	is(unload_soon(), 0, "and nothing keeps the module");
	load();
}

/*
 * Of /proc/meminfo, and by how many KiB each may have grown after CYCLES.  Free
 * pages that a processor keeps for itself are not in MemFree; how many it may
 * keep varies by megabytes, so they are added.
 */
enum { FREE, COUNTERS = 4 };

static const struct counter {
	const char *name;
	int sign; /* of growth */
	long most;
} counters[] = {
	[FREE] = { "MemFree", -1, 256 },
	{ "SUnreclaim", 1, 128 },
	{ "Percpu", 1, 16 },
	{ "VmallocUsed", 1, 64 },
};

static long kept_by_processors(void)
{
	FILE *f = fopen("/proc/zoneinfo", "r");
	char line[128];
	long pages, sum = 0;
	int found = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " count: %ld", &pages) == 1) {
			sum += pages;
			found = 1;
		}
	if (!found)
		bail("/proc/zoneinfo says nothing of processors");
	fclose(f);
	return sum * (long)(PAGE / 1024);
}

static void measure(long kib[COUNTERS])
{
	char line[128], key[64];
	long value;
	FILE *f;

	put_text("/proc/sys/vm/drop_caches", "3");
	f = fopen("/proc/meminfo", "r");
	if (!f)
		bail("/proc/meminfo: %s", strerror(errno));
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%63[^:]: %ld", key, &value) == 2)
			for (int i = 0; i < COUNTERS; i++)
				if (!strcmp(key, counters[i].name))
					kib[i] = value;
	fclose(f);
	kib[FREE] += kept_by_processors();
}

/* Pages that a pipe has are no longer the morsel's, nor the module's. */
static void pinned(void)
{
	size_t size = PINNED * PAGE, got = 0, wrong = 0;
	long before[COUNTERS] = { 0 }, after[COUNTERS] = { 0 };
	char page[PAGE], *p;
	int fd, pipes[2];

	device_reopen();
	fd = create(2, NULL);
	p = map(fd, RW);
	for (uint64_t i = 0; i < PINNED; i++)
		*word(p, i) = stamp(i);
	if (pipe2(pipes, O_CLOEXEC) || fcntl(pipes[1], F_SETPIPE_SZ, size) < 0)
		bail("pipe: %s", strerror(errno));
	while (got < size) {
		struct iovec iov = { p + got, size - got };
		ssize_t n = vmsplice(pipes[1], &iov, 1, SPLICE_F_NONBLOCK);

		if (n <= 0)
			bail("vmsplice of %zu: %s", size - got,
			     strerror(errno));
		got += n;
	}
	unmap(p, 2);
	destroy(fd);
	ok(same_stats((struct morsel_stats){ 0 }, stats()),
	   "the pages in a pipe are no frames of a morsel");
	device_close();
	is(unload_soon(), 0, "pinned pages do not keep the module");
	for (uint64_t i = 0; i < PINNED / 2; i++)
		wrong += read(pipes[0], page, PAGE) != (ssize_t)PAGE ||
			 *word(page, 0) != stamp(i);
	is(wrong, 0, "without it the pipe has what it had");
	measure(before);
	close(pipes[0]);
	close(pipes[1]);
	/* Perhaps a moment later. */
	for (int i = 0; i < 50; i++) {
		measure(after);
		if (after[FREE] - before[FREE] >= (long)(size / 2048) * 9 / 10)
			break;
		usleep(100000);
	}
	ok(after[FREE] - before[FREE] >= (long)(size / 2048) * 9 / 10,
	   "the end of the pipe gives %zu KiB back: %ld KiB", size / 2048,
	   after[FREE] - before[FREE]);
	load();
}

static int live(void *arg)
{
	unsigned int order = random64() % (max_order() + 1);
	int fd = create(order, NULL);
	char *p = map(fd, RW), *q = map(fd, R);

	(void)arg;
	put_stamps(p, order, 100);
	need(bad_stamps(q, order, 100) == 0);
	unmap(p, order);
	unmap(q, order);
	destroy(fd);
	return 0;
}

static void cycle(int n)
{
	for (int i = 0; i < n; i++) {
		int err = unload();

		if (err)
			bail("unload %d: %s", i, strerror(err));
		load();
		if (i % LIVES == 0) {
			device_reopen();
			if (live(NULL))
				bail("life %d", i);
			device_close();
		}
	}
}

/* The first counter that has grown too much, or -1. */
static int grown(const long before[COUNTERS], const long after[COUNTERS])
{
	for (int i = 0; i < COUNTERS; i++)
		if (counters[i].sign * (after[i] - before[i]) >
		    counters[i].most)
			return i;
	return -1;
}

static void cycles(void)
{
	long before[COUNTERS] = { 0 }, after[COUNTERS] = { 0 };
	double start;

	/* Most of a cycle would be waiting for grace periods. */
	put_text("/sys/kernel/rcu_expedited", "1");
	cycle(WARM_UP);
	measure(before);
	start = now();
	cycle(CYCLES);
	note("%d cycles in %.1f s", CYCLES, now() - start);
	put_text("/sys/kernel/rcu_expedited", "0");
	/* The kernel frees some of it a little later. */
	for (int i = 0; i < 50; i++) {
		measure(after);
		if (grown(before, after) < 0)
			break;
		usleep(100000);
	}
	for (int i = 0; i < COUNTERS; i++)
		ok(before[i] && counters[i].sign * (after[i] - before[i]) <=
					counters[i].most,
		   "%d cycles: %s was %ld and is %ld KiB", CYCLES,
		   counters[i].name, before[i], after[i]);
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	module_find();
	arena = shared(sizeof(*arena));
	device_close();
	for (size_t i = 0; i < sizeof(keepers) / sizeof(*keepers); i++)
		kept(&keepers[i]);
	pinned();
	cycles();
	device_reopen();
	return done();
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory cgroup: who writes first pays, however it is done, and gets it back
 * when the data go, whoever takes them away.  At the limit the kernel kills; what
 * was written lives on.
 */
#include "fs.h"

#include <signal.h>

#define GROUP "/sys/fs/cgroup/fs-test"
#define N 4096 /* pages */
/* What the counters of a cgroup may be off: 64 pages on each processor. */
#define SLACK (sysconf(_SC_NPROCESSORS_CONF) * 64 * PAGE + MIB)

static char buffer[MIB];

static uint64_t charged(void)
{
	char text[32];

	get_text(GROUP "/memory.current", text, sizeof(text));
	return strtoull(text, NULL, 10);
}

/* Whether no more than @bytes are charged, or soon will be. */
static bool charged_at_most(uint64_t bytes)
{
	for (int i = 0; i < 1000 && charged() > bytes; i++)
		usleep(10000);
	if (charged() > bytes)
		note("%llu bytes are charged", (unsigned long long)charged());
	return charged() <= bytes;
}

static void join(void)
{
	char self[16];

	snprintf(self, sizeof(self), "%d", getpid());
	put_text(GROUP "/cgroup.procs", self);
}

static int by_write(void *arg)
{
	int fd = file("paid", 0, 0);

	(void)arg;
	join();
	for (size_t done = 0; done < N * PAGE; done += sizeof(buffer))
		need(write(fd, buffer, sizeof(buffer)) == sizeof(buffer));
	return 0;
}

static int by_fault(void *arg)
{
	int fd = file("paid", 0, N * PAGE);
	char *p = map_file(fd, N * PAGE, RW, MAP_SHARED);

	(void)arg;
	join();
	for (size_t i = 0; i < N; i++)
		p[i * PAGE] = 'p';
	return 0;
}

static int by_fallocate(void *arg)
{
	int fd = file("paid", 0, 0);

	(void)arg;
	join();
	need(fallocate(fd, 0, 0, N * PAGE) == 0);
	return 0;
}

static int by_copy(void *arg)
{
	int from = file("unpaid", 0, 0), fd = file("paid", 0, 0);
	size_t done = 0;

	(void)arg;
	join();
	while (done < N * PAGE) {
		ssize_t n = copy_file_range(from, NULL, fd, NULL,
					    N * PAGE - done, 0);

		need(n > 0);
		done += n;
	}
	return 0;
}

static void pay(int (*how)(void *arg), const char *name)
{
	uint64_t before = charged(), all = N * PAGE;

	is(reap(spawn(how, NULL)), 0, "%s", name);
	ok(charged() + SLACK >= before + all, "is charged: %llu bytes",
	   (unsigned long long)(charged() - before));
	ok(charged_at_most(before + all + all / 16 + SLACK),
	   "and not much more");
	is(truncate("paid", all / 2), 0, "half of it is cut off");
	ok(charged_at_most(before + all / 2 + all / 16 + SLACK),
	   "that gives it back");
	ok(charged() + SLACK >= before + all / 2, "not more");
	is(unlink("paid"), 0, "the rest is unlinked");
	ok(charged_at_most(before + SLACK), "and given back");
}

/* Who reads or maps what is there pays nothing. */
static int reader(void *arg)
{
	int fd = file("unpaid", 0, 0);
	char *p = map_file(fd, N * PAGE, RW, MAP_SHARED);

	(void)arg;
	join();
	for (size_t i = 0; i < N; i++)
		p[i * PAGE]++;
	while (read(fd, buffer, sizeof(buffer)) > 0)
		;
	return 0;
}

static void unpaid(void)
{
	uint64_t before = charged();
	int fd = file("unpaid", 0, 0);

	for (size_t done = 0; done < N * PAGE; done += sizeof(buffer))
		if (write(fd, buffer, sizeof(buffer)) != sizeof(buffer))
			bail("write: %s", strerror(errno));
	close(fd);
	is(reap(spawn(reader, NULL)), 0, "who uses what somebody else wrote");
	ok(charged_at_most(before + SLACK), "pays nothing for it");
}

int main(int argc, char **argv)
{
	fs_init(argc, argv);
	put_text("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	if (mkdir(GROUP, 0755))
		bail("%s: %s", GROUP, strerror(errno));
	unpaid();
	pay(by_write, "write");
	pay(by_fault, "faults");
	pay(by_fallocate, "fallocate");
	pay(by_copy, "copy_file_range");
	is(rmdir(GROUP), 0, "the cgroup is empty");
	return fs_done();
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * At the limit of a memory cgroup, without swap: who writes is killed; what it had
 * written stays whole, and is not written again.  The kernel's log has the reports
 * of the OOM killer: vm/run --oom.
 */
#include "fs.h"

#include <signal.h>

#define GROUP "/sys/fs/cgroup/fs-oom"
#define N 8192 /* pages: twice the limit */
#define LIMIT "16M"

static atomic_long *written;

static void join(void)
{
	char self[16];

	snprintf(self, sizeof(self), "%d", getpid());
	put_text(GROUP "/cgroup.procs", self);
}

static int by_write(void *arg)
{
	int fd = file("oom", 0, 0);
	char page[PAGE];

	(void)arg;
	join();
	for (long i = 0; i < N; i++) {
		fill(page, i * PAGE, PAGE, 1);
		need(pwrite(fd, page, PAGE, i * PAGE) == PAGE);
		atomic_store(written, i + 1);
	}
	return 0;
}

static int by_fault(void *arg)
{
	char *p = map_file(file("oom", 0, N * PAGE), N * PAGE, RW, MAP_SHARED);

	(void)arg;
	join();
	for (long i = 0; i < N; i++) {
		fill(p + i * PAGE, i * PAGE, PAGE, 1);
		atomic_store(written, i + 1);
	}
	return 0;
}

static void exceed(int (*how)(void *arg), const char *name)
{
	long bad = 0, n;
	char page[PAGE];
	int fd;

	atomic_store(written, 0);
	is(reap(spawn(how, NULL)), -SIGKILL, "%s: killed at the limit", name);
	n = atomic_load(written);
	ok(n > N / 4 && n < N, "after %ld of %d pages", n, N);
	fd = file("oom", 0, 0);
	for (long i = 0; i < n; i++)
		bad += pread(fd, page, PAGE, i * PAGE) != PAGE ||
		       differ(page, i * PAGE, PAGE, 1);
	is(bad, 0, "what was written is there");
	is(pwrite(fd, page, PAGE, N * PAGE), PAGE,
	   "and who is not in the cgroup writes on");
	close(fd);
	is(unlink("oom"), 0, "unlinked");
	is(reap(spawn(how, NULL)), -SIGKILL, "once more");
	ok(atomic_load(written) > N / 4, "as far as before");
	unlink("oom");
}

int main(int argc, char **argv)
{
	fs_init(argc, argv);
	written = shared(sizeof(*written));
	put_text("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	if (mkdir(GROUP, 0755))
		bail("%s: %s", GROUP, strerror(errno));
	put_text(GROUP "/memory.max", LIMIT);
	exceed(by_write, "write");
	exceed(by_fault, "faults");
	is(rmdir(GROUP), 0, "the cgroup is empty");
	return fs_done();
}

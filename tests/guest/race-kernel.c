// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's own hands, all at once, while processes fault and check:
 * clear_refs on the very mapping, compaction, reclaim for the memory cgroup,
 * NUMA balancing (in a guest with two nodes) and khugepaged.  Each is shown to
 * have been at work on memory of the usual kind.
 */
#include "race.h"
#include "disk.h"

#include <sys/stat.h>

#define GROUP "/sys/fs/cgroup/race"
#define THP "/sys/kernel/mm/transparent_hugepage/"
#define NUMA "/sys/kernel/debug/sched/numa_balancing/"
#define HUGE_SIZE (512 * PAGE)
#define FILE_SIZE (8u << 20)

/* None of them is to pause, and none to think that it is not worth it. */
static const char *const knobs[][2] = {
	{ THP "enabled", "always" },
	{ THP "khugepaged/scan_sleep_millisecs", "10" },
	{ THP "khugepaged/alloc_sleep_millisecs", "10" },
	{ THP "khugepaged/pages_to_scan", "8192" },
	{ NUMA "scan_delay_ms", "1" },
	{ NUMA "scan_period_min_ms", "10" },
	{ NUMA "scan_period_max_ms", "20" },
	{ "/proc/sys/kernel/numa_balancing", "1" },
};

#define KNOBS (sizeof(knobs) / sizeof(*knobs))

static char were[KNOBS][64];

struct hands {
	atomic_int stop;
	atomic_ulong compactions, reclaims, cleared;
};

static struct hands *hands;

static bool two_nodes(void)
{
	return !access("/sys/devices/system/node/node1", F_OK);
}

/* Of a file of "name value" lines; 0 where there is none of that name. */
static unsigned long counter(const char *path, const char *name)
{
	unsigned long value, found = 0;
	FILE *f = fopen(path, "r");
	char key[64];

	if (!f)
		bail("%s: %s", path, strerror(errno));
	while (fscanf(f, "%63s %lu", key, &value) == 2)
		if (!strcmp(key, name))
			found = value;
	fclose(f);
	return found;
}

static int compact(void *unused)
{
	(void)unused;
	while (!hands->stop) {
		put_text("/proc/sys/vm/compact_memory", "1");
		hands->compactions++;
		usleep(10000);
	}
	return 0;
}

/* It fails when there is less to be had than it was told to get. */
static void try_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		bail("%s: %s", path, strerror(errno));
	if (write(fd, text, strlen(text)) < 0 && errno != EAGAIN)
		bail("%s to %s: %s", text, path, strerror(errno));
	close(fd);
}

/* With clean pages of a file, so that there is something to be had. */
static int reclaim(void *unused)
{
	static char buffer[65536];
	int fd = open(DISK "/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	(void)unused;
	for (unsigned int i = 0; i < FILE_SIZE / sizeof(buffer); i++)
		need(write(fd, buffer, sizeof(buffer)) == sizeof(buffer));
	need(!fsync(fd));
	while (!hands->stop) {
		need(lseek(fd, 0, SEEK_SET) == 0);
		while (read(fd, buffer, sizeof(buffer)) > 0)
			;
		try_text(GROUP "/memory.reclaim", "4M");
		if (hands->reclaims++ % 16 == 0) {
			put_text(GROUP "/memory.high", "4M");
			put_text(GROUP "/memory.high", "max");
		}
		usleep(10000);
	}
	close(fd);
	return 0;
}

/* What balancing moves and khugepaged collapses. */
static int usual_memory(void *unused)
{
	size_t size = 4 * HUGE_SIZE;

	(void)unused;
	while (!hands->stop) {
		char *p = mmap(NULL, size, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0);

		need(p != MAP_FAILED);
		need(!madvise(p, size, MADV_NOHUGEPAGE));
		need(run_on(0));
		for (size_t i = 0; i < size; i += PAGE)
			p[i] = 1;
		need(!madvise(p, size, MADV_HUGEPAGE));
		need(run_on(1));
		for (int i = 0; i < 20 && !hands->stop; i++) {
			for (size_t j = 0; j < size; j += PAGE)
				need(p[j]++ == i + 1);
			usleep(10000);
		}
		munmap(p, size);
	}
	return 0;
}

/*
 * The soft-dirty bits announce the whole address space first.  Others do not,
 * and are left out where they would visit 2^27 slots.
 */
static int clear_refs(struct arena *a, char *p)
{
	static const char *const what[] = { "4", "1", "3" };

	put_text("/proc/self/clear_refs",
		 what[a->order < 4 ? random64() % 3 : 0]);
	hands->cleared++;
	usleep(random64() % 2000);
	return check_one(a, p);
}

/* By the tables for readers, and by leaves of its own. */
static int read_all_ways(struct arena *a, char *p)
{
	int fd = select_id(a->id, MORSEL_OPEN_RDONLY);
	char *q = map(fd, R);
	char *own = mmap(NULL, 64 * PAGE, R, MAP_SHARED, fd, 0);

	need(own != MAP_FAILED);
	while (!a->stop) {
		uint64_t page = random64() % 64;

		need(*word(own, page) == stamp(page));
		if (check_one(a, p) || check_one(a, q))
			return 1;
		if (random64() % 64 == 0)
			word(p, spread(a->order, random64() % N, N))[3]++;
	}
	return 0;
}

static uint64_t frames[N];
static char *observed;

static uint64_t frame_of(char *p, uint64_t page)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	(void)*(volatile uint64_t *)word(p, page);
	if (pread(fd, &entry, 8, ((uintptr_t)p / PAGE + page) * 8) != 8)
		bail("pagemap: %s", strerror(errno));
	close(fd);
	return entry & ((1ull << 55) - 1);
}

static void before(int fd, unsigned int order)
{
	observed = map(fd, RW);
	for (uint64_t i = 0; i < N; i++)
		frames[i] = frame_of(observed, spread(order, i, N));
}

/* No page has moved; and who changes nothing is not detached by others. */
static void after(int fd, unsigned int order)
{
	uint64_t attached = info(fd).attached, moved = 0, bad = 0;
	double end = now() + 0.5;

	while (now() < end)
		bad += bad_stamps(observed, order, N);
	for (uint64_t i = 0; i < N; i++)
		moved += frames[i] !=
			 frame_of(observed, spread(order, i, N));
	is(bad, 0, "order %u: content for one who watches", order);
	is(moved, 0, "order %u: no page has moved", order);
	is(info(fd).attached, attached, "order %u: nothing was detached", order);
	unmap(observed, order);
}

static const struct race race = {
	.name = "the kernel's hands",
	.change = clear_refs,
	.thread = check_and_populate,
	.peer = read_all_ways,
	.before = before,
	.after = after,
};

static const struct {
	const char *path, *name, *what;
	bool nodes; /* needs two */
} proofs[] = {
	{ "/proc/vmstat", "compact_isolated", "compaction took pages", false },
	{ "/proc/vmstat", "numa_pages_migrated", "balancing moved pages", true },
	{ "/proc/vmstat", "thp_collapse_alloc", "khugepaged collapsed pages",
	  false },
	{ GROUP "/memory.stat", "pgsteal", "the cgroup gave pages back", false },
};

#define PROOFS (sizeof(proofs) / sizeof(*proofs))

int main(int argc, char **argv)
{
	static int (*const work[])(void *) = { compact, reclaim, usual_memory };
	unsigned long counts[PROOFS];
	char self[16];
	pid_t pids[3];

	guest_init(argc, argv);
	split_time(max_order());
	for (size_t i = 0; i < KNOBS; i++) {
		get_text(knobs[i][0], were[i], sizeof(were[i]));
		put_text(knobs[i][0], knobs[i][1]);
	}
	put_text("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	if (mkdir(GROUP, 0755))
		bail("%s: %s", GROUP, strerror(errno));
	snprintf(self, sizeof(self), "%d", getpid());
	put_text(GROUP "/cgroup.procs", self);
	disk_mount();
	hands = shared(sizeof(*hands));
	for (size_t i = 0; i < PROOFS; i++)
		counts[i] = counter(proofs[i].path, proofs[i].name);
	for (int i = 0; i < 3; i++)
		pids[i] = spawn(work[i], NULL);

	for (unsigned int order = 1; order <= max_order() && !tap_failed; order++)
		race_run(&race, order);

	hands->stop = 1;
	for (int i = 0; i < 3; i++)
		is(reap(pids[i]), 0, "hand %d", i);
	note("clear_refs %lu times, compaction %lu, reclaim %lu",
	     hands->cleared, hands->compactions, hands->reclaims);
	for (size_t i = 0; i < PROOFS; i++) {
		unsigned long n = counter(proofs[i].path, proofs[i].name) -
				  counts[i];

		if (proofs[i].nodes && !two_nodes())
			skip(proofs[i].what, "there is one node");
		else
			ok(n, "%s: %lu", proofs[i].what, n);
	}
	disk_umount();
	put_text("/sys/fs/cgroup/cgroup.procs", self);
	is(rmdir(GROUP), 0, "the cgroup is empty");
	for (size_t i = 0; i < KNOBS; i++)
		put_back(knobs[i][0], were[i]);
	munmap(hands, sizeof(*hands));
	return guest_done();
}

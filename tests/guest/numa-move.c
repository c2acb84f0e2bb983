// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two NUMA nodes: a page stays where it is, whoever asks for it to be moved.
 */
#include "nodes.h"

#include <sys/stat.h>

/*
 * What must not move: pages of node 0 seen through shared tables, through
 * those of a mirror, and through leaves of the process's own.
 */
struct view {
	const char *name;
	unsigned int order;
	int prot;
	uint64_t first; /* page; what is before it is unmapped, so no table fits */
	int fd;
	uint64_t id;
	char *p;
	uint64_t n, pfns[M];
};

static struct view views[] = {
	{ .name = "attached", .order = 2, .prot = RW },
	{ .name = "attached read-only", .order = 2, .prot = R },
	{ .name = "attached, order 3", .order = 3, .prot = RW },
	{ .name = "own leaf of order 0", .order = 0, .prot = RW },
	{ .name = "own leaves at an edge", .order = 1, .prot = RW, .first = 1 },
};

#define VIEWS (sizeof(views) / sizeof(*views))
#define for_each_view(v) for (struct view *v = views; v < views + VIEWS; v++)

static char *page_at(const struct view *v, uint64_t i)
{
	return v->p + spread(v->order, i, M) * PAGE;
}

/* The frame behind an address, 0 for none. */
static uint64_t pfn_of(void *p)
{
	static int fd = -1;
	uint64_t entry;

	if (fd < 0)
		fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (pread(fd, &entry, sizeof(entry),
		  (uintptr_t)p / PAGE * sizeof(entry)) != sizeof(entry))
		bail("pagemap: %s", strerror(errno));
	return entry >> 63 ? entry & ((1ull << 55) - 1) : 0;
}

static void views_open(void)
{
	pin_to(0);
	for_each_view(v)
	{
		char *p;

		v->n = v->order ? M : 1;
		v->fd = create(v->order, &v->id);
		p = map(v->fd, RW);
		put_stamps(p, v->order, v->n);
		unmap(p, v->order);
		v->p = map(v->fd, v->prot);
		if (v->first)
			munmap(v->p, v->first * PAGE);
		for (uint64_t i = v->first; i < v->n; i++) {
			(void)*(volatile char *)page_at(v, i);
			v->pfns[i] = pfn_of(page_at(v, i));
			if (!v->pfns[i] || node_of(page_at(v, i)) != 0)
				bail("%s: page %llu is not on node 0", v->name,
				     (unsigned long long)i);
		}
		is(info(v->fd).attachments, v->order && !v->first,
		   "%s: attachments", v->name);
	}
}

static void nothing_moved(const char *what)
{
	for_each_view(v)
	{
		uint64_t moved = 0, elsewhere = 0;

		for (uint64_t i = v->first; i < v->n; i++) {
			(void)*(volatile char *)page_at(v, i);
			moved += pfn_of(page_at(v, i)) != v->pfns[i];
			elsewhere += node_of(page_at(v, i)) != 0;
		}
		is(moved, 0, "%s: %s: in the same frames", what, v->name);
		is(elsewhere, 0, "%s: %s: on node 0", what, v->name);
		is(read_elsewhere(v->id, v->order, v->n), 0,
		   "%s: %s: content in a second process", what, v->name);
	}
}

static void views_close(void)
{
	for_each_view(v)
	{
		munmap(v->p + v->first * PAGE,
		       morsel_size(v->order) - v->first * PAGE);
		destroy(v->fd);
	}
}

/* The control: memory of the usual kind on node 0, which may be moved. */
static char *control_new(void)
{
	size_t size = M * PAGE;
	char *p = mmap(NULL, size, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || madvise(p, size, MADV_NOHUGEPAGE))
		bail("control: %s", strerror(errno));
	pin_to(0);
	memset(p, 1, size);
	return p;
}

static uint64_t control_moved(char *p)
{
	uint64_t moved = 0;

	for (uint64_t i = 0; i < M; i++)
		moved += node_of(p + i * PAGE) == 1;
	return moved;
}

static void control_check(char *p, const char *what)
{
	is(control_moved(p), M, "%s moves the control", what);
	munmap(p, M * PAGE);
}

static void by_migrate_pages(void)
{
	unsigned long from = 1, to = 2;
	char *control = control_new();

	/* 6.1 gives up at a page, of a library say, that is off its LRU list. */
	for (int i = 0; i < 50 && control_moved(control) < M; i++) {
		syscall(SYS_migrate_pages, 0, 8 * sizeof(from), &from, &to);
		usleep(10000);
	}
	control_check(control, "migrate_pages");
	nothing_moved("migrate_pages");
}

static void by_move_pages(unsigned int flags, const char *what)
{
	static int nodes[M], status[M];
	char *control = control_new();
	static void *pages[M];
	uint64_t moved = 0;

	for (int i = 0; i < M; i++) {
		nodes[i] = 1;
		pages[i] = control + i * PAGE;
	}
	syscall(SYS_move_pages, 0, M, pages, nodes, status, flags);
	control_check(control, what);
	for_each_view(v)
	{
		uint64_t n = v->n - v->first;

		for (uint64_t i = 0; i < n; i++)
			pages[i] = page_at(v, v->first + i);
		memset(status, 0xff, sizeof(status));
		syscall(SYS_move_pages, 0, n, pages, nodes, status, flags);
		for (uint64_t i = 0; i < n; i++)
			moved += status[i] == 1;
	}
	is(moved, 0, "%s says that no page of a morsel moved", what);
	nothing_moved(what);
}

static void by_mbind(unsigned int flags, const char *what)
{
	char *control = control_new();
	unsigned int refused = 0;

	vma_policy(control, M * PAGE, MPOL_BIND, 2, flags);
	control_check(control, what);
	for_each_view(v)
	{
		char *start = v->p + v->first * PAGE;
		size_t size = morsel_size(v->order) - v->first * PAGE;

		if (!vma_policy(start, size, MPOL_BIND, 2, flags))
			continue;
		if (errno != EIO)
			bail("%s: %s: %s", what, v->name, strerror(errno));
		refused++;
	}
	if (flags & MPOL_MF_STRICT)
		is(refused, VIEWS, "%s says that pages stayed", what);
	nothing_moved(what);
	for_each_view(v) vma_policy(v->p + v->first * PAGE,
				    morsel_size(v->order) - v->first * PAGE,
				    MPOL_DEFAULT, 0, 0);
}

/* Whose cpuset moves to other nodes takes its memory along. */
static void by_cpuset(void)
{
	char *control = control_new(), self[16], *p;
	int fd = create(2, NULL);

	p = map(fd, RW);
	is(touch(p, 2, 0, 17, M), 0, "pages on node 0 before");
	ok(info(fd).reserve_frames, "and some ahead of need");
	snprintf(self, sizeof(self), "%d", getpid());
	put_text("/sys/fs/cgroup/cgroup.subtree_control", "+cpuset");
	if (mkdir("/sys/fs/cgroup/numa", 0755))
		bail("cgroup: %s", strerror(errno));
	put_text("/sys/fs/cgroup/numa/cpuset.mems", "0");
	put_text("/sys/fs/cgroup/numa/cgroup.procs", self);
	/* A kernel thread does it, and may give up as above. */
	for (int i = 0; i < 500 && control_moved(control) < M; i++) {
		if (i % 100 == 0) {
			put_text("/sys/fs/cgroup/numa/cpuset.mems", "0");
			put_text("/sys/fs/cgroup/numa/cpuset.mems", "1");
		}
		usleep(10000);
	}
	control_check(control, "cpuset");

	is(touch(p, 2, 17, M - 17, M), M - 17,
	   "a fault on node 0 obeys the cpuset");
	unmap(p, 2);
	destroy(fd);

	put_text("/sys/fs/cgroup/cgroup.procs", self);
	rmdir("/sys/fs/cgroup/numa");
	nothing_moved("cpuset");
}

static void by_compaction(void)
{
	put_text("/proc/sys/vm/compact_memory", "1");
	nothing_moved("compaction");
}

/* Uses on node 1 what is on node 0. */
static int use_from_afar(void *arg)
{
	char *control = control_new();
	double end = now() + *(double *)arg;
	uint64_t moved;

	pin_to(1);
	while (now() < end) {
		for (uint64_t i = 0; i < M; i++)
			control[i * PAGE]++;
		for_each_view(v)
		{
			for (uint64_t i = v->first; i < v->n; i++) {
				char *page = page_at(v, i);

				need(*(uint64_t *)page ==
				     stamp(spread(v->order, i, M)));
				if (v->prot & W)
					page[64]++;
			}
		}
	}
	moved = control_moved(control);
	note("balancing moved %llu of %d pages of the control",
	     (unsigned long long)moved, M);
	need(moved > M / 2);
	return 0;
}

static void by_balancing(double seconds)
{
#define KNOBS "/sys/kernel/debug/sched/numa_balancing/"
	static const char *const knobs[][2] = {
		{ KNOBS "scan_delay_ms", "1" },
		{ KNOBS "scan_period_min_ms", "10" },
		{ KNOBS "scan_period_max_ms", "20" },
		{ "/proc/sys/kernel/numa_balancing", "1" },
	};
	char was[4][32] = { 0 };

	for (int i = 0; i < 4; i++) {
		int fd = open(knobs[i][0], O_RDONLY | O_CLOEXEC);

		if (fd < 0 || read(fd, was[i], sizeof(was[i]) - 1) <= 0)
			bail("%s: %s", knobs[i][0], strerror(errno));
		close(fd);
		put_text(knobs[i][0], knobs[i][1]);
	}
	is(reap(spawn(use_from_afar, &seconds)), 0,
	   "balancing moves the control, used from the other node");
	for (int i = 0; i < 4; i++)
		put_text(knobs[i][0], was[i]);
	nothing_moved("balancing");
}

/* Pages by node as numa_maps has them for the VMA at @p, or false. */
static bool numa_maps(char *p, uint64_t count[2])
{
	FILE *f = fopen("/proc/self/numa_maps", "r");
	static char line[4096];
	bool found = false;

	count[0] = count[1] = 0;
	while (f && !found && fgets(line, sizeof(line), f)) {
		if (strtoull(line, NULL, 16) != (uintptr_t)p)
			continue;
		found = true;
		for (int node = 0; node < 2; node++) {
			char *at = strstr(line, node ? " N1=" : " N0=");

			count[node] = at ? strtoull(at + 4, NULL, 10) : 0;
		}
	}
	if (f)
		fclose(f);
	return found;
}

static void numa_maps_show(void)
{
	for_each_view(v)
	{
		uint64_t count[2];

		ok(numa_maps(v->p + v->first * PAGE, count),
		   "%s: a line in numa_maps", v->name);
		is(count[0], v->n - v->first, "%s: pages on node 0", v->name);
		is(count[1], 0, "%s: pages on node 1", v->name);
	}
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	need_two_nodes();
	views_open();
	numa_maps_show();
	by_migrate_pages();
	by_move_pages(MPOL_MF_MOVE, "move_pages(MOVE)");
	by_move_pages(MPOL_MF_MOVE_ALL, "move_pages(MOVE_ALL)");
	by_mbind(MPOL_MF_MOVE, "mbind(MOVE)");
	by_mbind(MPOL_MF_MOVE_ALL, "mbind(MOVE_ALL)");
	by_mbind(MPOL_MF_MOVE | MPOL_MF_STRICT, "mbind(MOVE | STRICT)");
	by_cpuset();
	by_compaction();
	by_balancing(1 + opt_seconds);
	numa_maps_show();
	views_close();
	return guest_done();
}

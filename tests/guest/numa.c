// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two NUMA nodes: a fault, and whatever populates many pages at once, obeys the
 * policy of the task or the VMA, and a page stays where it is, whoever asks for
 * it to be moved.
 */
#include "guest.h"

#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define N 1024 /* pages with a stamp, in the tests of placement */
#define M 512 /* and of migration */

/* Where the kernel says that a page is: by its status, and by its policy. */
static int node_of(void *p)
{
	int status = -1, node = -1;

	if (syscall(SYS_move_pages, 0, 1, &p, NULL, &status, 0) ||
	    syscall(SYS_get_mempolicy, &node, NULL, 0, p,
		    MPOL_F_NODE | MPOL_F_ADDR))
		return -errno;
	return status == node ? node : -1;
}

static void pin_to(unsigned int node)
{
	char path[64];
	unsigned int cpu;
	cpu_set_t set;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%u/cpulist",
		 node);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%u", &cpu) != 1)
		bail("%s: %s", path, strerror(errno));
	fclose(f);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		bail("CPU %u: %s", cpu, strerror(errno));
}

/* Nodes are masks, 0 for none. */
static void task_policy(int mode, unsigned long nodes)
{
	if (syscall(SYS_set_mempolicy, mode, nodes ? &nodes : NULL,
		    nodes ? 8 * sizeof(nodes) : 0))
		bail("set_mempolicy %d: %s", mode, strerror(errno));
}

static long vma_policy(void *p, size_t size, int mode, unsigned long nodes,
		       unsigned int flags)
{
	return syscall(SYS_mbind, p, size, mode, nodes ? &nodes : NULL,
		       nodes ? 8 * sizeof(nodes) : 0, flags);
}

/* Stamps @n pages from the @from-th of @total, and counts those on node 1. */
static uint64_t touch(char *p, unsigned int order, uint64_t from, uint64_t n,
		      uint64_t total)
{
	uint64_t there = 0;

	for (uint64_t i = from; i < from + n; i++) {
		uint64_t page = spread(order, i, total);
		int node;

		*word(p, page) = stamp(page);
		node = node_of(word(p, page));
		if (node != 0 && node != 1)
			bail("page %#llx is on node %d",
			     (unsigned long long)page, node);
		there += node;
	}
	return there;
}

/* The same by reading, where there is no right to write. */
static uint64_t touch_to_read(char *p, unsigned int order, uint64_t from,
			      uint64_t n, uint64_t total)
{
	uint64_t there = 0;

	for (uint64_t i = from; i < from + n; i++) {
		char *page = p + spread(order, i, total) * PAGE;

		(void)*(volatile char *)page;
		there += node_of(page) == 1;
	}
	return there;
}

/* The pages of a test of placement: N, or all there are. */
static uint64_t some(unsigned int order)
{
	return order > 1 ? N : pages_of(order);
}

struct content {
	uint64_t id;
	unsigned int order;
	uint64_t n; /* stamps, see spread() */
};

static int check_content(void *arg)
{
	struct content *c = arg;

	return bad_stamps(map_id(c->id, R), c->order, c->n) != 0;
}

/* 0 when a second process, which inherits no mapping, finds the stamps. */
static int read_elsewhere(uint64_t id, unsigned int order, uint64_t n)
{
	struct content c = { id, order, n };

	return reap(spawn(check_content, &c));
}

/* The one page of order 0 is there from the start. */
static void first_touch(unsigned int order)
{
	uint64_t n = some(order), half = n / 2, id;
	char *p;
	int fd;

	pin_to(1);
	fd = create(order, &id);
	p = map(fd, RW);
	pin_to(0);
	is(touch(p, order, 0, half, n), 0,
	   "order %u: touched on node 0, and there they are", order);
	pin_to(1);
	is(touch(p, order, half, n - half, n), n - half,
	   "order %u: touched on node 1, and there they are", order);
	pin_to(0);
	is(touch(p, order, half, n - half, n), n - half,
	   "order %u: a second touch moves nothing", order);
	is(bad_stamps(p, order, n), 0, "order %u: content", order);
	is(read_elsewhere(id, order, n), 0,
	   "order %u: content in a second process", order);
	unmap(p, order);
	destroy(fd);
}

static int write_content(void *arg)
{
	struct content *c = arg;

	put_stamps(map_id(c->id, RW), c->order, c->n);
	return 0;
}

/* Through the tables of a mirror. */
static void first_touch_by_reader(void)
{
	struct content c = { .order = 2, .n = M };
	int fd = create(2, &c.id);
	char *p = map(fd, R);

	pin_to(1);
	is(touch_to_read(p, 2, 0, M, M), M,
	   "reading populates on the node of the reader");
	pin_to(0);
	is(reap(spawn(write_content, &c)), 0, "a second process writes there");
	is(bad_stamps(p, 2, M), 0, "and the reader sees it");
	is(touch_to_read(p, 2, 0, M, M), M, "on the node where they were");
	unmap(p, 2);
	destroy(fd);
}

struct policy {
	const char *name;
	int mode;
	unsigned long nodes;
	uint64_t least, most; /* percent of the pages that are on node 1 */
};

/* What differs from first touch on node 0.  Tables are interleaved, too. */
static const struct policy policies[] = {
	{ "BIND", MPOL_BIND, 2, 100, 100 },
	{ "PREFERRED", MPOL_PREFERRED, 2, 100, 100 },
	{ "PREFERRED_MANY", MPOL_PREFERRED_MANY, 2, 100, 100 },
	{ "INTERLEAVE", MPOL_INTERLEAVE, 3, 40, 60 },
};

#define POLICIES (sizeof(policies) / sizeof(*policies))

static void task_policies(unsigned int order)
{
	pin_to(0);
	for (const struct policy *it = policies; it < policies + POLICIES;
	     it++) {
		uint64_t n = some(order), there, id;
		int fd = create(order, &id);
		char *p = map(fd, RW);

		task_policy(it->mode, it->nodes);
		there = touch(p, order, 0, n, n);
		task_policy(MPOL_DEFAULT, 0);
		ok(100 * there >= it->least * n && 100 * there <= it->most * n,
		   "order %u: task policy %s: %llu of %llu pages on node 1",
		   order, it->name, (unsigned long long)there,
		   (unsigned long long)n);
		is(read_elsewhere(id, order, n), 0,
		   "order %u: task policy %s: content in a second process",
		   order, it->name);
		unmap(p, order);
		destroy(fd);
	}
}

static void vma_policies(unsigned int order)
{
	pin_to(0);
	for (const struct policy *it = policies; it < policies + POLICIES;
	     it++) {
		uint64_t n = some(order), there, id;
		int fd = create(order, &id);
		char *p = map(fd, RW);

		is(vma_policy(p, morsel_size(order), it->mode, it->nodes, 0), 0,
		   "order %u: mbind %s", order, it->name);
		there = touch(p, order, 0, n, n);
		ok(100 * there >= it->least * n && 100 * there <= it->most * n,
		   "order %u: VMA policy %s: %llu of %llu pages on node 1",
		   order, it->name, (unsigned long long)there,
		   (unsigned long long)n);
		is(info(fd).attachments, 1, "order %u: %s: still one entry",
		   order, it->name);
		is(read_elsewhere(id, order, n), 0,
		   "order %u: VMA policy %s: content in a second process",
		   order, it->name);
		unmap(p, order);
		destroy(fd);
	}
}

/* The VMA's policy goes before the task's, and is that of one VMA alone. */
static void whose_policy(void)
{
	size_t size = morsel_size(2);
	uint64_t id;
	int fd = create(2, &id);
	char *p = map(fd, RW), *q = map(fd, RW), *r = map(fd, R);

	pin_to(0);
	vma_policy(p, size, MPOL_BIND, 2, 0);
	task_policy(MPOL_BIND, 1);
	is(touch(p, 2, 0, M, 3 * M), M, "the VMA's policy before the task's");
	task_policy(MPOL_DEFAULT, 0);
	is(touch(q, 2, M, M, 3 * M), 0, "another VMA does without");
	vma_policy(r, size, MPOL_BIND, 2, 0);
	is(touch_to_read(r, 2, 2 * M, M, 3 * M), M, "a reader's VMA policy");
	is(touch(q, 2, 2 * M, M, 3 * M), M, "where a writer finds them");
	is(bad_stamps(r, 2, 3 * M), 0, "content");
	is(read_elsewhere(id, 2, 3 * M), 0, "content in a second process");
	unmap(r, 2);
	unmap(q, 2);
	unmap(p, 2);
	destroy(fd);

	/* That makes a VMA of the half. */
	fd = create(2, &id);
	p = map(fd, RW);
	is(touch(p, 2, 0, 1, N), 0, "a page before mbind");
	is(vma_policy(p + size / 2, size / 2, MPOL_BIND, 2, 0), 0,
	   "mbind of a half");
	is(touch(p, 2, 0, N / 2, N), 0, "the one half on node 0");
	is(touch(p, 2, N / 2, N / 2, N), N / 2, "the other on node 1");
	is(bad_stamps(p, 2, N), 0, "content");
	is(read_elsewhere(id, 2, N), 0, "content in a second process");
	unmap(p, 2);
	destroy(fd);
}

/* What populates many pages at once, be it by blocks or page by page. */
enum bulk { BY_IOCTL, BY_MADVISE, BY_MMAP };

static const char *const bulks[] = {
	[BY_IOCTL] = "MORSEL_IOC_POPULATE",
	[BY_MADVISE] = "MADV_POPULATE_WRITE",
	[BY_MMAP] = "MAP_POPULATE",
};

#define for_each_bulk(how) for (enum bulk how = BY_IOCTL; how <= BY_MMAP; how++)

/* A morsel, mapped at @p as a whole, and a ragged range in its middle. */
struct range {
	unsigned int order;
	uint64_t id, first, n;
	int fd;
	char *p;
};

static struct range range_new(unsigned int order)
{
	struct range r = { .order = order, .n = order > 1 ? N + 90 : M - 13 };

	r.fd = create(order, &r.id);
	r.first = pages_of(order) / 2 - r.n / 2;
	r.p = map(r.fd, RW);
	return r;
}

static void range_end(struct range *r)
{
	unmap(r->p, r->order);
	destroy(r->fd);
}

/* Populates @n pages from the @from-th of the range on; says how many came. */
static uint64_t bulk(enum bulk how, struct range *r, uint64_t from, uint64_t n)
{
	uint64_t offset = (r->first + from) * PAGE, size = n * PAGE,
		 frames = info(r->fd).data_frames, done;
	void *p;
	int err;

	switch (how) {
	case BY_IOCTL:
		err = -morsel_populate(r->fd, offset, size, &done);
		break;
	case BY_MADVISE:
		err = madvise(r->p + offset, size, MADV_POPULATE_WRITE) ?
			      errno :
			      0;
		break;
	default:
		err = -morsel_map_range(r->fd, NULL, offset, size, RW,
					MAP_POPULATE, &p);
		if (!err)
			munmap(p, size);
	}
	if (err)
		bail("%s: %s", bulks[how], strerror(err));
	return info(r->fd).data_frames - frames;
}

/* How many of @n pages from the @from-th of the range on are on node 1. */
static uint64_t on_node_1(struct range *r, uint64_t from, uint64_t n)
{
	uint64_t there = 0;

	for (uint64_t i = r->first + from; i < r->first + from + n; i++) {
		int node;

		(void)*(volatile uint64_t *)word(r->p, i);
		node = node_of(word(r->p, i));
		if (node != 0 && node != 1)
			bail("page %#llx is on node %d", (unsigned long long)i,
			     node);
		there += node;
	}
	return there;
}

static int write_range(void *arg)
{
	struct range *r = arg;
	char *p = map_id(r->id, RW);

	for (uint64_t i = r->first; i < r->first + r->n; i++) {
		need(!*word(p, i));
		*word(p, i) = stamp(i);
	}
	return 0;
}

/* A second process finds zeroes and stamps them; what is wrong of that here. */
static uint64_t range_wrong(struct range *r)
{
	uint64_t wrong = reap(spawn(write_range, r)) != 0;

	for (uint64_t i = r->first; i < r->first + r->n; i++)
		wrong += *word(r->p, i) != stamp(i);
	return wrong;
}

static void bulk_first_touch(unsigned int order, enum bulk how)
{
	struct range r = range_new(order);
	uint64_t half = r.n / 2, rest = r.n - half;

	pin_to(0);
	is(bulk(how, &r, 0, half), half, "order %u, %s: populated from node 0",
	   order, bulks[how]);
	pin_to(1);
	is(on_node_1(&r, 0, half), 0, "order %u, %s: and there they are", order,
	   bulks[how]);
	is(bulk(how, &r, 0, r.n), rest, "order %u, %s: the rest from node 1",
	   order, bulks[how]);
	pin_to(0);
	is(on_node_1(&r, half, rest), rest, "order %u, %s: and there they are",
	   order, bulks[how]);
	is(bulk(how, &r, 0, r.n), 0, "order %u, %s: a second time, none comes",
	   order, bulks[how]);
	is(on_node_1(&r, 0, r.n), rest, "order %u, %s: and none moves", order,
	   bulks[how]);
	is(range_wrong(&r), 0, "order %u, %s: two processes see the same",
	   order, bulks[how]);
	range_end(&r);
}

static void check_policy(struct range *r, const struct policy *it,
			 const char *whose, enum bulk how)
{
	uint64_t came, there;

	came = bulk(how, r, 0, r->n);
	task_policy(MPOL_DEFAULT, 0);
	is(came, r->n, "order %u, %s: populated under a %s policy", r->order,
	   bulks[how], whose);
	there = on_node_1(r, 0, r->n);
	ok(100 * there >= it->least * r->n && 100 * there <= it->most * r->n,
	   "order %u, %s: %s policy %s: %llu of %llu pages on node 1", r->order,
	   bulks[how], whose, it->name, (unsigned long long)there,
	   (unsigned long long)r->n);
	is(range_wrong(r), 0, "order %u, %s: two processes see the same",
	   r->order, bulks[how]);
}

static void bulk_policies(unsigned int order, enum bulk how)
{
	size_t size = morsel_size(order);

	pin_to(0);
	for (const struct policy *it = policies; it < policies + POLICIES;
	     it++) {
		struct range r = range_new(order);

		task_policy(it->mode, it->nodes);
		check_policy(&r, it, "task", how);
		range_end(&r);
		if (how != BY_MADVISE)
			continue;
		r = range_new(order);
		vma_policy(r.p, size, it->mode, it->nodes, 0);
		check_policy(&r, it, "VMA", how);
		range_end(&r);
	}
}

/* The ioctl has no VMA, and a new one has no policy yet. */
static void bulk_whose_policy(unsigned int order)
{
	size_t size = morsel_size(order);
	struct range r;

	pin_to(0);
	for_each_bulk(how)
	{
		uint64_t there = how == BY_MADVISE;

		r = range_new(order);
		vma_policy(r.p, size, MPOL_BIND, 2, 0);
		task_policy(MPOL_BIND, 1);
		bulk(how, &r, 0, r.n / 2);
		task_policy(MPOL_DEFAULT, 0);
		bulk(how, &r, 0, r.n);
		is(on_node_1(&r, 0, r.n), there * r.n,
		   "order %u, %s: the policy of the VMA is %s", order,
		   bulks[how],
		   there ? "obeyed before the task's" : "of no concern");
		is(range_wrong(&r), 0,
		   "order %u, %s: two processes see the same", order,
		   bulks[how]);
		range_end(&r);
	}

	/* One call over two VMAs; the first ends amid the range. */
	r = range_new(order);
	vma_policy(r.p + size / 2, size / 2, MPOL_BIND, 2, 0);
	is(bulk(BY_MADVISE, &r, 0, r.n), r.n,
	   "order %u: populated over two policies", order);
	is(on_node_1(&r, 0, r.n / 2), 0, "order %u: the lower half on node 0",
	   order);
	is(on_node_1(&r, r.n / 2, r.n - r.n / 2), r.n - r.n / 2,
	   "order %u: the upper on node 1", order);
	is(range_wrong(&r), 0, "order %u: two processes see the same", order);
	range_end(&r);
}

/* Interleaving a VMA is by position, and so are pages populated in batches. */
static void bulk_alternates(unsigned int order)
{
	struct range r = range_new(order);
	uint64_t last = 0, same = 0;

	vma_policy(r.p, morsel_size(order), MPOL_INTERLEAVE, 3, 0);
	bulk(BY_MADVISE, &r, 0, r.n);
	for (uint64_t i = 0; i < r.n; i++) {
		uint64_t node = on_node_1(&r, i, 1);

		same += i && node == last;
		last = node;
	}
	is(same, 0, "order %u: neighbours are on different nodes", order);
	range_end(&r);
}

/* Through a mirror, where the range is read only. */
static void bulk_by_reader(void)
{
	struct range r = range_new(2);
	size_t size = morsel_size(2);
	char *q = map(r.fd, R);

	pin_to(0);
	vma_policy(q, size, MPOL_BIND, 2, 0);
	is(madvise(q + r.first * PAGE, r.n * PAGE, MADV_POPULATE_READ), 0,
	   "MADV_POPULATE_READ");
	is(info(r.fd).data_frames, r.n, "populated by a reader");
	is(on_node_1(&r, 0, r.n), r.n, "by the policy of its VMA");
	is(range_wrong(&r), 0, "two processes see the same");
	unmap(q, 2);
	range_end(&r);
}

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

static void put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		bail("%s to %s: %s", text, path, strerror(errno));
	close(fd);
}

/* Whose cpuset moves to other nodes takes its memory along. */
static void by_cpuset(void)
{
	char *control = control_new(), self[16], *p;
	int fd;

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

	fd = create(2, NULL);
	p = map(fd, RW);
	is(touch(p, 2, 0, M, M), M, "a fault on node 0 obeys the cpuset");
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
	if (access("/sys/devices/system/node/node1", F_OK))
		bail("needs two NUMA nodes: vm/run --nodes 2");
	for (unsigned int order = 0; order <= max_order(); order++)
		first_touch(order);
	first_touch_by_reader();
	for (unsigned int order = 1; order <= max_order(); order++) {
		task_policies(order);
		vma_policies(order);
	}
	whose_policy();
	for (unsigned int order = 1; order <= max_order(); order++) {
		for_each_bulk(how)
		{
			bulk_first_touch(order, how);
			bulk_policies(order, how);
		}
		bulk_whose_policy(order);
		bulk_alternates(order);
	}
	bulk_by_reader();

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

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two NUMA nodes: what populates many pages at once, by ioctl, by madvise or by
 * mmap, puts them where faults would.
 */
#include "nodes.h"

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

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	need_two_nodes();
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
	return guest_done();
}

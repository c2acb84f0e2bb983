// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two NUMA nodes: a fault obeys the policy of the task or of the VMA, and puts
 * the page on the node of who touches it first where there is none.
 */
#include "nodes.h"

/* As touch() by reading, where there is no right to write. */
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

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	need_two_nodes();
	for (unsigned int order = 0; order <= max_order(); order++)
		first_touch(order);
	first_touch_by_reader();
	for (unsigned int order = 1; order <= max_order(); order++) {
		task_policies(order);
		vma_policies(order);
	}
	whose_policy();
	return guest_done();
}

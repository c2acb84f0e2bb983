/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two NUMA nodes: where a page is, policies by number, and eyes of another
 * process on what is there.
 */
#ifndef NODES_H
#define NODES_H

#include "guest.h"

#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/syscall.h>

#define N 1024 /* pages with a stamp */
#define M 512 /* where fewer will do */

static inline void need_two_nodes(void)
{
	if (access("/sys/devices/system/node/node1", F_OK))
		bail("needs two NUMA nodes: vm/run --nodes 2");
}

/* Where the kernel says that a page is: by its status, and by its policy. */
static inline int node_of(void *p)
{
	int status = -1, node = -1;

	if (syscall(SYS_move_pages, 0, 1, &p, NULL, &status, 0) ||
	    syscall(SYS_get_mempolicy, &node, NULL, 0, p,
		    MPOL_F_NODE | MPOL_F_ADDR))
		return -errno;
	return status == node ? node : -1;
}

static inline void pin_to(unsigned int node)
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
static inline void task_policy(int mode, unsigned long nodes)
{
	if (syscall(SYS_set_mempolicy, mode, nodes ? &nodes : NULL,
		    nodes ? 8 * sizeof(nodes) : 0))
		bail("set_mempolicy %d: %s", mode, strerror(errno));
}

static inline long vma_policy(void *p, size_t size, int mode, unsigned long nodes,
		       unsigned int flags)
{
	return syscall(SYS_mbind, p, size, mode, nodes ? &nodes : NULL,
		       nodes ? 8 * sizeof(nodes) : 0, flags);
}

/* Stamps @n pages from the @from-th of @total, and counts those on node 1. */
static inline uint64_t touch(char *p, unsigned int order, uint64_t from, uint64_t n,
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

struct content {
	uint64_t id;
	unsigned int order;
	uint64_t n; /* stamps, see spread() */
};

static inline int check_content(void *arg)
{
	struct content *c = arg;

	return bad_stamps(map_id(c->id, R), c->order, c->n) != 0;
}

/* 0 when a second process, which inherits no mapping, finds the stamps. */
static inline int read_elsewhere(uint64_t id, unsigned int order, uint64_t n)
{
	struct content c = { id, order, n };

	return reap(spawn(check_content, &c));
}

struct policy {
	const char *name;
	int mode;
	unsigned long nodes;
	uint64_t least, most; /* percent of the pages that are on node 1 */
};

/* What differs from first touch on node 0.  Tables are interleaved, too. */
__attribute__((unused)) static const struct policy policies[] = {
	{ "BIND", MPOL_BIND, 2, 100, 100 },
	{ "PREFERRED", MPOL_PREFERRED, 2, 100, 100 },
	{ "PREFERRED_MANY", MPOL_PREFERRED_MANY, 2, 100, 100 },
	{ "INTERLEAVE", MPOL_INTERLEAVE, 3, 40, 60 },
};

#define POLICIES (sizeof(policies) / sizeof(*policies))

#endif /* NODES_H */

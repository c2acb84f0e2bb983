// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two NUMA nodes, and of the local one only single pages are left: pages that
 * are populated in batches are local as long as the kernel's own single pages.
 */
#include "guest.h"

#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define MIB (1ull << 20)
#define BLOCKS (96 * MIB) /* left in one piece at first */
#define RUN 64
#define REFILL (16 * MIB) /* what kswapd may have freed meanwhile */

static int node_of(void *p)
{
	int status = -1;

	if (syscall(SYS_move_pages, 0, 1, &p, NULL, &status, 0) || status < 0)
		bail("move_pages: %s, %d", strerror(errno), status);
	return status;
}

static void pin_to_node_0(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		bail("CPU 0: %s", strerror(errno));
}

static uint64_t free_bytes(void)
{
	FILE *f = fopen("/sys/devices/system/node/node0/meminfo", "r");
	unsigned long long kib = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Node %*d MemFree: %llu", &kib) == 1)
			break;
	if (!f || !kib)
		bail("MemFree of node 0");
	fclose(f);
	return kib * 1024;
}

static void bind_to_node_0(bool bind)
{
	unsigned long nodes = 1;

	if (syscall(SYS_set_mempolicy, bind ? MPOL_BIND : MPOL_DEFAULT,
		    bind ? &nodes : NULL, bind ? 8 * sizeof(nodes) : 0))
		bail("set_mempolicy: %s", strerror(errno));
}

static void populate(int fd, uint64_t first, uint64_t n)
{
	int err = morsel_populate(fd, first * PAGE, n * PAGE, NULL);

	if (err)
		bail("populate: %s", strerror(-err));
}

static uint64_t remote(char *p, uint64_t first, uint64_t n)
{
	uint64_t count = 0;

	for (uint64_t i = first; i < first + n; i++)
		count += node_of(p + i * PAGE) == 1;
	return count;
}

int main(int argc, char **argv)
{
	int kept, given, runs;
	uint64_t n = 0, far = 0, left;
	char *p, *own;

	guest_init(argc, argv);
	if (access("/sys/devices/system/node/node1", F_OK))
		bail("needs two NUMA nodes: vm/run --nodes 2");
	pin_to_node_0();

	/* Every second page of what is free, and what these leave in blocks. */
	kept = create(2, NULL);
	given = create(2, NULL);
	bind_to_node_0(true);
	for (left = free_bytes() - BLOCKS; 2 * n * PAGE < left; n++) {
		populate(kept, n, 1);
		populate(given, n, 1);
	}
	bind_to_node_0(false);
	destroy(given);
	note("%llu MiB are free, all but %llu of them in single pages",
	     (unsigned long long)(free_bytes() / MIB), BLOCKS / MIB);

	runs = create(2, NULL);
	p = map(runs, RW);
	for (n = 0; !far && n < pages_of(2) / RUN; n++) {
		populate(runs, n * RUN, RUN);
		(void)*(volatile uint64_t *)word(p, n * RUN); /* attached */
		far = remote(p, n * RUN, RUN);
	}
	left = free_bytes();
	note("run %llu has %llu pages on the other node; %llu MiB are left",
	     (unsigned long long)n, (unsigned long long)far,
	     (unsigned long long)(left / MIB));
	ok(far, "the node is full at some time");
	ok(n * RUN * PAGE > BLOCKS + BLOCKS / 4,
	   "which is not when it has no blocks any more");
	/* What is allocated page by page with as little left. */
	own = mmap(NULL, REFILL, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (own == MAP_FAILED || madvise(own, REFILL, MADV_NOHUGEPAGE))
		bail("anonymous memory: %s", strerror(errno));
	for (n = far = 0; !far && n < REFILL / PAGE; n++) {
		*word(own, n) = 1;
		far = remote(own, n, 1);
	}
	note("anonymous page %llu is on the other node",
	     (unsigned long long)n);
	ok(far, "anonymous pages come from the other node then, too");

	unmap(p, 2);
	destroy(runs);
	destroy(kept);
	return guest_done();
}

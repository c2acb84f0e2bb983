// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the kernel accounts for all memory it promises, a morsel, like a file,
 * is no promise: the largest are mapped where a small allocation is refused.
 */
#include "peer.h"

#define N 512 /* pages with a stamp */
#define MODE "/proc/sys/vm/overcommit_memory"
#define RATIO "/proc/sys/vm/overcommit_ratio"
#define LIMIT "/proc/sys/vm/overcommit_kbytes"

static int get(const char *name)
{
	FILE *file = fopen(name, "re");
	int value = -1;

	if (!file || fscanf(file, "%d", &value) != 1)
		bail("%s: %s", name, strerror(errno));
	fclose(file);
	return value;
}

static void set(const char *name, long value)
{
	FILE *file = fopen(name, "we");

	if (!file || fprintf(file, "%ld", value) < 0 || fclose(file))
		bail("%s: %s", name, strerror(errno));
}

static long committed(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128];
	long kib = -1;

	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "Committed_AS: %ld", &kib);
	fclose(file);
	return kib;
}

static void strictly(unsigned int order)
{
	uint64_t id, n = N < pages_of(order) ? N : pages_of(order);
	int fd = create(order, &id), mode = get(MODE), ratio = get(RATIO);
	struct peer peer = peer_start(id, order, n);
	size_t size = morsel_size(order);
	long before, after;
	char *p, *r;

	/* 256 MiB more than others were promised: a root in memory counts, too. */
	set(LIMIT, committed() + (256 << 10));
	set(MODE, 2);
	is_errno(mmap(NULL, 1ul << 30, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
		 ENOMEM, "order %u: 1 GiB of anonymous memory is refused",
		 order);
	before = committed();
	p = map(fd, RW);
	r = map(fd, R);
	put_stamps(p, order, n);
	is(disagree(&peer, p, true) + disagree(&peer, r, false), 0,
	   "order %u: the morsel is mapped, and both see the same", order);
	/* From read-only, where private memory would be accounted for. */
	is(mprotect(r, size, RW), 0, "order %u: made writable", order);
	is(disagree(&peer, r, true), 0, "order %u: both see the same", order);
	after = committed();
	/* Others come and go. */
	ok(after - before < 8192, "order %u: nothing was committed (%ld KiB)",
	   order, after - before);
	unmap(r, order);
	unmap(p, order);
	set(MODE, mode);
	set(RATIO, ratio); /* takes the place of LIMIT */
	peer_stop(&peer);
	destroy(fd);
}

int main(int argc, char **argv)
{
	int mode, ratio;

	guest_init(argc, argv);
	mode = get(MODE);
	ratio = get(RATIO);
	for (unsigned int order = 0; order <= max_order(); order++)
		strictly(order);
	ok(get(MODE) == mode && get(RATIO) == ratio, "the setting is restored");
	return guest_done();
}

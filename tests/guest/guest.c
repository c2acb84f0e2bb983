// SPDX-License-Identifier: GPL-2.0-only
/* What the tests of morsels share; see guest.h. */
#include "guest.h"

#define RUN 64 /* neighbours in spread() */

unsigned int opt_seconds = 1;
unsigned long opt_pages = 8192;

static int device_fd = -1;
static unsigned int races = 1;
static struct morsel_stats at_first;

void guest_init(int argc, char **argv)
{
	int opt;

	setvbuf(stdout, NULL, _IONBF, 0);
	while ((opt = getopt(argc, argv, "s:n:")) != -1) {
		if (opt == 's')
			opt_seconds = strtoul(optarg, NULL, 0);
		else if (opt == 'n')
			opt_pages = strtoul(optarg, NULL, 0);
		else
			bail("usage: %s [-s SECONDS] [-n PAGES]", argv[0]);
	}
	catch_faults();
	device_fd = morsel_device_open();
	if (device_fd < 0)
		bail("%s: %s", MORSEL_DEVICE, strerror(-device_fd));
	at_first = stats();
}

int guest_done(void)
{
	ok(same_stats(at_first, stats()), "all is given back");
	return done();
}

int device(void)
{
	return device_fd;
}

struct morsel_stats stats(void)
{
	struct morsel_stats s;
	int err = morsel_stats(device(), &s);

	if (err)
		bail("stats: %s", strerror(-err));
	return s;
}

unsigned int max_order(void)
{
	return stats().max_order;
}

bool same_stats(struct morsel_stats a, struct morsel_stats b)
{
	bool same = a.morsels == b.morsels && a.data_frames == b.data_frames &&
		    a.table_frames == b.table_frames &&
		    a.reserve_frames == b.reserve_frames &&
		    a.attachments == b.attachments;

	if (!same)
		note("morsels %lld -> %lld, data %lld -> %lld, "
		     "tables %lld -> %lld, reserve %lld -> %lld, "
		     "attachments %lld -> %lld",
		     a.morsels, b.morsels, a.data_frames, b.data_frames,
		     a.table_frames, b.table_frames, a.reserve_frames,
		     b.reserve_frames, a.attachments, b.attachments);
	return same;
}

int create(unsigned int order, uint64_t *id)
{
	int fd = morsel_create(device(), order, 0700, 0, id);

	if (fd < 0)
		bail("create order %u: %s", order, strerror(-fd));
	return fd;
}

struct morsel_info info(int fd)
{
	struct morsel_info i;
	int err = morsel_info(fd, &i);

	if (err)
		bail("info: %s", strerror(-err));
	return i;
}

int select_id(uint64_t id, unsigned int flags)
{
	int fd = morsel_open(device(), id, flags);

	if (fd < 0)
		bail("open %#llx: %s", (unsigned long long)id, strerror(-fd));
	return fd;
}

int try_open(uint64_t id, unsigned int flags)
{
	int fd = morsel_open(device(), id, flags);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? -fd : 0;
}

char *map(int fd, int prot)
{
	return map_at(fd, 0, prot);
}

char *map_at(int fd, uint64_t addr, int prot)
{
	void *p;
	int err = morsel_map(fd, (void *)addr, prot, 0, &p);

	if (err)
		bail("map order %u at %#llx, prot %d: %s", info(fd).order,
		     (unsigned long long)addr, prot, strerror(-err));
	return p;
}

char *map_id(uint64_t id, int prot)
{
	int fd = select_id(id, prot & W ? 0 : MORSEL_OPEN_RDONLY);
	char *p = map(fd, prot);

	close(fd);
	return p;
}

void unmap(void *addr, unsigned int order)
{
	int err = morsel_unmap(addr, order);

	if (err)
		bail("unmap order %u at %p: %s", order, addr, strerror(-err));
}

void destroy(int fd)
{
	int err = morsel_destroy(fd);

	if (err)
		bail("destroy order %u: %s", info(fd).order, strerror(-err));
	close(fd);
}

uint64_t free_addr(unsigned int order, unsigned int slot)
{
	/* Far from where the kernel puts programs, stacks and its own choices. */
	uint64_t base = order == 4 ? 16ull << 48 : 16ull << 40;

	return base + (slot + 1) * (order == 4 ? 1ull << 48 : 1ull << 40);
}

uint64_t spread(unsigned int order, uint64_t i, uint64_t n)
{
	if (n >= pages_of(order) || n < RUN)
		return i % pages_of(order);
	return i / RUN * (pages_of(order) / ((n + RUN - 1) / RUN)) + i % RUN;
}

static uint64_t at_most(unsigned int order, uint64_t n)
{
	return n < pages_of(order) ? n : pages_of(order);
}

void put_stamps(char *base, unsigned int order, uint64_t n)
{
	for (uint64_t i = 0; i < at_most(order, n); i++) {
		uint64_t page = spread(order, i, n);

		*word(base, page) = stamp(page);
	}
}

uint64_t bad_stamps(char *base, unsigned int order, uint64_t n)
{
	uint64_t bad = 0;

	for (uint64_t i = 0; i < at_most(order, n); i++) {
		uint64_t page = spread(order, i, n);

		if (*word(base, page) != stamp(page) && !bad++)
			note("page %#llx holds %#llx, not %#llx",
			     (unsigned long long)page,
			     (unsigned long long)*word(base, page),
			     (unsigned long long)stamp(page));
	}
	return bad;
}

uint64_t tables_for(unsigned int order, const uint64_t *pages, uint64_t n)
{
	uint64_t tables = order > 0;

	for (unsigned int shift = 9; shift < 9 * order; shift += 9)
		for (uint64_t i = 0; i < n; i++)
			tables += !i ||
				  pages[i] >> shift != pages[i - 1] >> shift;
	return tables;
}

uint64_t tables_for_spread(unsigned int order, uint64_t n)
{
	uint64_t *pages = calloc(n, sizeof(*pages)), tables;

	n = at_most(order, n);
	for (uint64_t i = 0; i < n; i++)
		pages[i] = spread(order, i, n);
	tables = tables_for(order, pages, n);
	free(pages);
	return tables;
}

unsigned long table_bytes(void)
{
	static char text[8192];
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text) - 1);
	char *line;

	close(fd);
	text[n > 0 ? n : 0] = 0;
	line = strstr(text, "VmPTE:");
	if (!line)
		bail("no VmPTE in /proc/self/status");
	return strtoul(line + strlen("VmPTE:"), NULL, 10) * 1024;
}

void split_time(unsigned int n)
{
	races = n;
}

bool goes_on(double start, bool enough)
{
	double passed = now() - start, share = (double)opt_seconds / races;

	if (share < 1)
		share = opt_seconds < 1 ? opt_seconds : 1;
	return passed < share || (!enough && passed < share + 60);
}

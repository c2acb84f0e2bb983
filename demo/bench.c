// SPDX-License-Identifier: GPL-2.0-only
/*
 * What it costs to map and touch memory that is populated already: morsels
 * beside POSIX shared memory, in interleaved rounds of one boot.
 */
#include "demo.h"
#include "sample.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 31
#define ATTACH_ROUNDS 400
#define PAGES (1ul << 16) /* of the comparison with shared memory */
#define FULL (1ul << 18) /* of an order-2 morsel */

#define LARGEST_RATIO 1.25 /* full to single page, map + unmap */
#define SMALLEST_GAIN 10.0 /* over MAP_POPULATE, map + touch */

enum { MORSEL, SHM, SHM_POPULATE, KINDS };

static const char *const names[KINDS] = { "morsel", "POSIX shm",
					  "POSIX shm, MAP_POPULATE" };

/* Something to map: a descriptor, how much to map of it, and how. */
struct source {
	int fd;
	size_t size;
	int flags;
};

static int morsels[2], n_morsels; /* what is to be destroyed */

static char *map(const struct source *s, int prot)
{
	char *p = mmap(NULL, s->size, prot, s->flags, s->fd, 0);

	if (p == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	return p;
}

/* Reads, or writes, one word of each page. */
static void touch(volatile char *p, size_t pages, int prot)
{
	for (size_t i = 0; i < pages; i++)
		if (prot & PROT_WRITE)
			p[i * MORSEL_PAGE_SIZE] = 1;
		else
			(void)p[i * MORSEL_PAGE_SIZE];
}

static void populate(const struct source *s, size_t pages)
{
	char *p = map(s, PROT_READ | PROT_WRITE);

	touch(p, pages, PROT_WRITE);
	munmap(p, s->size);
}

/* At the end of a table, and of the program however it ends. */
static void drop_morsels(void)
{
	while (n_morsels) {
		morsel_destroy(morsels[--n_morsels]);
		close(morsels[n_morsels]);
	}
}

static struct source morsel_source(int dev, size_t pages)
{
	struct source s = { .size = morsel_size(2), .flags = MAP_SHARED };

	s.fd = morsel_create(dev, 2, 0600, 0, NULL);
	if (s.fd < 0)
		die("create: %s", strerror(-s.fd));
	morsels[n_morsels++] = s.fd;
	populate(&s, pages);
	return s;
}

static struct source shm_source(size_t pages)
{
	struct source s = { .size = pages * MORSEL_PAGE_SIZE,
			    .flags = MAP_SHARED };
	char name[32];

	snprintf(name, sizeof(name), "/morsel-demo-%d", getpid());
	s.fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (s.fd < 0 || shm_unlink(name) || ftruncate(s.fd, s.size))
		die("POSIX shared memory: %s", strerror(errno));
	populate(&s, pages);
	return s;
}

/* VmPTE in bytes: the page tables of this process. */
static unsigned long table_bytes(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	unsigned long kib = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmPTE: %lu", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib * 1024;
}

/* By how much page tables grow in a process that has nothing else to do. */
static unsigned long table_growth(const struct source *s, int prot)
{
	unsigned long *growth, bytes;
	int status;
	pid_t pid;

	growth = mmap(NULL, sizeof(*growth), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (growth == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	fflush(stdout);
	pid = fork();
	if (!pid) {
		table_bytes(); /* the first call grows the process itself */
		*growth = table_bytes();
		touch(map(s, prot), PAGES, prot);
		*growth = table_bytes() - *growth;
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		die("measuring page tables failed");
	bytes = *growth;
	munmap(growth, sizeof(*growth));
	return bytes;
}

static void compare(const struct source *sources, int prot)
{
	struct sample touched[KINDS] = { 0 }, unmapped[KINDS] = { 0 };
	const char *rights = prot & PROT_WRITE ? "read-write" : "read-only";
	double gain;

	for (int round = 0; round < ROUNDS; round++)
		for (int i = 0; i < KINDS; i++) {
			double start = seconds();
			char *p = map(&sources[i], prot);

			touch(p, PAGES, prot);
			sample_add(&touched[i], seconds() - start);
			munmap(p, sources[i].size);
			sample_add(&unmapped[i], seconds() - start);
		}

	printf("\n%lu populated pages (%lu MiB), %s, %d interleaved rounds; "
	       "ms, median [p10 p90]\n",
	       PAGES, PAGES / 256, rights, ROUNDS);
	printf("%-25s  %-29s  %-29s  %s\n", "", "map + touch every page",
	       "the same + unmap", "page tables");
	for (int i = 0; i < KINDS; i++) {
		printf("%-25s", names[i]);
		sample_print(&touched[i]);
		sample_print(&unmapped[i]);
		printf("  %7lu KiB\n", table_growth(&sources[i], prot) / 1024);
	}
	gain = sample_median(&touched[SHM_POPULATE]) /
	       sample_median(&touched[MORSEL]);
	print_bar("map + touch, times as fast as shm with MAP_POPULATE", gain,
		  "at least 10", gain >= SMALLEST_GAIN);
	printf("            the same + unmap: %.2f\n",
	       sample_median(&unmapped[SHM_POPULATE]) /
		       sample_median(&unmapped[MORSEL]));
}

static void against_shm(int dev, int prot)
{
	struct source sources[KINDS];

	sources[MORSEL] = morsel_source(dev, PAGES);
	sources[SHM] = sources[SHM_POPULATE] = shm_source(PAGES);
	sources[SHM_POPULATE].flags |= MAP_POPULATE;
	compare(sources, prot);
	close(sources[SHM].fd);
	drop_morsels();
}

/* Mapping attaches nothing by itself, so a touch is what makes it honest. */
static void by_content(int dev)
{
	static struct sample plain[2], touched[2];
	struct source sources[2] = { morsel_source(dev, 1),
				     morsel_source(dev, FULL) };
	static const char *const what[] = { "1 page", "2^18 pages" };
	double ratio, ratio_touched;

	for (int round = 0; round < ATTACH_ROUNDS; round++)
		for (int i = 0; i < 2; i++) {
			double start = seconds();

			munmap(map(&sources[i], PROT_READ), sources[i].size);
			sample_add(&plain[i], seconds() - start);

			start = seconds();
			char *p = map(&sources[i], PROT_READ);

			touch(p, 1, PROT_READ);
			munmap(p, sources[i].size);
			sample_add(&touched[i], seconds() - start);
		}

	printf("\n1-GiB morsels, %d interleaved rounds; ms, median [p10 p90]\n",
	       ATTACH_ROUNDS);
	printf("%-25s  %-29s  %s\n", "", "map + unmap",
	       "map + touch one page + unmap");
	for (int i = 0; i < 2; i++) {
		printf("with %-20s", what[i]);
		sample_print(&plain[i]);
		sample_print(&touched[i]);
		printf("\n");
	}
	ratio = sample_median(&plain[1]) / sample_median(&plain[0]);
	ratio_touched = sample_median(&touched[1]) / sample_median(&touched[0]);
	print_bar("map + unmap, 2^18 pages to 1", ratio, "at most 1.25",
		  ratio <= LARGEST_RATIO);
	print_bar("map + touch + unmap, 2^18 pages to 1", ratio_touched,
		  "at most 1.25", ratio_touched <= LARGEST_RATIO);
	drop_morsels();
}

int bench(int dev, int prot)
{
	struct morsel_stats before, after;

	atexit(drop_morsels);
	if (morsel_stats(dev, &before))
		die("no statistics");
	against_shm(dev, prot);
	by_content(dev);
	population(dev);
	if (morsel_stats(dev, &after))
		die("no statistics");
	if (before.morsels != after.morsels ||
	    before.data_frames != after.data_frames ||
	    before.table_frames != after.table_frames ||
	    before.attachments != after.attachments)
		return fail("not all frames were given back");
	return 0;
}

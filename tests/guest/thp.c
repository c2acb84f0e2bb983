// SPDX-License-Identifier: GPL-2.0-only
/*
 * Transparent huge pages always, on advice and never: whatever the kernel
 * does for others, a morsel stays attached by one entry, and nobody collapses
 * its pages.
 */
#include "guest.h"

#include <glob.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

#define SYSFS "/sys/kernel/mm/transparent_hugepage/"
#define N 1024
#define HUGE_SIZE (512 * PAGE)

static const char *const modes[] = { "always", "madvise", "never" };

/* What is tuned: khugepaged does not pause, and takes nearly empty tables. */
static const char *const knobs[][2] = {
	{ SYSFS "khugepaged/scan_sleep_millisecs", "0" },
	{ SYSFS "khugepaged/alloc_sleep_millisecs", "0" },
	{ SYSFS "khugepaged/pages_to_scan", "65536" },
	{ SYSFS "enabled", NULL },
};

#define KNOBS 4

static char were[KNOBS][64];

static void restore(void)
{
	for (int i = 0; i < KNOBS; i++)
		put_back(knobs[i][0], were[i]);
}

/* KiB that smaps counts as huge pages in the VMA at @p. */
static unsigned long huge_kib(void *p)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long sum = 0, kib, start, end;
	static char line[4096];
	bool inside = false;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = start == (uintptr_t)p;
		else if (inside &&
			 (sscanf(line, "AnonHugePages: %lu", &kib) == 1 ||
			  sscanf(line, "ShmemPmdMapped: %lu", &kib) == 1 ||
			  sscanf(line, "FilePmdMapped: %lu", &kib) == 1))
			sum += kib;
	}
	fclose(f);
	return sum;
}

/* The control: memory of the usual kind does get huge pages in this mode. */
static void control(const char *mode, bool advised, bool wanted)
{
	char *p = mmap(NULL, 2 * HUGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);
	char *huge = (char *)(((uintptr_t)p + HUGE_SIZE - 1) & -HUGE_SIZE);

	if (p == MAP_FAILED)
		bail("mmap: %s", strerror(errno));
	/* A VMA of its own, which smaps lists by this address. */
	munmap(p, huge - p);
	if (advised)
		madvise(huge, HUGE_SIZE, MADV_HUGEPAGE);
	*huge = 1;
	is(huge_kib(huge) > 0, wanted, "%s: huge pages for memory %s advice",
	   mode, advised ? "with" : "without");
	munmap(huge, p + 2 * HUGE_SIZE - huge);
}

struct arena {
	uint64_t id;
	unsigned int order;
};

static int check_content(void *arg)
{
	struct arena *a = arg;
	char *p = map_id(a->id, R);
	int fd = select_id(a->id, 0);
	uint64_t before = info(fd).attachments;

	madvise(p, morsel_size(a->order), MADV_HUGEPAGE);
	need(bad_stamps(p, a->order, N) == 0);
	need(info(fd).attachments == before + 1);
	need(huge_kib(p) == 0);
	return 0;
}

static void attached(const char *mode, unsigned int order)
{
	struct arena a = { .order = order };
	size_t size = morsel_size(order);
	int fd = create(order, &a.id);
	char *p = map(fd, RW);

	madvise(p, size, MADV_HUGEPAGE);
	put_stamps(p, order, N);
	is(info(fd).attachments, 1, "%s, order %u: one entry", mode, order);
	is(reap(spawn(check_content, &a)), 0,
	   "%s, order %u: one more, and the content, in a second process", mode,
	   order);
	is_errno(madvise(p, HUGE_SIZE, MADV_COLLAPSE), EINVAL,
		 "%s, order %u: EINVAL: MADV_COLLAPSE", mode, order);
	is(bad_stamps(p, order, N), 0, "%s, order %u: content", mode, order);
	is(info(fd).attachments, 1, "%s, order %u: one entry still", mode,
	   order);
	is(huge_kib(p), 0, "%s, order %u: no huge pages", mode, order);
	unmap(p, order);
	destroy(fd);
}

/* Twice, since the first round may have begun before. */
static bool scanned_again(void)
{
	unsigned long start;
	char text[32];

	get_text(SYSFS "khugepaged/full_scans", text, sizeof(text));
	start = strtoul(text, NULL, 10);
	for (int i = 0; i < 1000; i++) {
		get_text(SYSFS "khugepaged/full_scans", text, sizeof(text));
		if (strtoul(text, NULL, 10) >= start + 2)
			return true;
		usleep(10000);
	}
	return false;
}

/*
 * A whole table of leaves of one's own, all that khugepaged looks for: under a
 * protection key nothing is attached.
 */
static void own_leaves(const char *mode)
{
	struct arena a = { .order = 1 };
	int fd = create(1, &a.id), key = pkey_alloc(0, 0);
	char *p = map(fd, RW);
	uint64_t frames;

	if (key < 0 || pkey_mprotect(p, HUGE_SIZE, RW, key))
		bail("protection key: %s", strerror(errno));
	madvise(p, HUGE_SIZE, MADV_HUGEPAGE);
	put_stamps(p, 1, N);
	is(info(fd).attachments, 0, "%s, own leaves: not attached", mode);
	frames = info(fd).data_frames;
	is_errno(madvise(p, HUGE_SIZE, MADV_COLLAPSE), EINVAL,
		 "%s, own leaves: EINVAL: MADV_COLLAPSE", mode);
	if (strcmp(mode, "never"))
		ok(scanned_again(), "%s: khugepaged has been here", mode);
	is(huge_kib(p), 0, "%s, own leaves: no huge pages", mode);
	is(info(fd).data_frames, frames, "%s, own leaves: the same frames",
	   mode);
	is(bad_stamps(p, 1, N), 0, "%s, own leaves: content", mode);
	is(reap(spawn(check_content, &a)), 0,
	   "%s, own leaves: content in a second process", mode);
	unmap(p, 1);
	destroy(fd);
	pkey_free(key);
}

static unsigned long folios_of_64k(void)
{
	char text[32];

	get_text(SYSFS "hugepages-64kB/stats/anon_fault_alloc", text,
		 sizeof(text));
	return strtoul(text, NULL, 10);
}

/* Room for one folio of 64 KiB wherever it is, and never for a larger one. */
static bool control_64k(void)
{
	unsigned long before = folios_of_64k();
	size_t size = 31 * PAGE;
	char *p = mmap(NULL, size + 2 * PAGE, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || mprotect(p + PAGE, size, RW))
		bail("control: %s", strerror(errno));
	memset(p + PAGE, 1, size);
	munmap(p, size + 2 * PAGE);
	return folios_of_64k() > before;
}

/* Sizes between a page and a table have settings of their own since 6.8. */
static void every_size(void)
{
	char(*texts)[128];
	glob_t sizes;

	if (glob(SYSFS "hugepages-*/enabled", 0, NULL, &sizes)) {
		skip("every size always", "this kernel has one size");
		return;
	}
	glob(SYSFS "hugepages-*/shmem_enabled", GLOB_APPEND, NULL, &sizes);
	glob(SYSFS "shmem_enabled", GLOB_APPEND, NULL, &sizes);
	texts = calloc(sizes.gl_pathc, sizeof(*texts));
	for (size_t i = 0; i < sizes.gl_pathc; i++) {
		get_text(sizes.gl_pathv[i], texts[i], sizeof(texts[i]));
		put_text(sizes.gl_pathv[i], "always");
	}

	ok(control_64k(), "every size: others get a folio of 64 KiB");
	for (unsigned int order = 1; order <= max_order(); order++)
		attached("every size", order);
	own_leaves("every size");
	for (size_t i = 0; i < sizes.gl_pathc; i++)
		put_back(sizes.gl_pathv[i], texts[i]);
	free(texts);
	globfree(&sizes);
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	for (int i = 0; i < KNOBS; i++) {
		get_text(knobs[i][0], were[i], sizeof(were[i]));
		if (knobs[i][1])
			put_text(knobs[i][0], knobs[i][1]);
	}
	for (int i = 0; i < 3; i++) {
		put_text(SYSFS "enabled", modes[i]);
		control(modes[i], false, i == 0);
		control(modes[i], true, i < 2);
		for (unsigned int order = 1; order <= max_order(); order++)
			attached(modes[i], order);
		own_leaves(modes[i]);
	}
	put_text(SYSFS "enabled", "always");
	every_size();
	restore();
	return guest_done();
}

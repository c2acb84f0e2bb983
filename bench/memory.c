// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kinds of memory; see memory.h.  Whatever of the machine a kind needs, mounts
 * and huge pages, it makes when it is first asked for and takes away at the end.
 */
#include "memory.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define HUGE_PAGE (2 * MIB)

static const char *directory;

/* Mounts of our own, at @at, to be undone. */
static struct mounted {
	const char *options;
	char at[32];
} mounts[4];
static int n_mounts;
static long long huge_pages_before = -1;

#define HUGE_PAGES "/proc/sys/vm/nr_hugepages"
#define SHMEM_HUGE "/sys/kernel/mm/transparent_hugepage/shmem_enabled"

static bool write_to(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 &&
		    write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

static int order_of(const struct memory *m, size_t size)
{
	return m->order ? m->order : morsel_order_for(size);
}

static int open_morsel(const struct memory *m, size_t size)
{
	int order = order_of(m, size);
	int fd = morsel_create(device(), order, 0600, MORSEL_CREATE_EPHEMERAL,
			       NULL);

	if (fd < 0)
		die("create: %s", strerror(-fd));
	if (size > morsel_size(order))
		die("%zu MiB do not fit in a morsel of order %d", size / MIB,
		    order);
	return fd;
}

static int sized(int fd, size_t size, const struct memory *m)
{
	if (fd < 0 || ftruncate(fd, size))
		die("%s: %s", m->name, strerror(errno));
	return fd;
}

static int open_shm(const struct memory *m, size_t size)
{
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "/morsel-bench-%d", getpid());
	fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	shm_unlink(name);
	return sized(fd, size, m);
}

static int open_memfd(const struct memory *m, size_t size)
{
	return sized(memfd_create("morsel-bench", MFD_CLOEXEC), size, m);
}

static int open_hugetlb(const struct memory *m, size_t size)
{
	size = (size + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
	return sized(memfd_create("morsel-bench", MFD_CLOEXEC | MFD_HUGETLB),
		     size, m);
}

static const char *mounted(const char *options)
{
	for (int i = 0; i < n_mounts; i++)
		if (!strcmp(mounts[i].options, options))
			return mounts[i].at;
	return NULL;
}

static int open_tmpfs(const struct memory *m, size_t size)
{
	return sized(open(mounted(m->options), O_RDWR | O_TMPFILE | O_CLOEXEC,
			  0600),
		     size, m);
}

static int open_file(const struct memory *m, size_t size)
{
	return sized(open(directory, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600),
		     size, m);
}

static const char *lacks_device(const struct memory *m)
{
	(void)m;
	device();
	return NULL;
}

/* Huge pages of shared anonymous memory are by a switch of the whole machine. */
static const char *lacks_switch(const struct memory *m)
{
	char line[128] = "";
	FILE *f = fopen(SHMEM_HUGE, "re");

	(void)m;
	if (f) {
		if (!fgets(line, sizeof(line), f))
			line[0] = 0;
		fclose(f);
	}
	if (strstr(line, "[advise]") || strstr(line, "[always]"))
		return NULL;
	if (strstr(line, "[never]") && write_to(SHMEM_HUGE, "advise"))
		return NULL;
	return "no huge pages of shared memory: " SHMEM_HUGE;
}

static const char *lacks_mount(const struct memory *m)
{
	struct mounted *new = &mounts[n_mounts];

	if (mounted(m->options))
		return NULL;
	strcpy(new->at, "/tmp/morsel-bench-XXXXXX");
	if (!mkdtemp(new->at))
		return "no directory below /tmp";
	if (mount("tmpfs", new->at, "tmpfs", 0, m->options)) {
		rmdir(new->at);
		return "cannot mount tmpfs (are you root?)";
	}
	new->options = m->options;
	n_mounts++;
	return NULL;
}

static const char *lacks_huge_pages(const struct memory *m)
{
	char text[32];
	long long now = number_in(HUGE_PAGES, "");

	(void)m;
	if (huge_pages_before >= 0)
		return NULL;
	snprintf(text, sizeof(text), "%lld",
		 now + (long long)(MEMORY_HUGETLB_MOST / HUGE_PAGE));
	if (now < 0 || !write_to(HUGE_PAGES, text))
		return "cannot reserve huge pages (are you root?)";
	huge_pages_before = now;
	if (number_in(HUGE_PAGES, "") <
	    now + (long long)(MEMORY_HUGETLB_MOST / HUGE_PAGE))
		return "too few huge pages are free";
	return NULL;
}

static const char *lacks_directory(const struct memory *m)
{
	int fd;

	(void)m;
	if (!directory)
		return "no directory for files (--dir)";
	fd = open(directory, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	if (fd < 0)
		return "no unnamed files in --dir";
	close(fd);
	return NULL;
}

const struct memory memory_morsel = {
	.name = "morsel",
	.open = open_morsel,
	.flags = MAP_SHARED,
	.page = PAGE,
	.lacks = lacks_device,
	.whole = true,
};

/* For what does something to all that is mapped. */
const struct memory memory_morsel_part = {
	.name = "morsel",
	.open = open_morsel,
	.flags = MAP_SHARED,
	.page = PAGE,
	.lacks = lacks_device,
};

const struct memory memory_morsel_sequential = {
	.name = "morsel, MADV_SEQUENTIAL",
	.open = open_morsel,
	.flags = MAP_SHARED,
	.advice = MADV_SEQUENTIAL,
	.page = PAGE,
	.lacks = lacks_device,
	.whole = true,
};

const struct memory memory_morsel3 = {
	.name = "morsel, order 3",
	.open = open_morsel,
	.flags = MAP_SHARED,
	.page = PAGE,
	.lacks = lacks_device,
	.whole = true,
	.order = 3,
};

const struct memory memory_anonymous = {
	.name = "shared anonymous",
	.flags = MAP_SHARED | MAP_ANONYMOUS,
	.page = PAGE,
};

const struct memory memory_anonymous_huge = {
	.name = "shared anonymous, huge",
	.flags = MAP_SHARED | MAP_ANONYMOUS,
	.advice = MADV_HUGEPAGE,
	.page = HUGE_PAGE,
	.lacks = lacks_switch,
};

const struct memory memory_private = {
	.name = "private anonymous",
	.flags = MAP_PRIVATE | MAP_ANONYMOUS,
	.advice = MADV_NOHUGEPAGE,
	.page = PAGE,
};

const struct memory memory_private_huge = {
	.name = "private anonymous, THP",
	.flags = MAP_PRIVATE | MAP_ANONYMOUS,
	.advice = MADV_HUGEPAGE,
	.page = HUGE_PAGE,
};

const struct memory memory_shm = {
	.name = "POSIX shm",
	.open = open_shm,
	.flags = MAP_SHARED,
	.page = PAGE,
};

const struct memory memory_memfd = {
	.name = "memfd",
	.open = open_memfd,
	.flags = MAP_SHARED,
	.page = PAGE,
};

const struct memory memory_tmpfs = {
	.name = "tmpfs, huge=never",
	.open = open_tmpfs,
	.flags = MAP_SHARED,
	.page = PAGE,
	.lacks = lacks_mount,
	.options = "huge=never,size=90%",
};

const struct memory memory_tmpfs_huge = {
	.name = "tmpfs, huge=always",
	.open = open_tmpfs,
	.flags = MAP_SHARED,
	.page = HUGE_PAGE,
	.lacks = lacks_mount,
	.options = "huge=always,size=90%",
};

const struct memory memory_hugetlb = {
	.name = "hugetlbfs",
	.open = open_hugetlb,
	.flags = MAP_SHARED,
	.page = HUGE_PAGE,
	.lacks = lacks_huge_pages,
};

const struct memory memory_file = {
	.name = "ext4 file",
	.open = open_file,
	.flags = MAP_SHARED,
	.page = PAGE,
	.lacks = lacks_directory,
};

bool memory_there(const struct memory *m)
{
	const char *why = m->lacks ? m->lacks(m) : NULL;

	if (why)
		result_missing(m->name, why);
	return !why;
}

int memory_open(const struct memory *m, size_t size)
{
	return m->open ? m->open(m, size) : -1;
}

void memory_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* Bytes that are mapped for @size of them. */
static size_t extent(const struct memory *m, size_t size)
{
	if (m->whole)
		return morsel_size(order_of(m, size));
	return (size + m->page - 1) & ~(m->page - 1);
}

char *memory_map(const struct memory *m, int fd, size_t size, int prot,
		 int flags)
{
	/* Before a page is there, or it comes too late. */
	int before = m->advice ? flags & ~MAP_POPULATE : flags;
	char *p;

	size = extent(m, size);
	p = mmap(NULL, size, prot, m->flags | before, fd, 0);
	if (p == MAP_FAILED)
		die("mmap of %s: %s", m->name, strerror(errno));
	if (m->advice && madvise(p, size, m->advice))
		die("madvise of %s: %s", m->name, strerror(errno));
	if (flags != before && madvise(p, size,
				       prot & PROT_WRITE ? MADV_POPULATE_WRITE :
							   MADV_POPULATE_READ))
		die("populating %s: %s", m->name, strerror(errno));
	return p;
}

void memory_unmap(const struct memory *m, char *p, size_t size)
{
	if (munmap(p, extent(m, size)))
		die("munmap: %s", strerror(errno));
}

void memory_write(char *p, size_t size, size_t page)
{
	for (size_t at = 0; at < size; at += page)
		*(volatile char *)(p + at) = 1;
}

void memory_read(char *p, size_t size, size_t page)
{
	for (size_t at = 0; at < size; at += page)
		(void)*(volatile char *)(p + at);
}

int memory_filled(const struct memory *m, size_t size)
{
	int fd = memory_open(m, size);
	char *p = memory_map(m, fd, size, RW, 0);

	memory_write(p, size, PAGE);
	memory_unmap(m, p, size);
	return fd;
}

void memory_set_directory(const char *dir)
{
	directory = dir;
}

void memory_cleanup(void)
{
	char text[32];

	while (n_mounts > 0) {
		n_mounts--;
		umount(mounts[n_mounts].at);
		rmdir(mounts[n_mounts].at);
	}
	if (huge_pages_before >= 0) {
		snprintf(text, sizeof(text), "%lld", huge_pages_before);
		write_to(HUGE_PAGES, text);
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/* failnth: operations on content, by mapping. */
#include "failnth.h"

#include <sys/uio.h>

/* Of "data", made before; and a mapping of all of it. */
static int fd = -1, other = -1;
static char *map;

static int opened(void)
{
	fd = open("data", O_RDWR | O_CLOEXEC);
	other = open("other", O_RDONLY | O_CLOEXEC);
	return fd < 0 || other < 0;
}

static int mapped(void)
{
	if (opened())
		return 1;
	map = map_file(fd, SPAN, RW, MAP_SHARED);
	return map[0] == 0;
}

static int mapped_private(void)
{
	if (opened())
		return 1;
	map = map_file(fd, SPAN, RW, MAP_PRIVATE);
	return map[0] == 0;
}

/* A fault that fails for memory is taken again.  Nothing is changed. */
static int look(int prot, int flags, size_t len)
{
	char *p = mmap(NULL, len, prot, flags, fd, 0);
	int missing = 0;

	if (p == MAP_FAILED)
		return errno;
	for (unsigned int n = 0; n < WINDOWS && window(n) < (off_t)len; n++)
		missing += !*(volatile char *)(p + window(n));
	return missing ? EIO : failed(munmap(p, len));
}

static int look_rw(void)
{
	return look(RW, MAP_SHARED, SPAN);
}

static int look_r(void)
{
	return look(R, MAP_SHARED, SPAN);
}

static int look_rx(void)
{
	return look(R | X, MAP_SHARED, SPAN);
}

static int look_rwx(void)
{
	return look(RW | X, MAP_SHARED, SPAN);
}

static int look_part(void)
{
	return look(RW, MAP_SHARED, 3 * PAGE);
}

static int look_private(void)
{
	return look(R, MAP_PRIVATE, SPAN);
}

static int look_populated(void)
{
	return look(RW, MAP_SHARED | MAP_POPULATE, 4 * PAGE);
}

static void put(char *p)
{
	for (unsigned int n = 0; n < WINDOWS; n++)
		fill(p + window(n), window(n), WINDOW, 4);
}

/* Into pages that are there, and into holes. */
static int store(void)
{
	char *p = mmap(NULL, SPAN, RW, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return errno;
	put(p);
	return failed(munmap(p, SPAN));
}

/* Holes, which nobody has looked at. */
static int longer(void)
{
	return opened() || ftruncate(fd, SPAN);
}

static int mapped_longer(void)
{
	if (longer())
		return 1;
	map = map_file(fd, SPAN, RW, MAP_SHARED);
	return 0;
}

/* Copies of the process's own: those of the file stay as they are. */
static int store_private(void)
{
	char *p = mmap(NULL, SPAN, RW, MAP_PRIVATE, fd, 0);
	int wrong = 0;

	if (p == MAP_FAILED)
		return errno;
	put(p);
	for (unsigned int n = 0; n < WINDOWS; n++)
		wrong += differ(p + window(n), window(n), WINDOW, 4) != 0;
	return wrong ? EIO : failed(munmap(p, SPAN));
}

/* Of pages that were read by it before. */
static int store_private_later(void)
{
	map[PAGE] = 'p';
	return map[PAGE] == 'p' && map[PAGE + 1] ? 0 : EIO;
}

static int populate_write(void)
{
	return failed(
		madvise(map + 2 * MIB - 2 * PAGE, WINDOW, MADV_POPULATE_WRITE));
}

static int populate_private(void)
{
	return failed(
		madvise(map + GIB - 2 * PAGE, WINDOW, MADV_POPULATE_WRITE));
}

static int advise_remove(void)
{
	return failed(madvise(map + GIB - PAGE, 2 * PAGE, MADV_REMOVE));
}

static int advise_dontneed(void)
{
	return failed(madvise(map, SPAN, MADV_DONTNEED));
}

/* The kernel writes. */
static int read_into(void)
{
	return all_done(pread(other, map + GIB - PAGE, 2 * PAGE, 0), 2 * PAGE);
}

static int by_another(void)
{
	static char from[PAGE];
	struct iovec local = { from, PAGE }, remote = { map + GIB, PAGE };

	fill(from, 0, PAGE, 5);
	return all_done(process_vm_writev(getpid(), &local, 1, &remote, 1, 0),
			PAGE);
}

static int protect_part(void)
{
	return failed(mprotect(map + PAGE, PAGE, R));
}

static int unmap_part(void)
{
	return failed(munmap(map + PAGE, PAGE));
}

static int move(void)
{
	char *to =
		mmap(NULL, SPAN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (to == MAP_FAILED)
		return errno;
	if (mremap(map, SPAN, SPAN, MREMAP_MAYMOVE | MREMAP_FIXED, to) ==
	    MAP_FAILED) {
		int err = errno;

		/* It may have unmapped what was there. */
		munmap(to, SPAN);
		return err;
	}
	map = to;
	return map[GIB] ? 0 : EIO;
}

static int lock(void)
{
	int err = failed(mlock(map, 3 * PAGE));

	return err ? err : failed(munlock(map, 3 * PAGE));
}

static int fork_it(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(map[0] && map[2 * MIB] && map[GIB] ? 0 : 1);
	if (pid < 0)
		return errno;
	return reap(pid) ? EIO : 0;
}

static int shrink(void)
{
	return failed(ftruncate(fd, PAGE));
}

static int punch(void)
{
	return failed(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				PAGE, GIB));
}

const struct op on_maps[] = {
	{ "map and read, RW", FULL, opened, look_rw, false },
	{ "map and read, R", FULL, opened, look_r, false },
	{ "map and read, RX", FULL, opened, look_rx, false },
	{ "map and read, RWX", FULL, opened, look_rwx, false },
	{ "map and read, a part", FULL, opened, look_part, false },
	{ "map and read, private", FULL, opened, look_private, false },
	{ "MAP_POPULATE", FULL, opened, look_populated, false },
	{ "map and write, pages", FULL, opened, store, true },
	{ "map and write, holes", EMPTY, longer, store, true },
	{ "private copies", FULL, opened, store_private, false },
	{ "private copies of holes", EMPTY, longer, store_private, false },
	{ "a private copy of what was read", FULL, mapped_private,
	  store_private_later, false },
	{ "MADV_POPULATE_WRITE", EMPTY, mapped_longer, populate_write, false },
	{ "MADV_POPULATE_WRITE, private", FULL, mapped_private,
	  populate_private, false },
	{ "MADV_REMOVE", FULL, mapped, advise_remove, true },
	{ "MADV_DONTNEED", FULL, mapped, advise_dontneed, false },
	{ "read() into a mapping", EMPTY, mapped_longer, read_into, true },
	{ "written by the kernel", EMPTY, mapped_longer, by_another, true },
	{ "mprotect of a part", FULL, mapped, protect_part, false },
	{ "munmap of a part", FULL, mapped, unmap_part, false },
	{ "mremap", FULL, mapped, move, false },
	{ "mlock", FULL, mapped, lock, false },
	{ "fork", FULL, mapped, fork_it, false },
	{ "ftruncate of what is mapped", FULL, mapped, shrink, true },
	{ "punch of what is mapped", FULL, mapped, punch, true },
};
const size_t n_on_maps = sizeof(on_maps) / sizeof(*on_maps);

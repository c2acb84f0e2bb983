// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a file is moved while others use it, by mappings with all rights and by
 * system calls.  There are two files.  The end of the first is one process's to move:
 *
 *   - its size is what was said last;
 *   - when the call has returned, what is behind the new end is in no mapping,
 *     whatever its rights.
 *
 * That of the second is moved by several, by truncating, writing and allocating.  Of
 * both holds:
 *
 *   - what is found at a place is zero or what belongs there, whoever looks, and by
 *     whatever way: never another file's, and nothing that is half done;
 *   - when all is quiet, a file takes as many pages as it says that it has data:
 *     there is none behind its end.
 */
#include "crew.h"

enum { CUT, ANY, FILES };
enum { CUTS, FOUND, FAULTS, CHANGES };
static const char *const counted[] = { "truncations", "words found", "SIGBUS",
				       "changes of the other file", NULL };
static const char *const names[FILES] = { "cut", "any" };

#define POPULATED (512 * MIB) /* a table that is populated at once */

static int fds[FILES];
/* By the right to write, to read, to execute. */
static char *maps[FILES][3];

static void begin(void)
{
	static const int rights[] = { RW, R, R | X };

	for (int f = 0; f < FILES; f++) {
		fds[f] = file(names[f], 0, 0);
		for (int r = 0; r < 3; r++)
			maps[f][r] =
				map_file(fds[f], SPAN, rights[r], MAP_SHARED);
	}
}

static void check(uint64_t got, off_t at, int f)
{
	if (got)
		crew_count(FOUND);
	if (!word_fits(got, at, f))
		crew_wrong("%s: %#llx at %#llx", names[f],
			   (unsigned long long)got, (unsigned long long)at);
}

static off_t any_word(void)
{
	return any_place() + random64() % (PAGE / 8) * 8;
}

/*
 * By mappings
 */
static void look(int f, int right)
{
	off_t at = any_word();
	uint64_t got;

	if (peek(maps[f][right] + at, &got))
		check(got, at, f);
	else
		crew_count(FAULTS);
}

static void use(void)
{
	int f = random64() % FILES;
	off_t at = any_word();

	if (!poke(maps[f][0] + at, word_of(at, f)))
		crew_count(FAULTS);
	look(f, random64() % 3);
}

static void use_others(void)
{
	int f = random64() % FILES, right = 1 + random64() % 2;

	look(f, right);
	if (random64() % 64 == 0)
		madvise(maps[f][right], SPAN, MADV_DONTNEED);
}

/* A table of the first one, page after page: its end may be moved meanwhile. */
static void populate(void)
{
	if (madvise(maps[CUT][0] + POPULATED, 2 * MIB, MADV_POPULATE_WRITE) &&
	    errno != EFAULT)
		bail("MADV_POPULATE_WRITE: %s", strerror(errno));
}

/*
 * By system calls
 */
static void read_some(void)
{
	uint64_t words[2 * PAGE / 8];
	int f = random64() % FILES;
	off_t at = any_place();
	ssize_t n = pread(fds[f], words, sizeof(words), at);

	if (n < 0)
		bail("read: %s", strerror(errno));
	for (ssize_t i = 0; i < n / 8; i++)
		check(words[i], at + i * 8, f);
}

static void write_some(int f, off_t at, size_t len)
{
	char bytes[2 * PAGE];

	fill(bytes, at, len, f);
	if (pwrite(fds[f], bytes, len, at) != (ssize_t)len)
		bail("write: %s", strerror(errno));
}

static void call(void)
{
	read_some();
	/* In the first page, which is never cut off: that moves no end. */
	write_some(CUT, 8 * (random64() % 256), 8 * (1 + random64() % 255));
}

static void change(void)
{
	off_t at = any_place();
	int err = 0;

	switch (random64() % 6) {
	case 0:
		err = ftruncate(fds[ANY], at + random64() % PAGE / 8 * 8);
		break;
	case 1:
		err = fallocate(fds[ANY], 0, at, 2 * PAGE);
		break;
	case 2:
		err = fallocate(fds[ANY],
				FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at,
				PAGE);
		break;
	case 3:
		err = fallocate(fds[ANY], FALLOC_FL_ZERO_RANGE, at + 8, PAGE);
		break;
	default:
		write_some(ANY, at + 8 * (random64() % 256), PAGE);
	}
	if (err && errno != EOPNOTSUPP)
		bail("change: %s", strerror(errno));
	crew_count(CHANGES);
}

/* Holes in the first one, and what is allocated in it where it is long enough. */
static void disturb(void)
{
	off_t at = any_place();

	if (fallocate(fds[CUT], FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at,
		      2 * PAGE))
		bail("punch: %s", strerror(errno));
	at = any_place();
	if (fs_morsels &&
	    fallocate(fds[CUT], FALLOC_FL_KEEP_SIZE, at, 2 * PAGE) &&
	    errno != EOPNOTSUPP)
		bail("fallocate: %s", strerror(errno));
}

/*
 * Who moves the end of the first one
 */
static void truncate_to(off_t size)
{
	if (ftruncate(fds[CUT], size))
		bail("ftruncate: %s", strerror(errno));
	if (status(fds[CUT]).st_size != size)
		crew_wrong("%lld bytes, not %lld",
			   (long long)status(fds[CUT]).st_size,
			   (long long)size);
}

static void must_be_gone(off_t at, off_t size)
{
	uint64_t got;

	for (int r = 0; at >= size && r < 3; r++)
		if (peek(maps[CUT][r] + at, &got))
			crew_wrong("%#llx at %#llx, behind %#llx",
				   (unsigned long long)got,
				   (unsigned long long)at,
				   (unsigned long long)size);
}

static void cut(void)
{
	off_t size = 2 * PAGE + any_place() - random64() % PAGE;
	uint64_t got;

	/* What it has in its TLB it must lose; or others are just about to fault. */
	if (random64() % 2)
		for (unsigned int i = 0; i < PLACES; i++)
			peek(maps[CUT][i % 3] + place(i), &got);
	truncate_to(size);
	/* Tables are attached again: what is in them is seen without a fault. */
	for (int r = 0; r < 3; r++)
		peek(maps[CUT][r], &got);
	for (unsigned int i = 0; i < PLACES; i++)
		must_be_gone(place(i), size);
	for (unsigned int i = 0; i < PLACES; i++)
		must_be_gone(POPULATED + random64() % 512 * PAGE, size);
	truncate_to(SPAN);
	crew_count(CUTS);
}

static void before(void)
{
	close(file(names[CUT], O_TRUNC, SPAN));
	close(file(names[ANY], O_TRUNC, 0));
}

static void after(void)
{
	for (int f = 0; f < FILES; f++) {
		int fd = file(names[f], 0, 0);

		/* Others keep what is allocated apart from data. */
		if (fs_morsels && pages_taken(fd) != pages_there(fd))
			crew_wrong("%s: %ld pages, %ld have data", names[f],
				   pages_taken(fd), pages_there(fd));
		if (ftruncate(fd, 0) || pages_taken(fd))
			crew_wrong("%s: %ld pages, and no bytes", names[f],
				   pages_taken(fd));
		close(fd);
	}
}

int main(int argc, char **argv)
{
	static const struct hand hands[] = {
		{ begin, cut, 0 },	{ begin, use, 1 },
		{ begin, use, 0 },	{ begin, use_others, 0 },
		{ begin, call, 0 },	{ begin, change, 0 },
		{ begin, change, 0 },	{ begin, disturb, 0 },
		{ begin, populate, 0 },
	};
	static const struct race race = {
		.hands = hands,
		.n = sizeof(hands) / sizeof(*hands),
		.seconds = 1,
		.before = before,
		.after = after,
		.counted = counted,
	};

	fs_init(argc, argv);
	crew_race(&race);
	return fs_done();
}

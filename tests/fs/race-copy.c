// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private copies of the pages of a file, while it is cut off and made longer again,
 * punched and written.  Several processes put a mark into their copies:
 *
 *   - a mark is never found in the file;
 *   - a copy outlives holes and whatever is written to the file;
 *   - what was cut off takes the copies with it that were made before: the mark is
 *     gone when the file is longer again, also in a child;
 *   - what is found in place of a mark is zero or what belongs there.
 */
#include "crew.h"

/* No byte of it is one of a file's, which are odd. */
#define MARK 0x7e7e7e7e7e7e7e7eull
#define KEPT 4 /* pages, which are never cut off */

enum { MARKED, LASTED, GONE, CUTS, HOLES, FORKS };
static const char *const counted[] = { "marks",	      "that lasted", "cut off",
				       "truncations", "holes",	     "forks",
				       NULL };

/* Odd while the file is cut off: an even one tells what has been cut off since. */
static atomic_ulong *cuts;

static int fd;
static char *map;

/* Of this process: when each place was marked; 0: it may be marked or not. */
static unsigned long marked[PLACES];

static void begin(void)
{
	fd = file("file", 0, 0);
	map = map_file(fd, SPAN, RW, MAP_SHARED);
}

static void begin_private(void)
{
	fd = file("file", 0, 0);
	map = map_file(fd, SPAN, RW, MAP_PRIVATE);
	memset(marked, 0, sizeof(marked));
}

static char *word_at(unsigned int i)
{
	return map + place(i) + 8 * i;
}

static bool kept(unsigned int i)
{
	return place(i) < KEPT * PAGE;
}

/* Looks at one place, and at what has happened meanwhile. */
static void check(unsigned int i)
{
	unsigned long at = atomic_load(cuts);
	uint64_t got = 0;
	bool there = peek(word_at(i), &got), quiet;

	quiet = at % 2 == 0 && atomic_load(cuts) == at;
	if (got != MARK && !word_fits(got, place(i) + 8 * i, 0))
		crew_wrong("%#llx in a copy of page %u",
			   (unsigned long long)got, i);
	if (!marked[i])
		return;
	if (kept(i) || (quiet && marked[i] == at)) {
		if (!there || got != MARK)
			crew_wrong("the copy of page %u is lost: %#llx", i,
				   (unsigned long long)got);
		crew_count(LASTED);
	} else if (quiet) {
		if (got == MARK)
			crew_wrong(
				"the copy of page %u was cut off and is there",
				i);
		crew_count(GONE);
	}
}

static void mark(unsigned int i)
{
	unsigned long at = atomic_load(cuts);

	if (!poke(word_at(i), MARK)) {
		marked[i] = 0;
		return;
	}
	marked[i] = kept(i) || (at % 2 == 0 && atomic_load(cuts) == at) ? at :
									  0;
	crew_count(MARKED);
}

/* Its copies are those of the parent. */
static void check_in_child(void)
{
	pid_t pid = fork();

	if (!pid) {
		for (unsigned int i = 0; i < PLACES; i++)
			check(i);
		_exit(0);
	}
	if (pid < 0 || reap(pid))
		crew_wrong("a child has failed");
	crew_count(FORKS);
}

static void copy(void)
{
	unsigned int i = random64() % PLACES;

	check(i);
	if (random64() % 16 == 0) {
		madvise(map + place(i), PAGE, MADV_DONTNEED);
		marked[i] = 0;
	}
	if (random64() % 2)
		mark(i);
	if (random64() % 256 == 0)
		check_in_child();
}

static void cut(void)
{
	atomic_fetch_add(cuts, 1);
	if (ftruncate(fd, KEPT * PAGE) || ftruncate(fd, SPAN))
		bail("ftruncate: %s", strerror(errno));
	atomic_fetch_add(cuts, 1);
	crew_count(CUTS);
	usleep(random64() % 20000);
}

static void punch(void)
{
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      any_place(), 2 * PAGE))
		bail("punch: %s", strerror(errno));
	crew_count(HOLES);
	usleep(1000);
}

/* By the mapping and by a call; and looks for marks. */
static void use(void)
{
	uint64_t words[PAGE / 8];
	off_t at = any_place();
	ssize_t n;

	for (int i = 0; i < PAGE; i += 128)
		poke(map + at + i, word_of(at + i, 0));
	at = any_place();
	n = pread(fd, words, PAGE, at);
	for (ssize_t i = 0; i < n / 8; i++)
		if (!word_fits(words[i], at + i * 8, 0))
			crew_wrong("%#llx in the file, at %#llx",
				   (unsigned long long)words[i],
				   (unsigned long long)at + i * 8);
}

static void before(void)
{
	close(file("file", O_TRUNC, SPAN));
	atomic_store(cuts, 2);
}

static void after(void)
{
	int f = file("file", 0, 0);

	if (fs_morsels && pages_taken(f) != pages_there(f))
		crew_wrong("%ld pages, %ld have data", pages_taken(f),
			   pages_there(f));
	close(f);
}

int main(int argc, char **argv)
{
	static const struct hand hands[] = {
		{ begin_private, copy, 0 }, { begin_private, copy, 0 },
		{ begin_private, copy, 0 }, { begin, use, 1 },
		{ begin, cut, 0 },	    { begin, punch, 0 },
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
	cuts = shared(sizeof(*cuts));
	crew_race(&race);
	return fs_done();
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A new file after the other, each of which gets larger by orders at once in several
 * processes: these put a word each at its start, behind 2 MiB and behind 1 GiB, by
 * mappings and by writing, some while it is still made longer.
 *
 *   - whoever grew it, all words are there afterwards, by old mappings and by new
 *     ones, whatever their rights, and by read();
 *   - it takes the pages that were written, and exactly the tables that they need.
 */
#include "crew.h"

#define HANDS 4
#define BORDERS 3
#define LENGTH (GIB + HANDS * PAGE)
/* An order-3 root, two tables of order 2, three of order 1. */
#define TABLES 6

enum { GROWN };
static const char *const counted[] = { "files", NULL };

/* Who does what in a file. */
enum { BY_FAULT, BY_WRITE, BY_BOTH, LONGER, ALL_KINDS };

static struct {
	atomic_uint members, here, met;
	atomic_ulong file;
	atomic_bool over;
} * grow;

static unsigned int me;

static void begin(void)
{
	me = atomic_fetch_add(&grow->members, 1);
}

/*
 * Wait for all; false when there is no going on.  Who waits looks for a while before
 * others may run: those who have a processor are to go on at the same moment.
 */
static bool meet(void)
{
	unsigned int met = atomic_load(&grow->met);

	if (atomic_fetch_add(&grow->here, 1) + 1 == HANDS) {
		atomic_store(&grow->here, 0);
		atomic_fetch_add(&grow->met, 1);
		return true;
	}
	for (int i = 0; atomic_load(&grow->met) == met; i++) {
		if (atomic_load(&crew->wrong))
			return false;
		if (i > 1000)
			sched_yield();
	}
	return true;
}

static off_t where(unsigned int border, unsigned int hand)
{
	static const off_t start[BORDERS] = { 0, 2 * MIB, GIB };

	return start[border] + hand * PAGE;
}

static uint64_t word(unsigned int border, unsigned int hand)
{
	return word_of(where(border, hand), atomic_load(&grow->file));
}

static void by_fault(char *p, unsigned int border)
{
	/* It is not as long yet. */
	while (!poke(p + where(border, me), word(border, me)))
		if (atomic_load(&crew->wrong))
			return;
}

static void by_write(int fd, unsigned int border)
{
	uint64_t value = word(border, me);

	if (pwrite(fd, &value, 8, where(border, me)) != 8)
		crew_wrong("write: %s", strerror(errno));
}

/* With others at the same border, or at another one. */
static void write_all(int fd, char *p, unsigned int kind)
{
	unsigned int first = random64() % 2 ? 0 : random64() % BORDERS;

	for (unsigned int i = 0; i < BORDERS; i++) {
		unsigned int border = (first + i) % BORDERS;

		if (kind == LONGER && me == 0) {
			if (ftruncate(fd, where(i, HANDS)))
				crew_wrong("ftruncate: %s", strerror(errno));
			by_fault(p, i);
		} else if (kind == BY_WRITE || (kind == BY_BOTH && me % 2)) {
			by_write(fd, border);
		} else {
			by_fault(p, border);
		}
	}
}

static void check_all(int fd, char *p, const char *how)
{
	for (unsigned int border = 0; border < BORDERS; border++)
		for (unsigned int hand = 0; hand < HANDS; hand++) {
			off_t at = where(border, hand);
			uint64_t got = 0, want = word(border, hand);

			if (p ? !peek(p + at, &got) :
				pread(fd, &got, 8, at) != 8)
				crew_wrong("%s: nothing at %#llx", how,
					   (unsigned long long)at);
			else if (got != want)
				crew_wrong("%s: %#llx at %#llx, not %#llx", how,
					   (unsigned long long)got,
					   (unsigned long long)at,
					   (unsigned long long)want);
		}
}

static void check_frames(int fd)
{
	if (pages_taken(fd) != HANDS * BORDERS)
		crew_wrong("%ld pages", pages_taken(fd));
	if (fs_morsels && tables(fd) != TABLES)
		crew_wrong("%ld tables", tables(fd));
}

static void make(unsigned int kind)
{
	atomic_store(&grow->over, atomic_load(&crew->stop));
	unlink("grow");
	close(file("grow", 0, kind == LONGER ? 0 : LENGTH));
}

static void one_file(unsigned int kind)
{
	int fd = file("grow", 0, 0);
	char *p = map_file(fd, LENGTH, RW, MAP_SHARED), *q;

	if (!meet())
		return;
	write_all(fd, p, kind);
	if (!meet())
		return;
	if (me == 0) {
		check_frames(fd);
		crew_count(GROWN);
	}
	if (!meet())
		return;
	q = map_file(fd, LENGTH, me % 2 ? R : R | X, MAP_SHARED);
	check_all(fd, p, "the old mapping");
	check_all(fd, q, "a new one");
	check_all(fd, NULL, "read()");
	munmap(p, LENGTH);
	munmap(q, LENGTH);
	close(fd);
}

/* Nobody leaves before all do. */
static void turn(void)
{
	unsigned int kind;

	while (meet()) {
		kind = atomic_load(&grow->file) % ALL_KINDS;
		if (me == 0)
			make(kind);
		if (!meet() || atomic_load(&grow->over))
			return;
		one_file(kind);
		if (!meet())
			return;
		if (me == 0)
			atomic_fetch_add(&grow->file, 1);
	}
}

static void before(void)
{
	atomic_store(&grow->members, 0);
	atomic_store(&grow->here, 0);
	atomic_store(&grow->over, false);
}

int main(int argc, char **argv)
{
	static const struct hand hands[HANDS] = { { begin, turn, 0 },
						  { begin, turn, 0 },
						  { begin, turn, 0 },
						  { begin, turn, 0 } };
	static const struct race race = {
		.hands = hands,
		.n = HANDS,
		.seconds = 5,
		.before = before,
		.counted = counted,
	};

	fs_init(argc, argv);
	grow = shared(sizeof(*grow));
	crew_race(&race);
	return fs_done();
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes and threads that use mappings of files while these are truncated,
 * punched, renamed, replaced and unlinked.  Each word that is ever written says
 * which file, page and place it is for, and its generation; who reads one finds
 * zero, or what belongs there and has not been taken away since.  So a page that
 * went to another file is seen, and content that came back, and a write that was
 * lost.
 *
 * Words are written by mappings only, and taken away in whole pages: the kernel
 * copies and clears bytes, and half a word would look like a wrong one.
 */
#include "fs.h"

#include <linux/fs.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/xattr.h>

#define SLOTS 4 /* names of files */
#define PAGES 48 /* of a file that are used, around borders of tables */
#define WORDS (PAGE / 8)
#define KEPT 4 /* pages at the start, which are never taken away */
#define WRITERS 2
#define FILES (1 << 14) /* with a number of their own */
#define LENGTH (GIB + PAGES * PAGE)
#define TURN 300 /* accesses to a file before the next one */

/* What has been done, by everybody. */
enum {
	FOUND,
	ZERO,
	FAULT,
	WRITE_KEPT,
	WROTE,
	PUNCH,
	CUT,
	SWAP,
	REPLACE,
	UNLINK,
	FORK,
	COUNTS
};
static const char *const counted[COUNTS] = {
	"words found",	 "zeroes found", "SIGBUS",	"words that must last",
	"pages written", "holes",	 "truncations", "exchanges",
	"replacements",	 "unlinks",	 "forks"
};

/* Of a file by its number: what is written now, what may be found. */
struct info {
	atomic_uint generation, least[PAGES];
};

static struct race {
	atomic_bool stop;
	atomic_int wrong;
	atomic_uint next;
	atomic_ulong counts[COUNTS];
	/* The file and the generation that each writer is about to write. */
	_Atomic uint64_t active[WRITERS];
	struct info files[FILES];
} * race;

static __thread sigjmp_buf out;

static void on_bus(int sig)
{
	siglongjmp(out, sig);
}

static void count(int what)
{
	atomic_fetch_add_explicit(&race->counts[what], 1, memory_order_relaxed);
}

static off_t place(unsigned int page)
{
	static const off_t start[] = { 0, 2 * MIB - 8 * PAGE, GIB - 8 * PAGE };

	return start[page % 3] + page / 3 * PAGE;
}

static bool kept(unsigned int page)
{
	return place(page) < KEPT * PAGE;
}

/* Generation in the low three bytes, of which the others are independent. */
static uint64_t word_of(unsigned int file, unsigned int page, unsigned int i,
			unsigned int generation)
{
	return 0x155ull << 55 | (uint64_t)file << 41 | (uint64_t)page << 33 |
	       (uint64_t)i << 24 | generation;
}

static _Atomic uint64_t *word_at(char *map, unsigned int page, unsigned int i)
{
	return (_Atomic uint64_t *)(map + place(page)) + i;
}

/* An open file is known by an attribute, wherever it has moved to. */
static int open_slot(unsigned int slot, unsigned int *file)
{
	char name[8], number[16];
	int fd, n;

	snprintf(name, sizeof(name), "%u", slot);
	fd = open(name, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = fgetxattr(fd, "trusted.number", number, sizeof(number) - 1);
	if (n <= 0)
		bail("a file without a number");
	number[n] = 0;
	*file = atoi(number);
	return fd;
}

/* With a new number, in place of what has the name. */
static void make(unsigned int slot)
{
	unsigned int file = atomic_fetch_add(&race->next, 1);
	char name[8], number[16], temporary[32];
	int fd;

	if (file >= FILES)
		bail("too many files");
	snprintf(name, sizeof(name), "%u", slot);
	snprintf(number, sizeof(number), "%u", file);
	snprintf(temporary, sizeof(temporary), "new.%u", file);
	atomic_store(&race->files[file].generation, 1);
	fd = open(temporary, O_CREAT | O_EXCL | O_RDWR, 0600);
	if (fd < 0 || ftruncate(fd, LENGTH) ||
	    fsetxattr(fd, "trusted.number", number, strlen(number), 0) ||
	    rename(temporary, name))
		bail("%s: %s", temporary, strerror(errno));
	close(fd);
}

static void wrong(const char *what, unsigned int file, unsigned int page,
		  unsigned int i, uint64_t got)
{
	note("file %u, page %u, word %u: %s: %#llx (file %llu, page %llu, word %llu, generation %llu); generations %u to %u",
	     file, page, i, what, (unsigned long long)got,
	     (unsigned long long)(got >> 41 & (FILES - 1)),
	     (unsigned long long)(got >> 33 & 0xff),
	     (unsigned long long)(got >> 24 & 0x1ff),
	     (unsigned long long)(got & 0xffffff),
	     race->files[file].least[page], race->files[file].generation);
	atomic_fetch_add(&race->wrong, 1);
	atomic_store(&race->stop, true);
}

static void check_word(char *map, unsigned int file, unsigned int page,
		       unsigned int i)
{
	struct info *info = &race->files[file];
	unsigned int least = atomic_load(&info->least[page]);
	uint64_t got = atomic_load(word_at(map, page, i));
	unsigned int generation = got & 0xffffff;

	if (!got)
		count(ZERO);
	else if (got != word_of(file, page, i, generation))
		wrong("is not its own", file, page, i, got);
	else if (generation < least)
		wrong("came back", file, page, i, got);
	else if (generation > atomic_load(&info->generation))
		wrong("is not written yet", file, page, i, got);
	else
		count(FOUND);
}

/* By read(), which may meet half a word; of each byte it must be one or none. */
static void check_read(int fd, unsigned int file, unsigned int page)
{
	uint64_t words[WORDS];
	ssize_t n = pread(fd, words, PAGE, place(page));

	for (unsigned int i = 0; i < n / 8; i++) {
		uint64_t want = word_of(file, page, i, 0);

		for (unsigned int bit = 24; bit < 64; bit += 8) {
			uint64_t byte = words[i] >> bit & 0xff;

			if (byte && byte != (want >> bit & 0xff))
				return wrong("is not its own, read", file, page,
					     i, words[i]);
		}
	}
}

static void try_word(char *map, unsigned int file, unsigned int page,
		     unsigned int i)
{
	if (sigsetjmp(out, 0))
		count(FAULT);
	else
		check_word(map, file, page, i);
}

static void read_file(unsigned int slot)
{
	int flags = random64() % 2 ? MAP_SHARED : MAP_PRIVATE,
	    rights = random64() % 2 ? R : R | X, fd;
	unsigned int file;
	char *map;

	fd = open_slot(slot, &file);
	if (fd < 0)
		return;
	map = map_file(fd, LENGTH, rights, flags);
	for (int i = 0; i < TURN && !race->stop; i++) {
		unsigned int page = random64() % PAGES;

		try_word(map, file, page, random64() % WORDS);
		if (i % 32 == 0)
			check_read(fd, file, page);
		if (i % 64 == 0)
			madvise(map + place(page) / PAGE * PAGE, PAGE,
				MADV_DONTNEED);
	}
	/* A copy of the tables must be as good. */
	if (random64() % 8 == 0 && gettid() == getpid()) {
		pid_t pid = fork();

		if (!pid) {
			for (unsigned int page = 0; page < PAGES; page++)
				try_word(map, file, page, page);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
		count(FORK);
	}
	munmap(map, LENGTH);
	close(fd);
}

/* Half of the words of a page that is kept are of one writer, and must last. */
static void write_kept(char *map, unsigned int file, unsigned int page,
		       unsigned int me, uint64_t *mine, unsigned int generation)
{
	for (unsigned int i = me; i < WORDS; i += WRITERS) {
		uint64_t got = atomic_load(word_at(map, page, i));

		if (mine[i] && got != mine[i])
			wrong("was lost", file, page, i, got);
		mine[i] = word_of(file, page, i, generation);
		atomic_store(word_at(map, page, i), mine[i]);
	}
	count(WRITE_KEPT);
}

static void write_file(unsigned int slot, unsigned int me)
{
	static __thread uint64_t mine[PAGES][WORDS];
	_Atomic uint64_t *active = &race->active[me];
	unsigned int file;
	struct info *info;
	char *map;
	int fd;

	fd = open_slot(slot, &file);
	if (fd < 0)
		return;
	info = &race->files[file];
	map = map_file(fd, LENGTH, RW, MAP_SHARED);
	close(fd);
	memset(mine, 0, sizeof(mine));
	for (int i = 0; i < TURN / 8 && !race->stop; i++) {
		unsigned int page = random64() % PAGES, generation;

		/* Pairs with drain(): it is seen there, or the new one here. */
		do {
			generation = atomic_load(&info->generation);
			atomic_store(active, (uint64_t)file << 32 | generation);
		} while (generation != atomic_load(&info->generation));
		if (sigsetjmp(out, 0)) {
			if (kept(page))
				wrong("SIGBUS", file, page, 0, 0);
			count(FAULT);
		} else if (kept(page)) {
			write_kept(map, file, page, me, mine[page], generation);
		} else {
			for (unsigned int j = 0; j < WORDS; j++)
				atomic_store_explicit(word_at(map, page, j),
						      word_of(file, page, j,
							      generation),
						      memory_order_relaxed);
			count(WROTE);
		}
		atomic_store(active, 0);
	}
	munmap(map, LENGTH);
}

/*
 * From now on what is written has a new generation, and no older one is still on
 * its way: what takes away pages after this takes away all that is older.
 */
static unsigned int drain(unsigned int file)
{
	unsigned int generation =
		atomic_fetch_add(&race->files[file].generation, 1) + 1;

	for (unsigned int i = 0; i < WRITERS; i++)
		for (;;) {
			uint64_t active = atomic_load(&race->active[i]);

			if (active >> 32 != file || !active ||
			    (active & 0xffffffff) >= generation)
				break;
			sched_yield();
		}
	return generation;
}

static void took_away(unsigned int file, off_t from, off_t to,
		      unsigned int generation)
{
	for (unsigned int page = 0; page < PAGES; page++)
		if (place(page) >= from && place(page) < to)
			atomic_store(&race->files[file].least[page],
				     generation);
}

static off_t not_kept(void)
{
	unsigned int page = random64() % PAGES;

	return kept(page) ? KEPT * PAGE : place(page);
}

static void take_away(unsigned int slot)
{
	unsigned int file, generation;
	off_t from = not_kept(), len = (1 + random64() % 16) * PAGE;
	int fd = open_slot(slot, &file);

	if (fd < 0)
		return;
	generation = drain(file);
	if (random64() % 2) {
		if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			      from, len))
			bail("punch: %s", strerror(errno));
		took_away(file, from, from + len, generation);
		count(PUNCH);
	} else {
		if (ftruncate(fd, from) || ftruncate(fd, LENGTH))
			bail("ftruncate: %s", strerror(errno));
		took_away(file, from, LENGTH, generation);
		count(CUT);
	}
	close(fd);
}

/* One thread changes names, so that each slot has a file. */
static void change_names(unsigned int slot)
{
	char a[8], b[8];

	snprintf(a, sizeof(a), "%u", slot);
	snprintf(b, sizeof(b), "%u", (unsigned int)(random64() % SLOTS));
	/* Once there are no more numbers, names still move. */
	switch (race->next < FILES ? random64() % 4 : 2) {
	case 0:
		unlink(a);
		count(UNLINK);
		make(slot);
		break;
	case 1:
		make(slot);
		count(REPLACE);
		break;
	default:
		if (!renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE))
			count(SWAP);
	}
	usleep(2000);
}

/* Zeroes may come at any time: nothing is noted of these. */
static void disturb(unsigned int slot)
{
	off_t from = not_kept();
	unsigned int file;
	int fd = open_slot(slot, &file);

	if (fd < 0)
		return;
	fallocate(fd, FALLOC_FL_KEEP_SIZE, from, 4 * PAGE);
	fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from, PAGE);
	if (random64() % 4 == 0 && !ftruncate(fd, from))
		ftruncate(fd, LENGTH);
	lseek(fd, from, SEEK_DATA);
	fsync(fd);
	close(fd);
}

/*
 * Who takes part
 */
static void *reader(void *arg)
{
	(void)arg;
	while (!race->stop)
		read_file(random64() % SLOTS);
	return NULL;
}

static void *writer(void *arg)
{
	while (!race->stop)
		write_file(random64() % SLOTS, (uintptr_t)arg);
	return NULL;
}

static void *taker(void *arg)
{
	(void)arg;
	while (!race->stop)
		take_away(random64() % SLOTS);
	return NULL;
}

static void *namer(void *arg)
{
	(void)arg;
	while (!race->stop)
		change_names(random64() % SLOTS);
	return NULL;
}

static void *disturber(void *arg)
{
	(void)arg;
	while (!race->stop)
		disturb(random64() % SLOTS);
	return NULL;
}

/* The first of a process's threads is the process itself. */
static int take_part(void *(*const *threads)(void *arg), const uintptr_t *args)
{
	struct sigaction action = { .sa_handler = on_bus,
				    .sa_flags = SA_NODEFER };
	pthread_t ids[4];
	int n = 0;

	sigaction(SIGBUS, &action, NULL);
	for (; threads[n + 1]; n++)
		if (pthread_create(&ids[n], NULL, threads[n + 1],
				   (void *)args[n + 1]))
			return 1;
	threads[0]((void *)args[0]);
	while (n--)
		pthread_join(ids[n], NULL);
	return 0;
}

static bool enough(void)
{
	for (int i = 0; i < COUNTS; i++)
		if (atomic_load(&race->counts[i]) < 10)
			return false;
	return true;
}

int main(int argc, char **argv)
{
	static void *(*const crews[][4])(void *arg) = {
		{ reader, reader, writer, NULL },
		{ reader, NULL },
		{ writer, NULL },
		{ taker, NULL },
		{ namer, disturber, NULL },
	};
	static const uintptr_t args[][3] = {
		{ 0, 0, 0 }, { 0 }, { 1 }, { 0 }, { 0 }
	};
	pid_t pids[sizeof(crews) / sizeof(*crews)];
	double start;

	fs_init(argc, argv);
	race = shared(sizeof(*race));
	for (unsigned int slot = 0; slot < SLOTS; slot++)
		make(slot);
	for (size_t i = 0; i < sizeof(crews) / sizeof(*crews); i++) {
		pids[i] = fork();
		if (!pids[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			_exit(take_part(crews[i], args[i]));
		}
	}
	start = now();
	while (!race->stop &&
	       (now() - start < opt_seconds ||
		(!enough() && now() - start < opt_seconds + 120)))
		usleep(10000);
	atomic_store(&race->stop, true);
	for (size_t i = 0; i < sizeof(crews) / sizeof(*crews); i++)
		is(reap(pids[i]), 0, "process %zu", i);
	is(race->wrong, 0, "nothing wrong was found");
	for (int i = 0; i < COUNTS; i++)
		ok(race->counts[i] >= 10, "%s: %lu", counted[i],
		   race->counts[i]);
	return fs_done();
}

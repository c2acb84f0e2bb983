// SPDX-License-Identifier: GPL-2.0-only
/* Episodes of the fuzzer, one after the other until time is up; see fuzz.h. */
#include "fuzz.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "disk.h"

bool opt_verbose;
char doing[512];
unsigned long done_operations, done_races;

static int device_fd = -1;
static uint64_t seed_now;
static bool racing, mounted;
static unsigned long opt_operations = 3000;
static double opt_race = 4;

double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

int device(void)
{
	return device_fd;
}

static struct morsel_stats stats(void)
{
	struct morsel_stats s;
	int err = morsel_stats(device_fd, &s);

	if (err)
		bail("stats: %s", strerror(-err));
	return s;
}

unsigned int max_order(void)
{
	static int order = -1;

	if (order < 0)
		order = stats().max_order;
	return order;
}

/* Nothing that was found keeps the module, or the next episode, from its work. */
static void end(void)
{
	struct morsel_info info;
	uint64_t cursor = 0;
	int fd;

	for (unsigned int a = 0; a < n_actors; a++)
		if (actors[a].pid > 0)
			actor_kill(a);
	actors_drain();
	while (!morsel_next(device_fd, &cursor, &info)) {
		fd = morsel_open(device_fd, info.id, 0);
		if (fd >= 0) {
			morsel_destroy(fd);
			close(fd);
		}
	}
	if (mounted)
		disk_umount();
}

void found(const char *fmt, ...)
{
	char what[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (racing)
		ok(0,
		   "seed %llu, race: %s: %s; again: fuzz --processes %u --seed %llu --race 60 --operations 0",
		   (unsigned long long)seed_now, doing, what, n_actors,
		   (unsigned long long)seed_now);
	else
		ok(0,
		   "seed %llu, operation %lu: %s: %s; again: fuzz --processes %u --seed %llu --operations %lu --race 0 --replay",
		   (unsigned long long)seed_now, done_operations, doing, what,
		   n_actors, (unsigned long long)seed_now, opt_operations);
	end();
	exit(done());
}

static void episode(uint64_t seed, double until)
{
	struct morsel_stats before = stats(), after;
	double start = now();

	seed_now = seed;
	racing = false;
	if (opt_operations)
		episode_ops(seed, opt_operations, until);
	racing = true;
	done_races = 0;
	if (opt_race && (!until || now() < until))
		episode_race(seed, opt_race);
	strcpy(doing, "at the end");
	after = stats();
	if (memcmp(&before, &after, sizeof(before)))
		found("morsels %lld -> %lld, data %lld -> %lld, tables %lld -> %lld, attachments %lld -> %lld",
		      before.morsels, after.morsels, before.data_frames,
		      after.data_frames, before.table_frames,
		      after.table_frames, before.attachments,
		      after.attachments);
	ok(1, "seed %llu: %lu operations, %lu in races, %.1f s",
	   (unsigned long long)seed, done_operations, done_races,
	   now() - start);
}

/* One a line, then what it is about. */
static void episodes_of(const char *path)
{
	FILE *f = fopen(path, "re");
	char line[256];

	if (!f)
		bail("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), f))
		if (*line >= '0' && *line <= '9')
			episode(strtoull(line, NULL, 0), 0);
	fclose(f);
}

static void usage(void)
{
	bail("usage: fuzz [--seed N] [--seconds S] [--operations N] [--race S]\n"
	     "  [--processes P] [--seeds FILE] [--disk] [--replay]\n"
	     "  --seed        of the first episode (drawn); the next ones follow\n"
	     "  --seconds     how long; without it, one episode\n"
	     "  --operations  of an episode (3000)\n"
	     "  --race        seconds of an episode that cannot be replayed (4)\n"
	     "  --processes   that take part (4)\n"
	     "  --seeds       episodes that come first, one a line\n"
	     "  --no-disk     no O_DIRECT, which needs a file system of its own\n"
	     "  --replay      print each operation");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", 1, NULL, 's' },
		{ "seconds", 1, NULL, 't' },
		{ "operations", 1, NULL, 'n' },
		{ "race", 1, NULL, 'r' },
		{ "processes", 1, NULL, 'p' },
		{ "seeds", 1, NULL, 'f' },
		{ "no-disk", 0, NULL, 'd' },
		{ "replay", 0, NULL, 'v' },
		{ 0 },
	};
	const char *seeds = NULL;
	bool disk = true;
	double until = 0, seconds = 0;
	uint64_t seed;
	int opt;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		bail("getrandom: %s", strerror(errno));
	seed %= 1000000000; /* short enough to be typed */
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (opt) {
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 't':
			seconds = strtod(optarg, NULL);
			break;
		case 'n':
			opt_operations = strtoul(optarg, NULL, 0);
			break;
		case 'r':
			opt_race = strtod(optarg, NULL);
			break;
		case 'p':
			n_actors = strtoul(optarg, NULL, 0);
			break;
		case 'f':
			seeds = optarg;
			break;
		case 'd':
			disk = false;
			break;
		case 'v':
			opt_verbose = true;
			break;
		default:
			usage();
		}
	if (optind != argc || !n_actors || n_actors > ACTORS_MAX)
		usage();

	setvbuf(stdout, NULL, _IOLBF, 0);
	device_fd = morsel_device_open();
	if (device_fd < 0)
		bail("%s: %s", MORSEL_DEVICE, strerror(-device_fd));
	if (disk) {
		disk_mount();
		mounted = true;
	}
	actors_init(disk ? DISK : NULL);
	if (seconds)
		until = now() + seconds;
	if (seeds)
		episodes_of(seeds);
	note("first seed %llu", (unsigned long long)seed);
	do {
		episode(seed++, until);
	} while (until && now() < until);
	end();
	return done();
}

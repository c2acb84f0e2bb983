// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine's memory runs out while a morsel is populated: who populates is
 * killed, the morsel with all that is in it lives on, and destruction gives
 * the memory back.
 */
#include "guest.h"

#include <sys/sysinfo.h>

/* What the victim has of its own, and so leaves to the others by its death. */
#define BALLAST (48ull << 20)
#define STAMPS 100 /* pages of the survivor */

struct arena {
	uint64_t id;
	unsigned int order;
	int fd;
	int prot;
	uint64_t total; /* what spread() gets: more than there is memory for */
	atomic_ulong done;
};

static uint64_t number_in(const char *path, const char *name)
{
	FILE *f = fopen(path, "r");
	unsigned long long value;
	char line[128], key[64];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63[^: ]%*[: ] %llu", key, &value) == 2 &&
		    !strcmp(key, name)) {
			fclose(f);
			return value;
		}
	bail("%s has no %s", path, name);
}

static uint64_t kib_free(void)
{
	return number_in("/proc/meminfo", "MemFree");
}

static void oom_score(const char *text)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		bail("oom_score_adj: %s", strerror(errno));
	close(fd);
}

static int populate(void *arg)
{
	struct arena *a = arg;
	char *p = map_id(a->id, a->prot),
	     *ballast = mmap(NULL, BALLAST, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0);

	need(ballast != MAP_FAILED);
	memset(ballast, 1, BALLAST);
	oom_score("1000");
	for (;; a->done++) {
		uint64_t page = spread(a->order, a->done, a->total);

		if (a->prot & W)
			*word(p, page) = stamp(page);
		else
			(void)*(volatile uint64_t *)word(p, page);
	}
}

/* The same by one ioctl. */
static int populate_at_once(void *arg)
{
	struct arena *a = arg;
	char *ballast =
		mmap(NULL, BALLAST, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t done = 0;
	int err;

	need(ballast != MAP_FAILED);
	memset(ballast, 1, BALLAST);
	oom_score("1000");
	err = morsel_populate(a->fd, 0, a->total * PAGE, &done);
	a->done = done / PAGE;
	return err == -ENOMEM ? 0 : 1;
}

static int check(void *arg)
{
	struct arena *a = arg;
	char *p = map_id(a->id, RW);

	for (uint64_t i = 0; i < a->done; i++) {
		uint64_t page = spread(a->order, i, a->total);

		need(*word(p, page) == (a->prot & W ? stamp(page) : 0));
	}
	return 0;
}

/* But for what the kernel keeps on its lists for each processor. */
static void given_back(uint64_t before, uint64_t used)
{
	uint64_t after = kib_free();

	for (int i = 0; i < 500 && after + used / 10 < before; i++) {
		usleep(10000);
		after = kib_free();
	}
	ok(after + used / 10 >= before,
	   "destruction gives it back: %llu of %llu KiB are free",
	   (unsigned long long)after, (unsigned long long)before);
}

static void run_out(struct arena *a)
{
	uint64_t before = kib_free(),
		 kills = number_in("/proc/vmstat", "oom_kill");
	struct morsel_info i;
	struct sysinfo si;
	int fd = create(a->order, &a->id);
	uint64_t used;

	sysinfo(&si);
	a->total = si.totalram / PAGE;
	a->done = 0;
	is(reap(spawn(populate, a)), -SIGKILL,
	   "order %u, prot %d: who populates without end is killed", a->order,
	   a->prot);
	is(number_in("/proc/vmstat", "oom_kill") - kills, 1,
	   "by the OOM killer, and nobody else");
	i = info(fd);
	used = (i.data_frames + i.table_frames) * (PAGE / 1024);
	note("%llu data and %llu table frames, %llu of %llu KiB are free",
	     i.data_frames, i.table_frames, (unsigned long long)kib_free(),
	     (unsigned long long)before);
	ok(i.data_frames == a->done || i.data_frames == a->done + 1,
	   "no page is lost: %llu, %llu of them seen by who is dead",
	   i.data_frames, (unsigned long long)a->done);
	ok(used > before / 2, "they are most of the memory");
	is(i.mappings, 0, "the dead have no mapping");
	is(reap(spawn(check, a)), 0, "content");
	destroy(fd);
	given_back(before, used);
}

/* What the survivors had written, and zeroes behind. */
static int check_filled(void *arg)
{
	struct arena *a = arg;
	char *p = map_id(a->id, R);

	for (uint64_t i = 0; i < a->total; i++)
		need(*word(p, i) == (i < STAMPS ? stamp(i) : 0));
	return 0;
}

static void run_out_at_once(unsigned int order)
{
	struct arena *a = shared(sizeof(*a));
	uint64_t before = kib_free(), used, wrong = 0,
		 kills = number_in("/proc/vmstat", "oom_kill");
	struct morsel_info i;
	struct sysinfo si;
	int status;
	char *p;

	sysinfo(&si);
	a->order = order;
	a->fd = create(order, &a->id);
	a->total = si.totalram / PAGE;
	p = map(a->fd, RW);
	for (uint64_t k = 0; k < STAMPS; k++)
		*word(p, k) = stamp(k);
	status = reap(spawn(populate_at_once, a));
	kills = number_in("/proc/vmstat", "oom_kill") - kills;
	note("order %u: %s after %llu pages", order,
	     status ? "killed" : "ENOMEM", info(a->fd).data_frames);
	ok((status == -SIGKILL && kills == 1) || (status == 0 && kills == 0),
	   "order %u: the ioctl without end is killed, or says ENOMEM", order);
	i = info(a->fd);
	used = (i.data_frames + i.table_frames) * (PAGE / 1024);
	ok(i.data_frames < a->total && used > before / 2,
	   "order %u: what it populated is most of the memory", order);
	ok(status || i.data_frames == a->done,
	   "order %u: and as much as it says", order);
	/* By one run from the first page on, so these are in it. */
	a->total = i.data_frames;
	for (uint64_t k = 0; k < a->total; k++)
		wrong += *word(p, k) != (k < STAMPS ? stamp(k) : 0);
	is(wrong, 0, "order %u: the survivor's content", order);
	is(reap(spawn(check_filled, a)), 0,
	   "order %u: content in a second process", order);
	is(info(a->fd).data_frames, a->total, "order %u: and no page is new",
	   order);
	*word(p, STAMPS) = 1;
	is(morsel_punch(a->fd, 0, morsel_size(order), NULL), 0,
	   "order %u: punched as a whole", order);
	is(info(a->fd).data_frames, 0, "order %u: no page is left", order);
	is(*word(p, STAMPS), 0, "order %u: and it can be used again", order);
	unmap(p, order);
	destroy(a->fd);
	given_back(before, used);
	munmap(a, sizeof(*a));
}

int main(int argc, char **argv)
{
	struct arena *a;

	guest_init(argc, argv);
	if (kib_free() > 2 << 20)
		bail("needs a machine with little memory: vm/run --mem 1G");
	/* Never the one that has to tell. */
	if (mlockall(MCL_CURRENT | MCL_ONFAULT))
		bail("mlockall: %s", strerror(errno));
	oom_score("-1000");
	a = shared(sizeof(*a));
	*a = (struct arena){ .order = 2, .prot = RW };
	run_out(a);
	*a = (struct arena){ .order = 3, .prot = RW };
	run_out(a);
	*a = (struct arena){ .order = 3, .prot = R };
	run_out(a);
	munmap(a, sizeof(*a));
	run_out_at_once(2);
	run_out_at_once(3);
	oom_score("0");
	return guest_done();
}

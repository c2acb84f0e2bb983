// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory cgroup: who populates pays, for pages and tables, and gets it
 * back at destruction, for pages also when they are punched; at the limit the one who asks for more is refused or
 * killed, and the morsel with all that is in it lives on.
 */
#include "guest.h"

#include <sched.h>
#include <sys/stat.h>

#define GROUP "/sys/fs/cgroup/morsel"
#define OTHER "/sys/fs/cgroup/morsel-other"
#define MIB (1ull << 20)
/* What the counters of a cgroup may be off: 64 pages on each processor. */
#define SLACK (sysconf(_SC_NPROCESSORS_CONF) * 64 * PAGE + MIB / 2)

struct arena {
	uint64_t id;
	unsigned int order;
	uint64_t n, stride; /* pages to populate: each stride-th */
	int prot; /* of the mapping whose faults do it, 0: the ioctl does */
	bool spared; /* by the OOM killer */
	atomic_ulong done;
};

static void limit(uint64_t bytes)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)bytes);
	put_text(GROUP "/memory.max", text);
}

static uint64_t charged_to(const char *group)
{
	unsigned long long bytes;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/memory.current", group);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%llu", &bytes) != 1)
		bail("%s: %s", path, strerror(errno));
	fclose(f);
	return bytes;
}

static uint64_t charged(void)
{
	return charged_to(GROUP);
}

/* Whether no more than @bytes are charged, or soon will be. */
static bool charged_at_most(uint64_t bytes)
{
	for (int i = 0; i < 1000 && charged() > bytes; i++)
		usleep(10000);
	if (charged() > bytes)
		note("%llu bytes are charged", (unsigned long long)charged());
	return charged() <= bytes;
}

static uint64_t kills(void)
{
	FILE *f = fopen(GROUP "/memory.events", "r");
	unsigned long long value;
	char name[32];

	while (f && fscanf(f, "%31s %llu", name, &value) == 2)
		if (!strcmp(name, "oom_kill")) {
			fclose(f);
			return value;
		}
	bail("memory.events has no oom_kill");
}

static void join(const char *group)
{
	char self[16], path[64];

	snprintf(self, sizeof(self), "%d", getpid());
	snprintf(path, sizeof(path), "%s/cgroup.procs", group);
	put_text(path, self);
}

/* By the ioctl: 2 when it says that memory ran out. */
static int fill(struct arena *a)
{
	int fd = select_id(a->id, 0), err;
	uint64_t bytes = 0;

	need(a->stride == 1);
	err = morsel_populate(fd, a->done * PAGE, (a->n - a->done) * PAGE,
			      &bytes);
	need(bytes % PAGE == 0 && a->done + bytes / PAGE <= a->n);
	a->done += bytes / PAGE;
	need(!err == (a->done == a->n));
	need(!err || err == -ENOMEM || err == -EINTR);
	return err ? 2 : 0;
}

/* Populates; goes on where the last one ended. */
static int populate(void *arg)
{
	struct arena *a = arg;
	char *p;

	/*
	 * Whom nobody may kill takes its page faults at the limit again for ever,
	 * be it for a page of its own code that was reclaimed: it needs none.
	 */
	if (a->spared) {
		need(!mlockall(MCL_CURRENT));
		put_text("/proc/self/oom_score_adj", "-1000");
	}
	join(GROUP);
	if (!a->prot)
		return fill(a);
	p = map_id(a->id, a->prot);
	while (a->done < a->n) {
		uint64_t page = a->done * a->stride;

		if (a->prot & W)
			*word(p, page) = stamp(page);
		else
			(void)*(volatile uint64_t *)word(p, page);
		a->done++;
	}
	return 0;
}

/* All that was populated is there, for a process outside of the cgroup. */
static int check(void *arg)
{
	struct arena *a = arg;
	char *p = map_id(a->id, R);

	for (uint64_t i = 0; i < a->done; i++) {
		uint64_t page = i * a->stride;

		need(*word(p, page) == (a->prot & W ? stamp(page) : 0));
	}
	return 0;
}

static void charge(struct arena *a)
{
	uint64_t before = charged(), used;
	struct morsel_info i;
	int fd;

	limit(1024 * MIB);
	fd = create(a->order, &a->id);
	is(reap(spawn(populate, a)), 0, "order %u, prot %d: populated",
	   a->order, a->prot);
	i = info(fd);
	is(i.data_frames, a->n, "all pages are there");
	used = (i.data_frames + i.table_frames - 1) * PAGE;
	ok(charged() + SLACK >= before + used,
	   "%llu bytes of pages and tables are charged: %llu",
	   (unsigned long long)used, (unsigned long long)(charged() - before));
	ok(charged_at_most(before + used + SLACK), "and not much more");
	is(reap(spawn(check, a)), 0, "content");
	destroy(fd);
	ok(charged_at_most(before + SLACK), "destruction gives it back");
}

/* By a process outside of the cgroup: who pays need not be who takes out. */
static void punch(struct arena *a)
{
	uint64_t before = charged(), part = a->n / 2, used, done;
	struct morsel_info i;
	int fd;

	limit(1024 * MIB);
	fd = create(a->order, &a->id);
	is(reap(spawn(populate, a)), 0, "order %u, prot %d: populated",
	   a->order, a->prot);
	is(morsel_punch(fd, 0, part * a->stride * PAGE, &done), 0,
	   "half of it is punched");
	i = info(fd);
	is(i.data_frames, a->n - part, "half of the pages are left");
	used = (i.data_frames + i.table_frames - 1) * PAGE;
	ok(charged_at_most(before + used + SLACK), "that gives it back");
	ok(charged() + SLACK >= before + used,
	   "%llu bytes of pages and tables are charged: %llu",
	   (unsigned long long)used, (unsigned long long)(charged() - before));
	is(morsel_punch(fd, 0, morsel_size(a->order), &done), 0,
	   "all of it is punched");
	i = info(fd);
	is(i.data_frames, 0, "no page is left");
	used = (i.table_frames - 1) * PAGE;
	ok(charged_at_most(before + used + SLACK), "but tables are charged");
	destroy(fd);
	ok(charged_at_most(before + SLACK), "until destruction");
}

static void exceed(struct arena *a, uint64_t max)
{
	uint64_t before = kills(), first;
	struct morsel_info i;
	int fd, ended;

	limit(max);
	fd = create(a->order, &a->id);
	ended = reap(spawn(populate, a));
	first = a->done;
	ok(ended == -SIGKILL || ended == -SIGBUS,
	   "order %u, prot %d: at the limit who populates dies (%d)", a->order,
	   a->prot, ended);
	is(kills(), before + (ended == -SIGKILL), "by the cgroup's OOM killer");
	ok(first > 2000 && first < a->n, "after %llu of %llu pages",
	   (unsigned long long)first, (unsigned long long)a->n);
	ok(charged() <= max, "%llu bytes are charged, of %llu",
	   (unsigned long long)charged(), (unsigned long long)max);
	i = info(fd);
	ok(i.data_frames == first || i.data_frames == first + 1,
	   "no page is lost: %llu", (unsigned long long)i.data_frames);
	ok((i.data_frames + i.table_frames) * PAGE + 4 * SLACK > max,
	   "they are what is charged");
	is(i.mappings, 0, "the dead have no mapping");
	is(reap(spawn(check, a)), 0, "content outside of the cgroup");

	limit(1024 * MIB);
	is(reap(spawn(populate, a)), 0,
	   "with a higher limit the rest succeeds");
	is(info(fd).data_frames, a->n, "all pages are there");
	is(reap(spawn(check, a)), 0, "content");
	destroy(fd);
	ok(charged_at_most(SLACK), "destruction gives it back");
}

static int put(void *arg)
{
	struct arena *a = arg;
	char *p = map_id(a->id, RW);

	for (uint64_t i = 0; i < a->done; i++)
		*word(p, i * a->stride) = stamp(i * a->stride);
	return 0;
}

static void exceed_by_ioctl(struct arena *a, uint64_t max)
{
	uint64_t before = kills(), first;
	int fd, ended;

	limit(max);
	fd = create(a->order, &a->id);
	ended = reap(spawn(populate, a));
	first = info(fd).data_frames;
	if (a->spared) {
		is(ended, 2, "ioctl: at the limit it fails");
		is(kills(), before, "and nobody is killed");
		is(a->done, first, "it says how far it came");
	} else {
		is(ended, -SIGKILL, "ioctl: at the limit who calls it dies");
		is(kills(), before + 1, "by the cgroup's OOM killer");
	}
	ok(first > 2000 && first < a->n, "after %llu of %llu pages",
	   (unsigned long long)first, (unsigned long long)a->n);
	ok(charged() <= max, "%llu bytes are charged, of %llu",
	   (unsigned long long)charged(), (unsigned long long)max);

	a->done = first;
	is(reap(spawn(put, a)), 0, "use outside of the cgroup");
	is(info(fd).data_frames, first, "of the pages that it populated");
	limit(1024 * MIB);
	a->done = 0;
	is(reap(spawn(populate, a)), 0, "with a higher limit it succeeds");
	is(a->done, a->n, "and says so");
	is(info(fd).data_frames, a->n, "all pages are there");
	a->done = first;
	a->prot = RW;
	is(reap(spawn(check, a)), 0, "content");
	destroy(fd);
	ok(charged_at_most(SLACK), "destruction gives it back");
}

/* After so many faults of one who pays there are so many frames ahead. */
#define USED 8
#define AHEAD 7
#define TURNS 512

/* One of two who populate in turn, on one processor. */
static int in_turn(void *arg, bool second)
{
	struct arena *a = arg;
	char *p;

	need(run_on(0));
	join(second ? OTHER : GROUP);
	p = map_id(a->id, RW);
	while (a->done < a->n) {
		if ((a->done % (USED + AHEAD) >= USED) != second) {
			sched_yield();
			continue;
		}
		*word(p, a->done) = 1;
		a->done++;
	}
	return 0;
}

static int first_in_turn(void *arg)
{
	return in_turn(arg, false);
}

static int second_in_turn(void *arg)
{
	return in_turn(arg, true);
}

/* Frames are taken ahead of need, but not for who pays for none of them. */
static void share(struct arena *a)
{
	const uint64_t share[] = { TURNS * USED * PAGE, TURNS * AHEAD * PAGE };
	const char *groups[] = { GROUP, OTHER };
	uint64_t before[2];
	pid_t first, second;
	int fd;

	limit(1024 * MIB);
	if (mkdir(OTHER, 0755))
		bail("%s: %s", OTHER, strerror(errno));
	for (int i = 0; i < 2; i++)
		before[i] = charged_to(groups[i]);
	fd = create(a->order, &a->id);
	first = spawn(first_in_turn, a);
	second = spawn(second_in_turn, a);
	is(reap(first), 0, "two cgroups populate one morsel: the first");
	is(reap(second), 0, "and the second");
	for (int i = 0; i < 2; i++) {
		uint64_t now = charged_to(groups[i]);

		ok(now >= before[i] + share[i] - SLACK &&
			   now <= before[i] + share[i] + SLACK,
		   "%s pays for its share of it: %lld of %llu bytes",
		   groups[i], (long long)(now - before[i]),
		   (unsigned long long)share[i]);
	}
	destroy(fd);
	ok(charged_at_most(before[0] + SLACK), "destruction gives it back");
	is(rmdir(OTHER), 0, "the second cgroup is empty");
}

/* Pages, as many tables as pages, and a mirror's tables besides. */
static const struct arena shapes[] = {
	{ .order = 2, .prot = RW, .stride = 1 },
	{ .order = 3, .prot = RW, .stride = 512 },
	{ .order = 3, .prot = R, .stride = 512 },
};

int main(int argc, char **argv)
{
	struct arena *a;

	guest_init(argc, argv);
	a = shared(sizeof(*a));
	put_text("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	if (mkdir(GROUP, 0755))
		bail("%s: %s", GROUP, strerror(errno));

	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		*a = shapes[i];
		a->n = 4096;
		charge(a);
		*a = shapes[i];
		a->n = 4096;
		punch(a);
		*a = shapes[i];
		a->n = 16384;
		exceed(a, 32 * MIB);
	}

	*a = (struct arena){ .order = 2, .stride = 1, .n = 4096 };
	charge(a);
	*a = (struct arena){ .order = 2, .stride = 1, .n = 4096 };
	punch(a);
	*a = (struct arena){ .order = 2, .stride = 1, .n = 16384 };
	exceed_by_ioctl(a, 32 * MIB);
	*a = (struct arena){ .order = 2, .stride = 1, .n = 16384 };
	a->spared = true;
	exceed_by_ioctl(a, 32 * MIB);

	*a = (struct arena){ .order = 2, .n = TURNS * (USED + AHEAD) };
	share(a);

	is(rmdir(GROUP), 0, "the cgroup is empty");
	munmap(a, sizeof(*a));
	return guest_done();
}

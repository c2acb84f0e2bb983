// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each operation with each of its allocations failing in turn.  A failure is a clean
 * errno; it leaves all names, attributes and content as they were, and of what can
 * be done in parts each byte as it was or as it is to be; what was tried again comes
 * to the same as if nothing had failed; when it is removed, all blocks, inodes and
 * frames are back.  The operations run on a file system of their own, which can be
 * unmounted in the end, and then kmemleak finds nothing.  Needs a kernel with fault
 * injection.  On a pool that file system is on a second device, and mounting it is one
 * more operation.
 */
#include "failnth.h"

#include <linux/morsel.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/statfs.h>

struct attempt {
	struct failnth nth;
	const struct op *op;
	bool names; /* it finds more than two files */
	struct state was, now, after;
};

static struct attempt *try;
static struct statfs room;
static struct morsel_stats frames;
static int device;
static bool pool;

static void enter(void)
{
	if (mkdir("small/try", 0755) || chdir("small/try"))
		bail("small/try: %s", strerror(errno));
	state_make(try->op->base);
	if (try->names)
		state_make_names();
	if (try->op->before && try->op->before())
		bail("%s cannot be prepared", try->op->name);
}

/* What it comes to when nothing fails. */
static int unarmed(void *unused)
{
	(void)unused;
	enter();
	need(try->op->run() == 0);
	state_take(&try->after);
	need(state_mapped(&try->after));
	return DONE;
}

/* In a child: armed is only this operation. */
static int attempt(void *unused)
{
	int nth, got;

	(void)unused;
	enter();
	state_take(&try->was);
	nth = failnth_arm(&try->nth);
	got = failnth_end(&try->nth, nth, try->op->run());
	state_take(&try->now);
	if (try->nth.err) {
		need(try->op->parts ?
			     state_between(&try->now, &try->was, &try->after) :
			     state_same(&try->now, &try->was));
		need(state_mapped(&try->now));
		need(try->op->run() == 0);
		state_take(&try->now);
	}
	need(state_same(&try->now, &try->after));
	need(state_mapped(&try->now));
	return got;
}

static struct morsel_stats stats(void)
{
	struct morsel_stats s;

	if (ioctl(device, MORSEL_IOC_STATS, &s))
		bail("MORSEL_IOC_STATS: %s", strerror(errno));
	return s;
}

static int small_mount(void)
{
	if (!pool)
		return fs_mount("small", "size=16m");
	return mount("/dev/pmem1", "small", "morselfs", 0, NULL) ? errno : 0;
}

static void small_statfs(struct statfs *now)
{
	if (statfs("small", now))
		bail("statfs: %s", strerror(errno));
}

static void tidy(void)
{
	umount("small/try/dir");
	fs_remove("small/try");
}

/* The process is gone, and what it has made is removed: nothing is left of it. */
static bool intact(void)
{
	struct morsel_stats s;
	struct statfs now;

	tidy();
	s = stats();
	small_statfs(&now);
	if (now.f_bfree == room.f_bfree && now.f_ffree == room.f_ffree &&
	    s.morsels == frames.morsels &&
	    s.data_frames == frames.data_frames &&
	    s.table_frames == frames.table_frames)
		return true;
	note("left: %lld blocks, %lld inodes, %lld morsels, %lld pages, %lld tables",
	     (long long)(room.f_bfree - now.f_bfree),
	     (long long)(room.f_ffree - now.f_ffree),
	     (long long)(s.morsels - frames.morsels),
	     (long long)(s.data_frames - frames.data_frames),
	     (long long)(s.table_frames - frames.table_frames));
	return false;
}

static void walk(const struct op *ops, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		try->op = &ops[i];
		is(reap(spawn(unarmed, NULL)), DONE, "%s", ops[i].name);
		if (pool) {
			/* But for what a directory and the inodes once grew to. */
			tidy();
			frames = stats();
			small_statfs(&room);
		} else {
			ok(intact(), "and nothing is left");
		}
		failnth_walk(ops[i].name, &try->nth, attempt, intact);
	}
}

static int attempt_mount(void *unused)
{
	int nth = failnth_arm(&try->nth);
	int got = failnth_end(&try->nth, nth, small_mount());

	(void)unused;
	if (try->nth.err)
		need(small_mount() == 0);
	need(umount("small") == 0);
	return got;
}

static bool intact_unmounted(void)
{
	struct morsel_stats s = stats();

	return s.morsels == frames.morsels && s.data_frames == frames.data_frames &&
	       s.table_frames == frames.table_frames;
}

/* One of everything that a mount brings back is there. */
static void walk_mount(void)
{
	if (mkdir("small/left", 0755) || chdir("small/left"))
		bail("small/left: %s", strerror(errno));
	state_make(FULL);
	state_make_names();
	if (chdir("../.."))
		bail("..: %s", strerror(errno));
	is(umount("small"), 0, "unmounted with something on it");
	frames = stats();
	failnth_walk("mount", &try->nth, attempt_mount, intact_unmounted);
	is(small_mount(), 0, "mounted at last");
	fs_remove("small/left");
}

#define KMEMLEAK "/sys/kernel/debug/kmemleak"

/* What nobody points to, by two scans: it is reported from the second one on. */
static int leaks(void)
{
	FILE *report;
	char line[256];
	int found = 0;

	for (int i = 0; i < 2; i++) {
		sleep(6); /* younger ones are left out */
		put_text(KMEMLEAK, "scan");
	}
	report = fopen(KMEMLEAK, "re");
	while (report && fgets(line, sizeof(line), report))
		found += strstr(line, "[morsel]") != NULL;
	if (!report)
		bail(KMEMLEAK ": %s", strerror(errno));
	fclose(report);
	return found;
}

int main(int argc, char **argv)
{
	fs_init(argc, argv);
	failnth_init();
	put_text(KMEMLEAK, "clear");
	device = open("/dev/morsel", O_RDONLY | O_CLOEXEC);
	try = shared(sizeof(*try));
	mkdir("small", 0755);
	pool = getenv("MORSEL_POOL");
	is(small_mount(), 0, "mounted");
	small_statfs(&room);
	frames = stats();
	try->names = true;
	walk(on_names, n_on_names);
	try->names = false;
	walk(on_data, n_on_data);
	walk(on_maps, n_on_maps);
	if (pool)
		walk_mount();
	is(umount("small"), 0, "unmounted");
	is(leaks(), 0, "kmemleak: nothing of ours is left");
	return fs_done();
}

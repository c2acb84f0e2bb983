// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each operation with each of its allocations failing in turn.  Each failure is a
 * clean errno, what was there before is there after it, the operation succeeds when
 * it is tried again, and nothing is left.  Needs a kernel with fault injection.
 */
#include "guest.h"

#include "failnth.h"

#include <sys/stat.h>
#include <sys/uio.h>

#define ORDER 3
#define N 16	  /* stamps that every operation finds */
#define SPAN 600ull /* pages that it may populate, two tables of them */

struct arena {
	uint64_t id;
	int fd;
	char *p;
	uint64_t fresh; /* page; nothing is populated for 1 GiB from there on */
};

/* 0 or an errno. */
typedef int operation(struct arena *a);

static int err_of(long ret)
{
	return ret < 0 ? errno : 0;
}

static int created(int fd)
{
	if (fd < 0)
		return -fd;
	destroy(fd);
	return 0;
}

static int create_plain(struct arena *a)
{
	(void)a;
	return created(morsel_create(device(), 2, 0600, 0, NULL));
}

static int create_page(struct arena *a)
{
	(void)a;
	return created(morsel_create(device(), 0, 0600, 0, NULL));
}

static int create_meta(struct arena *a)
{
	(void)a;
	return created(morsel_create_at(device(), 1, 0600, 0,
					free_addr(1, 0), NULL));
}

static int create_ephemeral(struct arena *a)
{
	int fd = morsel_create(device(), 2, 0600, MORSEL_CREATE_EPHEMERAL, NULL);

	(void)a;
	if (fd < 0)
		return -fd;
	close(fd);
	return 0;
}

static int open_by_id(struct arena *a)
{
	int fd = morsel_open(device(), a->id, 0);

	if (fd < 0)
		return -fd;
	close(fd);
	return 0;
}

static int map_and(struct arena *a, int prot, int flags, uint64_t offset,
		   uint64_t size, bool touch)
{
	char *p = mmap(NULL, size, prot, MAP_SHARED | flags, a->fd, offset);

	if (p == MAP_FAILED)
		return errno;
	/* A fault that fails for memory is taken again. */
	if (touch)
		need(*word(p, 0) == stamp(0));
	return err_of(munmap(p, size));
}

static int map_only(struct arena *a)
{
	return map_and(a, RW, 0, 0, morsel_size(ORDER), false);
}

static int map_rw(struct arena *a)
{
	return map_and(a, RW, 0, 0, morsel_size(ORDER), true);
}

static int map_r(struct arena *a)
{
	return map_and(a, R, 0, 0, morsel_size(ORDER), true);
}

static int map_rwx(struct arena *a)
{
	return map_and(a, RW | X, 0, 0, morsel_size(ORDER), true);
}

static int map_part(struct arena *a)
{
	return map_and(a, RW, 0, 0, 3 * PAGE, true);
}

static int map_populate(struct arena *a)
{
	return map_and(a, RW, MAP_POPULATE, a->fresh * PAGE, SPAN * PAGE, false);
}

static int map_populate_r(struct arena *a)
{
	return map_and(a, R, MAP_POPULATE, a->fresh * PAGE, SPAN * PAGE, false);
}

static int populate(struct arena *a)
{
	uint64_t done = -1, first = a->fresh;
	int err = morsel_populate(a->fd, first * PAGE, SPAN * PAGE, &done);

	/* What it says is done is done. */
	for (uint64_t i = 0; err && i * PAGE < done; i++)
		need(!*word(a->p, first + i));
	need(err || done == SPAN * PAGE);
	return -err;
}

static int populate_write(struct arena *a)
{
	return err_of(madvise(a->p + a->fresh * PAGE, SPAN * PAGE,
			      MADV_POPULATE_WRITE));
}

static int by_kernel(struct arena *a)
{
	uint64_t value = 1;
	struct iovec from = { &value, sizeof(value) },
		     to = { (void *)word(a->p, a->fresh), sizeof(value) };

	return err_of(process_vm_writev(getpid(), &from, 1, &to, 1, 0));
}

static int punch(struct arena *a)
{
	return -morsel_punch(a->fd, a->fresh * PAGE, SPAN * PAGE, NULL);
}

static int remove_advice(struct arena *a)
{
	return err_of(madvise(a->p + a->fresh * PAGE, SPAN * PAGE, MADV_REMOVE));
}

static int dontneed(struct arena *a)
{
	return err_of(madvise(a->p, morsel_size(ORDER), MADV_DONTNEED));
}

static int protect_part(struct arena *a)
{
	int err = err_of(mprotect(a->p + PAGE, PAGE, R));

	need(!*(word(a->p, 1) + 1));
	return err ? err : err_of(mprotect(a->p + PAGE, PAGE, RW));
}

static int unmap_part(struct arena *a)
{
	return err_of(munmap(a->p + (5ull << 30), 3 * PAGE));
}

static int move(struct arena *a)
{
	size_t size = morsel_size(ORDER);
	char *to = (char *)free_addr(ORDER, 2);

	if (mremap(a->p, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) ==
	    MAP_FAILED)
		return errno;
	a->p = to;
	return 0;
}

static int fork_and_touch(struct arena *a)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		for (uint64_t i = 0; i < N; i++)
			if (*word(a->p, spread(ORDER, i, N)) !=
			    stamp(spread(ORDER, i, N)))
				_exit(1);
		_exit(0);
	}
	if (pid < 0)
		return errno;
	need(waitpid(pid, &status, 0) == pid && !status);
	return 0;
}

static int chmod_it(struct arena *a)
{
	return err_of(fchmod(a->fd, 0640));
}

static const struct {
	const char *name;
	operation *run;
	bool populated; /* finds pages at what is fresh otherwise */
} operations[] = {
	{ "create", create_plain, false },
	{ "create order 0", create_page, false },
	{ "create with a meta morsel", create_meta, false },
	{ "create ephemeral", create_ephemeral, false },
	{ "open", open_by_id, false },
	{ "map", map_only, false },
	{ "map and touch, RW", map_rw, false },
	{ "map and touch, R", map_r, false },
	{ "map and touch, RWX", map_rwx, false },
	{ "map and touch, a part", map_part, false },
	{ "MAP_POPULATE", map_populate, false },
	{ "MAP_POPULATE, R", map_populate_r, false },
	{ "populate", populate, false },
	{ "MADV_POPULATE_WRITE", populate_write, false },
	{ "written by the kernel", by_kernel, false },
	{ "punch", punch, true },
	{ "MADV_REMOVE", remove_advice, true },
	{ "MADV_DONTNEED", dontneed, false },
	{ "mprotect of a part", protect_part, false },
	{ "munmap of a part", unmap_part, false },
	{ "mremap", move, false },
	{ "fork", fork_and_touch, false },
	{ "fchmod", chmod_it, false },
};

struct attempt {
	struct failnth nth;
	const struct arena *a;
	operation *run;
	bool populated;
};

static struct morsel_stats before;

static bool intact(void)
{
	struct morsel_stats after = stats();

	return after.morsels == before.morsels &&
	       after.attachments == before.attachments;
}

/* In a child: armed is only this operation. */
static int attempt(void *arg)
{
	struct attempt *t = arg;
	struct arena a = *t->a;
	int nth, got;

	a.fd = select_id(a.id, 0);
	a.p = map(a.fd, RW);
	need(*word(a.p, 0) == stamp(0));
	a.fresh = (8ull + t->nth.n) << 18;
	if (t->populated)
		need(!morsel_populate(a.fd, a.fresh * PAGE, SPAN * PAGE, NULL));

	nth = failnth_arm(&t->nth);
	got = failnth_end(&t->nth, nth, t->run(&a));
	if (bad_stamps(a.p, ORDER, N) || (t->nth.err && t->run(&a)))
		return WRONG;
	return got;
}

static void walk(const char *name, operation *run, bool populated)
{
	struct attempt *t = shared(sizeof(*t));
	struct arena a;
	char *p;

	a.fd = create(ORDER, &a.id);
	p = map(a.fd, RW);
	put_stamps(p, ORDER, N);
	unmap(p, ORDER);

	*t = (struct attempt){ .a = &a, .run = run, .populated = populated };
	before = stats();
	failnth_walk(name, &t->nth, attempt, intact);
	p = map(a.fd, R);
	is(bad_stamps(p, ORDER, N), 0, "%s: content", name);
	unmap(p, ORDER);
	destroy(a.fd);
	munmap(t, sizeof(*t));
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	failnth_init();
	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++)
		walk(operations[i].name, operations[i].run,
		     operations[i].populated);
	return guest_done();
}

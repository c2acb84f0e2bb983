// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages taken out of a living, mapped morsel: nobody sees them afterwards,
 * whatever rights and whatever kind of mapping; who has one pinned keeps it.
 */
#include <errno.h>
#include <linux/falloc.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <sys/uio.h>

#include "guest.h"
#include "uring.h"

#define N 1024 /* pages with a stamp, from the first on */
#define WINDOW (1ull << 16) /* pages that are taken out at once */
#define PINNED 16384 /* pages: more than other memory comes and goes */

enum how { IOCTL, FALLOCATE, REMOVE, WAYS };

static const char *const ways[] = { "PUNCH", "fallocate", "MADV_REMOVE" };

static uint64_t count(unsigned int order)
{
	return pages_of(order) < N ? pages_of(order) : N;
}

static int punch(int fd, char *p, enum how how, uint64_t first, uint64_t n)
{
	uint64_t done;

	switch (how) {
	case IOCTL:
		return morsel_punch(fd, first * PAGE, n * PAGE, &done) ||
		       done != n * PAGE;
	case FALLOCATE:
		return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				 first * PAGE, n * PAGE);
	default:
		return madvise(p + first * PAGE, n * PAGE, MADV_REMOVE);
	}
}

/* What page @i should hold while [first, first + n) is a hole. */
static uint64_t bad(char *p, uint64_t total, uint64_t first, uint64_t n)
{
	uint64_t wrong = 0;

	for (uint64_t i = 0; i < total; i++)
		wrong += *word(p, i) !=
			 (i >= first && i < first + n ? 0 : stamp(i));
	return wrong;
}

struct watch {
	int fd;
	uint64_t total, first, n;
	atomic_int step;
};

/*
 * Maps with all kinds of rights and in both ways, reads everything before and
 * after.  A private page would do for none of them.
 */
static int watcher(void *arg)
{
	static const int prots[] = { R, RW, R | X, RW | X };
	struct watch *w = arg;
	uint64_t size = w->total * PAGE, wrong = 0;
	char *p[4], *skewed;

	for (int i = 0; i < 4; i++) {
		p[i] = map(w->fd, prots[i]);
		wrong += bad(p[i], w->total, 0, 0);
	}
	skewed = mmap((void *)(free_addr(1, 2) + PAGE), size, RW,
		      MAP_SHARED | MAP_FIXED_NOREPLACE, w->fd, 0);
	need(skewed != MAP_FAILED);
	wrong += bad(skewed, w->total, 0, 0);
	need(!wrong);
	w->step = 1;
	await(&w->step, 2);
	for (int i = 0; i < 4; i++)
		wrong += bad(p[i], w->total, w->first, w->n);
	wrong += bad(skewed, w->total, w->first, w->n);
	need(!wrong);
	/* A page that comes back is one and the same for all. */
	*word(skewed, w->first) = 1;
	for (int i = 0; i < 4; i++)
		need(*word(p[i], w->first) == 1);
	*word(p[1], w->first) = 0;
	return 0;
}

static void hole(unsigned int order, enum how how, uint64_t first, uint64_t n)
{
	struct watch *w = shared(sizeof(*w));
	uint64_t total = count(order);
	int fd = create(order, NULL);
	char *p = map(fd, RW);
	uint64_t tables;
	pid_t pid;

	for (uint64_t i = 0; i < total; i++)
		*word(p, i) = stamp(i);
	*w = (struct watch){ fd, total, first, n, 0 };
	pid = spawn(watcher, w);
	await(&w->step, 1);
	tables = info(fd).table_frames;

	is(punch(fd, p, how, first, n), 0, "order %u: %s of %lu pages", order,
	   ways[how], (long)n);
	is(info(fd).data_frames, order ? total - n : 1,
	   "order %u: just so many frames are free", order);
	is(info(fd).table_frames, tables, "order %u: tables stay", order);
	is(bad(p, total, first, n), 0, "order %u: zeroes there, all else as it was",
	   order);
	w->step = 2;
	is(reap(pid), 0, "order %u: in another process, under all rights", order);
	is(punch(fd, p, how, 0, total), 0, "order %u: %s of all", order,
	   ways[how]);
	is(info(fd).data_frames, order == 0, "order %u: nothing left", order);
	is(bad(p, total, 0, total), 0, "order %u: but zeroes", order);
	unmap(p, order);
	destroy(fd);
	munmap(w, sizeof(*w));
}

/* A few pages far from each other, by one call. */
static void sparse(unsigned int order)
{
	int fd = create(order, NULL);
	uint64_t size = morsel_size(order), done;
	char *p = map(fd, RW);

	put_stamps(p, order, N);
	is(morsel_punch(fd, PAGE, size - 2 * PAGE, &done), 0,
	   "order %u: all but the first and the last page", order);
	is(done, size - 2 * PAGE, "order %u: done", order);
	is(*word(p, 0), stamp(0), "order %u: the first is there", order);
	ok(info(fd).data_frames <= 2, "order %u: at most two are", order);
	unmap(p, order);
	destroy(fd);
}

/* A pipe holds a reference to the page; what it holds is the old content. */
static void pinned(unsigned int order)
{
	int fd = create(order, NULL), pipes[2];
	char *p = map(fd, RW), got[PAGE];
	struct iovec iov = { p, PAGE };
	uint64_t done;

	memset(p, 'a', PAGE);
	if (pipe(pipes))
		bail("pipe: %s", strerror(errno));
	is(vmsplice(pipes[1], &iov, 1, 0), PAGE, "order %u: pinned by a pipe",
	   order);
	is(morsel_punch(fd, 0, PAGE, &done), 0, "order %u: punched", order);
	is(p[0], 0, "order %u: the morsel has a zero", order);
	memset(p, 'b', PAGE);
	is(info(fd).data_frames, 1, "order %u: and a new page", order);
	is(read(pipes[0], got, PAGE), PAGE, "order %u: read from it", order);
	ok(got[0] == (order ? 'a' : 'b') && got[PAGE - 1] == got[0],
	   "order %u: the pipe has %s", order, order ? "the old one" : "the only one");
	close(pipes[0]);
	close(pipes[1]);
	unmap(p, order);
	destroy(fd);
}

/* Free frames: what the allocator has and what processors keep of it. */
static long free_frames(void)
{
	FILE *f = fopen("/proc/zoneinfo", "r");
	char line[128];
	long n, sum = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " nr_free_pages %ld", &n) == 1 ||
		    sscanf(line, " count: %ld", &n) == 1)
			sum += n;
	if (!sum)
		bail("/proc/zoneinfo says nothing of free pages");
	fclose(f);
	return sum;
}

/* Whether so many are free, or soon will be. */
static bool free_at_least(long frames)
{
	for (int i = 0; i < 1000 && free_frames() < frames; i++)
		usleep(10000);
	if (free_frames() < frames)
		note("%ld frames are free, not %ld", free_frames(), frames);
	return free_frames() >= frames;
}

struct pins {
	uint64_t id, n;
	atomic_int step;
};

/* Takes out what another process has pinned. */
static int puncher(void *arg)
{
	struct pins *s = arg;
	int fd = select_id(s->id, 0);
	char *p = map(fd, RW);
	uint64_t done;

	need(!bad(p, s->n, 0, 0));
	need(!morsel_punch(fd, 0, s->n * PAGE, &done) && done == s->n * PAGE);
	s->step = 1;
	await(&s->step, 2);
	need(!bad(p, s->n, 0, s->n));
	s->step = 3;
	await(&s->step, 4);
	need(!bad(p, s->n, 0, s->n));
	return 0;
}

/* Transfers through the buffer reach the old pages, and those only. */
static void transfers(struct uring *u, char *p, struct pins *s,
		      unsigned int order)
{
	enum { FIRST = 500, PAGES = 8 };
	char *at = p + FIRST * PAGE, *copy = aligned_alloc(PAGE, PAGES * PAGE);
	int file = memfd_create("file", MFD_CLOEXEC), size = PAGES * PAGE;
	uint64_t wrong = 0;

	is(uring_io(u, IORING_OP_WRITE_FIXED, file, at, size), size,
	   "order %u: a write of the buffer", order);
	is(pread(file, copy, size, 0), size, "order %u: to a file", order);
	for (int i = 0; i < PAGES; i++)
		wrong += *word(copy, i) != stamp(FIRST + i);
	is(wrong, 0, "order %u: has the old content", order);

	memset(copy, 'c', size);
	is(pwrite(file, copy, size, 0), size, "order %u: other content", order);
	is(uring_io(u, IORING_OP_READ_FIXED, file, at, size), size,
	   "order %u: is read into the buffer", order);
	is(ftruncate(file, 0), 0, "order %u: is nowhere else", order);
	is(uring_io(u, IORING_OP_WRITE_FIXED, file, at, size), size,
	   "order %u: is written from the buffer", order);
	memset(copy, 0, size);
	is(pread(file, copy, size, 0), size, "order %u: and read", order);
	for (int i = 0; i < size; i++)
		wrong += copy[i] != 'c';
	is(wrong, 0, "order %u: and was kept", order);
	is(bad(p, s->n, 0, s->n), 0, "order %u: the morsel has none of it",
	   order);
	free(copy);
	close(file);
}

/* A pin that is not short: a buffer that io_uring keeps. */
static void pinned_for_long(unsigned int order)
{
	struct pins *s = shared(sizeof(*s));
	struct uring u = uring_open();
	int fd = create(order, &s->id);
	char *p = map(fd, RW);
	long before;
	pid_t pid;

	s->n = pages_of(order) < PINNED ? pages_of(order) : PINNED;
	for (uint64_t i = 0; i < s->n; i++)
		*word(p, i) = stamp(i);
	is(uring_register(&u, p, s->n * PAGE), 0, "order %u: a fixed buffer",
	   order);
	before = free_frames();
	pid = spawn(puncher, s);
	await(&s->step, 1);
	is(info(fd).data_frames, 0, "order %u: another process took it all out",
	   order);
	if (order > 1)
		ok(free_frames() < before + (long)s->n / 2,
		   "order %u: not one of the frames is free", order);
	is(bad(p, s->n, 0, s->n), 0, "order %u: zeroes", order);
	s->step = 2;
	await(&s->step, 3);
	is(info(fd).data_frames, s->n, "order %u: in other pages", order);
	transfers(&u, p, s, order);
	s->step = 4;
	is(reap(pid), 0, "order %u: nor does the other process see any", order);
	before = free_frames();
	is(syscall(SYS_io_uring_register, u.fd, IORING_UNREGISTER_BUFFERS, NULL,
		   0),
	   0, "order %u: unpinned", order);
	if (order > 1)
		ok(free_at_least(before + (long)s->n * 3 / 4),
		   "order %u: the frames are free", order);
	is(bad(p, s->n, 0, s->n), 0, "order %u: the morsel has its own", order);
	uring_close(&u);
	unmap(p, order);
	destroy(fd);
	munmap(s, sizeof(*s));
}

/* Some everywhere in the first four windows, and all close to their borders. */
static bool is_stamped(uint64_t page)
{
	return page % 61 == 0 || (page + 200) % WINDOW < 400;
}

static uint64_t bad_windows(char *p, uint64_t first, uint64_t n)
{
	uint64_t wrong = 0;

	for (uint64_t i = 0; i < 4 * WINDOW; i++)
		if (is_stamped(i))
			wrong += *word(p, i) !=
				 (i >= first && i < first + n ? 0 : stamp(i));
	return wrong;
}

static int window_watcher(void *arg)
{
	struct watch *w = arg;
	char *p = map(w->fd, RW), *r = map(w->fd, R);

	need(!bad_windows(p, 0, 0) && !bad_windows(r, 0, 0));
	w->step = 1;
	await(&w->step, 2);
	need(!bad_windows(r, w->first, w->n));
	need(!bad_windows(p, w->first, w->n));
	return 0;
}

/* From within one window to within another, with whole ones in between. */
static void windows(unsigned int order, enum how how)
{
	struct watch *w = shared(sizeof(*w));
	uint64_t first = WINDOW - 100, n = 2 * WINDOW + 200, left = 0;
	int fd = create(order, NULL);
	char *p = map(fd, RW);
	pid_t pid;

	for (uint64_t i = 0; i < 4 * WINDOW; i++)
		if (is_stamped(i)) {
			*word(p, i) = stamp(i);
			left += i < first || i >= first + n;
		}
	*w = (struct watch){ fd, 4 * WINDOW, first, n, 0 };
	pid = spawn(window_watcher, w);
	await(&w->step, 1);
	is(punch(fd, p, how, first, n), 0, "order %u: %s of several windows",
	   order, ways[how]);
	is(info(fd).data_frames, left, "order %u: the others are left", order);
	is(bad_windows(p, first, n), 0,
	   "order %u: zeroes there, all else as it was", order);
	w->step = 2;
	is(reap(pid), 0, "order %u: in another process", order);
	unmap(p, order);
	destroy(fd);
	munmap(w, sizeof(*w));
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* One page in each window, none of them at the same place. */
static uint64_t lone(uint64_t window)
{
	return window * WINDOW + window * 31 % WINDOW;
}

static int child_finds_zeroes(void *arg)
{
	char *p = map(*(int *)arg, R);

	for (uint64_t i = 0; i < pages_of(3) / WINDOW; i++)
		need(!*word(p, lone(i)));
	return 0;
}

static void interrupted(void)
{
	struct itimerval tick = { { 0, 5000 }, { 0, 5000 } }, none = { 0 };
	struct sigaction sa = { .sa_handler = on_alarm };
	uint64_t n = pages_of(3) / WINDOW, size = morsel_size(3), at = 0, done;
	int fd = create(3, NULL), interruptions = 0, err;
	bool honest = true, partial = false;
	char *p = map(fd, RW);

	for (uint64_t i = 0; i < n; i++)
		*word(p, lone(i)) = stamp(i);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &tick, NULL);
	while ((err = morsel_punch(fd, at, size - at, &done)) == -EINTR) {
		uint64_t left = 0;

		interruptions++;
		partial |= done != 0;
		at += done;
		for (uint64_t i = 0; i < n; i++)
			if (lone(i) * PAGE >= at) {
				left++;
				honest &= *word(p, lone(i)) == stamp(i);
			}
		honest &= done % PAGE == 0 && info(fd).data_frames == left;
	}
	setitimer(ITIMER_REAL, &none, NULL);
	is(err, 0, "PUNCH goes on after interruptions");
	is(at + done, size, "to the end");
	ok(interruptions && partial, "%d of them, amid its work",
	   interruptions);
	ok(honest, "and says each time how far it got");
	is(info(fd).data_frames, 0, "in the end nothing is left");
	is(reap(spawn(child_finds_zeroes, &fd)), 0, "for another process, too");
	unmap(p, 3);
	destroy(fd);
}

static void refused(void)
{
	int fd = create(1, NULL),
	    rdonly = select_id(info(fd).id, MORSEL_OPEN_RDONLY);
	uint64_t size = morsel_size(1);
	char *p = map(fd, RW), *q = map(rdonly, R);
	static const int modes[] = {
		0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE,
		FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE,
	};

	*word(p, 0) = 42;
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		is_errno(fallocate(fd, modes[i], 0, PAGE), EOPNOTSUPP,
			 "fallocate, mode %#x", modes[i]);
	is_errno(fallocate(rdonly, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			   PAGE), EBADF, "fallocate of a read-only descriptor");
	is_errno(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			   100), EINVAL, "fallocate of a part of a page");
	is(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, size, PAGE),
	   0, "fallocate beyond the end does nothing");
	is(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE,
		     INT64_MAX / 4096 * 4096 - PAGE), 0,
	   "fallocate across the end stops there");
	is_errno(madvise(q, PAGE, MADV_REMOVE), EACCES,
		 "MADV_REMOVE in a read-only mapping");
	is_errno(ftruncate(fd, 0), EINVAL, "ftruncate");
	is_errno(ftruncate(fd, 2 * size), EINVAL, "ftruncate to more");
	is(*word(p, 0), 42, "nothing was lost by that");
	unmap(q, 1);
	unmap(p, 1);
	close(rdonly);
	destroy(fd);
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);

	for (unsigned int order = 0; order <= max_order(); order++) {
		uint64_t n = count(order);

		for (enum how how = 0; how < WAYS; how++) {
			hole(order, how, 0, 1);
			if (order)
				hole(order, how, n / 3, n / 2);
		}
		pinned(order);
		if (order)
			sparse(order);
		if (order && uring_registers_files())
			pinned_for_long(order);
		else if (order)
			skip("pinned by a fixed buffer",
			     "io_uring of this kernel refuses any file's memory");
		for (enum how how = 0; order > 1 && how < WAYS; how++)
			windows(order, how);
	}
	interrupted();
	refused();
	return guest_done();
}

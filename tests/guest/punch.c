// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages taken out of a living, mapped morsel: nobody sees them afterwards,
 * whatever rights and whatever kind of mapping; who has one pinned keeps it.
 */
#include <errno.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/uio.h>

#include "guest.h"

#define N 1024 /* pages with a stamp, from the first on */

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
	}
	refused();
	return guest_done();
}

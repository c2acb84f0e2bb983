// SPDX-License-Identifier: GPL-2.0-only
/*
 * Population of a range ahead of its use: by the ioctl, by madvise() and by
 * MAP_POPULATE.  Just that range, without a fault for each page, and as far as
 * it says.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "guest.h"

#define SPAN 4096 /* pages */

static long faults(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return r.ru_minflt + r.ru_majflt;
}

static uint64_t span(unsigned int order)
{
	return pages_of(order) < SPAN ? pages_of(order) : SPAN;
}

/* A range that begins and ends amid tables, where there is room for that. */
static uint64_t ragged(unsigned int order)
{
	return order ? 3 : 0;
}

static int child_finds_zeroes(void *arg)
{
	int fd = *(int *)arg;
	unsigned int order = info(fd).order;
	uint64_t n = span(order), bad = 0;
	char *p = map(fd, R);

	for (uint64_t i = 0; i < n; i++)
		bad += i == 7 ? *word(p, i) != 77 : *word(p, i) != 0;
	return bad != 0;
}

static void by_ioctl(unsigned int order)
{
	uint64_t from = ragged(order), n = span(order) - 2 * from, done = 1;
	int fd = create(order, NULL);
	char *p;

	if (order) {
		p = map(fd, RW);
		*word(p, 7) = 77;
		unmap(p, order);
	}
	is(morsel_populate(fd, from * PAGE, n * PAGE, &done), 0,
	   "order %u: POPULATE", order);
	is(done, n * PAGE, "order %u: all of it", order);
	is(info(fd).data_frames, n, "order %u: and nothing else", order);
	is(morsel_populate(fd, from * PAGE, n * PAGE, &done), 0,
	   "order %u: once more", order);
	is(info(fd).data_frames, n, "order %u: adds nothing", order);
	if (order)
		is(reap(spawn(child_finds_zeroes, &fd)), 0,
		   "order %u: another process finds zeroes, and what was there",
		   order);
	destroy(fd);
}

static void by_madvise(unsigned int order, int advice, int prot)
{
	const char *name = advice == MADV_POPULATE_READ ? "READ" : "WRITE";
	uint64_t from = ragged(order), n = span(order) - 2 * from;
	int fd = create(order, NULL);
	char *p = map(fd, prot);
	long before = faults();

	is(madvise(p + from * PAGE, n * PAGE, advice), 0,
	   "order %u: MADV_POPULATE_%s", order, name);
	/* One for a table, the attachment, and some of the program's own. */
	ok(faults() - before <= (long)n / 512 + 16,
	   "order %u: without a fault for each page", order);
	is(info(fd).data_frames, n, "order %u: just the range", order);
	is(info(fd).attachments, order != 0, "order %u: one entry", order);
	unmap(p, order);
	destroy(fd);
}

static void by_mmap(unsigned int order)
{
	uint64_t from = ragged(order), n = span(order) - 2 * from;
	int fd = create(order, NULL);
	long before = faults();
	char *p = mmap(NULL, n * PAGE, RW, MAP_SHARED | MAP_POPULATE, fd,
		       from * PAGE);

	ok(p != MAP_FAILED, "order %u: MAP_POPULATE of a part", order);
	is(info(fd).data_frames, n, "order %u: just the range", order);
	/* The edges are mapped by the kernel, page by page. */
	if (order > 1)
		ok(faults() - before <= (long)n / 512 + 1024 + 16,
		   "order %u: without a fault for each page", order);
	munmap(p, n * PAGE);
	destroy(fd);
}

/* The kernel's own accesses are not ahead of anything. */
static void by_read(void)
{
	int fd = create(2, NULL), zero = open("/dev/zero", O_RDONLY);
	char *p = map(fd, RW);

	is(read(zero, p + 5 * PAGE, 2 * PAGE), 2 * PAGE, "read into a morsel");
	is(info(fd).data_frames, 2, "populates just what it needs");
	close(zero);
	unmap(p, 2);
	destroy(fd);
}

static void errors(void)
{
	int fd = create(1, NULL), rdonly = select_id(info(fd).id, MORSEL_OPEN_RDONLY);
	uint64_t size = morsel_size(1), done = 0;
	static const struct {
		const char *what;
		struct morsel_range arg;
	} bad[] = {
		{ "odd offset", { .offset = 1, .length = 4096 } },
		{ "odd length", { .length = 4097 } },
		{ "length 0", { .length = 0 } },
		{ "beyond the end", { .offset = 2 << 20, .length = 4096 } },
		{ "across the end", { .offset = 4096, .length = 2 << 20 } },
		{ "length ~0", { .length = -4096ull } },
		{ "a sum of 0", { .offset = -4096ull, .length = 4096 } },
		{ "flags", { .length = 4096, .flags = 1 } },
		{ "pad", { .length = 4096, .pad = 1 } },
		{ "reserved[0]", { .length = 4096, .reserved = { 1, 0 } } },
		{ "reserved[1]", { .length = 4096, .reserved = { 0, 1 } } },
	};
	static const unsigned long cmds[] = { MORSEL_IOC_POPULATE,
					      MORSEL_IOC_PUNCH };

	for (int c = 0; c < 2; c++) {
		for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
			struct morsel_range arg = bad[i].arg;

			is_errno(ioctl(fd, cmds[c], &arg), EINVAL, "%s: %s",
				 c ? "PUNCH" : "POPULATE", bad[i].what);
		}
		is_errno(ioctl(fd, cmds[c], NULL), EFAULT, "%s: NULL",
			 c ? "PUNCH" : "POPULATE");
		is_errno(ioctl(device(), cmds[c], NULL), ENOTTY,
			 "%s: on the control device", c ? "PUNCH" : "POPULATE");
	}
	is(info(fd).data_frames, 0, "nothing was populated by that");
	is(morsel_populate(rdonly, size - PAGE, PAGE, &done), 0,
	   "POPULATE of a read-only descriptor");
	is(morsel_punch(rdonly, size - PAGE, PAGE, &done), -EBADF,
	   "PUNCH of a read-only descriptor");
	is(info(fd).data_frames, 1, "which leaves the page");
	close(rdonly);
	is(morsel_destroy(fd), 0, "destroyed");
	is(morsel_populate(fd, 0, PAGE, &done), -ESTALE, "POPULATE after that");
	is(morsel_punch(fd, 0, PAGE, &done), -ESTALE, "PUNCH after that");
	close(fd);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void interrupted(void)
{
	struct itimerval tick = { { 0, 5000 }, { 0, 5000 } }, none = { 0 };
	struct sigaction sa = { .sa_handler = on_alarm };
	uint64_t n = 32768, at = 0, done;
	int fd = create(2, NULL), interruptions = 0, err;
	bool honest = true;

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &tick, NULL);
	while ((err = morsel_populate(fd, at, n * PAGE - at, &done)) == -EINTR) {
		interruptions++;
		at += done;
		honest &= done % PAGE == 0 && info(fd).data_frames == at / PAGE;
	}
	setitimer(ITIMER_REAL, &none, NULL);
	is(err, 0, "POPULATE goes on after interruptions");
	ok(interruptions, "%d of them", interruptions);
	ok(honest, "and says each time how far it got");
	is(info(fd).data_frames, n, "in the end it is all there");
	destroy(fd);
}

static int child_fills(void *arg)
{
	uint64_t done;

	return morsel_populate(*(int *)arg, 0, SPAN * PAGE, &done) ||
	       done != SPAN * PAGE;
}

static void together(unsigned int order)
{
	int fd = create(order, NULL);
	pid_t pid = spawn(child_fills, &fd), other = spawn(child_fills, &fd);
	char *p = map(fd, RW);
	uint64_t lost = 0;

	for (uint64_t i = 0; i < SPAN; i++)
		*word(p, i) = stamp(i);
	ok(!reap(pid) && !reap(other), "order %u: three processes populate",
	   order);
	is(info(fd).data_frames, SPAN, "order %u: no page twice", order);
	for (uint64_t i = 0; i < SPAN; i++)
		lost += *word(p, i) != stamp(i);
	is(lost, 0, "order %u: no stamp lost", order);
	unmap(p, order);
	destroy(fd);
}

/* MADV_SEQUENTIAL: a fault takes the pages along that are expected next. */
static void sequential(void)
{
	int fd = create(2, NULL);
	char *p = map(fd, RW), *part;
	long before;

	is(madvise(p, morsel_size(2), MADV_SEQUENTIAL), 0, "pages will be used in turn");
	before = faults();
	for (int i = 0; i < 512; i++)
		*word(p, i) = i + 1;
	before = faults() - before;
	ok(before < 64, "%ld faults for 512 pages", before);
	is(info(fd).data_frames, 512, "none more");
	*word(p, 1000) = 1;
	is(info(fd).data_frames, 512 + 8, "a page and those up to 64 KiB");
	is(*word(p, 1007), 0, "they are empty");
	unmap(p, 2);

	part = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, fd, 2048 * PAGE);
	is(madvise(part, 3 * PAGE, MADV_SEQUENTIAL), 0, "three pages alone");
	*word(part, 1) = 2;
	is(info(fd).data_frames, 512 + 8 + 2, "no page behind the mapping");
	munmap(part, 3 * PAGE);
	destroy(fd);
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);

	for (unsigned int order = 0; order <= max_order(); order++) {
		by_ioctl(order);
		by_madvise(order, MADV_POPULATE_WRITE, RW);
		by_madvise(order, MADV_POPULATE_READ, RW);
		by_madvise(order, MADV_POPULATE_READ, R);
		by_mmap(order);
		if (order > 1)
			together(order);
	}
	by_read();
	sequential();
	errors();
	interrupted();
	return guest_done();
}

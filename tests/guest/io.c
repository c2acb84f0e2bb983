// SPDX-License-Identifier: GPL-2.0-only
/*
 * Transfers between a morsel and files, pipes and other processes that take its
 * pages as they are: O_DIRECT, fixed buffers of io_uring, splicing,
 * process_vm_readv and process_vm_writev.  Both who asks for one and who shares
 * the morsel see what comes in.
 */
#include "disk.h"
#include "peer.h"
#include "uring.h"

#define FILE_NAME DISK "/file"

struct scene {
	unsigned int order;
	size_t at, len; /* where the transfers go to and come from */
	int fd;
	char *p;
	struct peer peer;
};

static uint64_t pattern(uint64_t seed, size_t i)
{
	return (seed << 32 | i) * 0x9e3779b97f4a7c15ull;
}

static void put_pattern(char *to, size_t len, uint64_t seed)
{
	for (size_t i = 0; i < len / 8; i++)
		((uint64_t *)to)[i] = pattern(seed, i);
}

static int has_pattern(const char *from, size_t len, uint64_t seed)
{
	for (size_t i = 0; i < len / 8; i++)
		if (((const uint64_t *)from)[i] != pattern(seed, i))
			return 0;
	return 1;
}

static size_t scene_at, scene_len; /* the peer's copy of the scene's */

static int64_t peer_has(char *base, uint64_t seed, uint64_t b)
{
	(void)b;
	return has_pattern(base + scene_at, scene_len, seed);
}

static int64_t peer_puts(char *base, uint64_t seed, uint64_t b)
{
	(void)b;
	put_pattern(base + scene_at, scene_len, seed);
	return 0;
}

static int both_have(struct scene *s, uint64_t seed)
{
	return has_pattern(s->p + s->at, s->len, seed) &&
	       peer_call(&s->peer, peer_has, seed, 0);
}

/* What the file holds, by its page cache or, where it was direct, the disk. */
static int file_has(struct scene *s, uint64_t seed)
{
	char *copy = aligned_alloc(PAGE, s->len);
	int same, fd = open(FILE_NAME, O_RDONLY | O_CLOEXEC);

	same = read(fd, copy, s->len) == (ssize_t)s->len &&
	       has_pattern(copy, s->len, seed);
	close(fd);
	free(copy);
	return same;
}

static void direct(struct scene *s)
{
	int fd = open(FILE_NAME, O_RDWR | O_DIRECT | O_CLOEXEC);
	char *at = s->p + s->at;

	peer_call(&s->peer, peer_puts, 1, 0);
	is(pwrite(fd, at, s->len, 0), s->len, "order %u: O_DIRECT write",
	   s->order);
	ok(file_has(s, 1), "order %u: what the peer had written is in the file",
	   s->order);
	put_pattern(at, s->len, 2);
	is(pread(fd, at, s->len, 0), s->len, "order %u: O_DIRECT read",
	   s->order);
	ok(both_have(s, 1), "order %u: both see what the file has", s->order);
	/* Not touched before: the pin itself populates and attaches. */
	madvise(s->p, s->order < 4 ? morsel_size(s->order) : 1 << 21,
		MADV_DONTNEED);
	put_pattern(at, s->len, 3);
	madvise(at, s->len, MADV_DONTNEED);
	is(pwrite(fd, at, s->len, 0), s->len,
	   "order %u: O_DIRECT write by a view that was dropped", s->order);
	ok(file_has(s, 3), "order %u: the file has it", s->order);
	close(fd);
}

static void fresh_pages(struct scene *s)
{
	int fd = open(FILE_NAME, O_RDWR | O_DIRECT | O_CLOEXEC);
	size_t home = s->at;
	uint64_t frames = info(s->fd).data_frames;

	if (s->order < 2) {
		close(fd);
		return;
	}
	put_pattern(s->p + home, s->len, 4);
	pwrite(fd, s->p + home, s->len, 0);
	/* Where nobody has been. */
	s->at = morsel_size(s->order) - s->len - 7 * PAGE;
	is(pread(fd, s->p + s->at, s->len, 0), s->len,
	   "order %u: O_DIRECT read into pages that are not there yet",
	   s->order);
	is(info(s->fd).data_frames, frames + s->len / PAGE,
	   "order %u: they are then", s->order);
	ok(has_pattern(s->p + s->at, s->len, 4), "order %u: with the content",
	   s->order);
	is(peer_call(&s->peer, peer_swap, s->at + 8, 0), pattern(4, 1),
	   "order %u: the peer sees it", s->order);
	s->at = home;
	close(fd);
}

static void fixed_buffers(struct scene *s)
{
	int fd = open(FILE_NAME, O_RDWR | O_DIRECT | O_CLOEXEC);
	struct uring u = uring_open();
	char *at = s->p + s->at;

	if (!uring_registers_files()) {
		skip("fixed buffers",
		     "io_uring of this kernel refuses any file's memory");
		goto out;
	}
	if (!is(uring_register(&u, at, s->len), 0, "order %u: a fixed buffer",
		s->order))
		goto out;
	peer_call(&s->peer, peer_puts, 5, 0);
	is(uring_io(&u, IORING_OP_WRITE_FIXED, fd, at, s->len), s->len,
	   "order %u: io_uring writes a fixed buffer", s->order);
	ok(file_has(s, 5), "order %u: what the peer had written is in the file",
	   s->order);
	put_pattern(at, s->len, 6);
	is(uring_io(&u, IORING_OP_READ_FIXED, fd, at, s->len), s->len,
	   "order %u: io_uring reads into a fixed buffer", s->order);
	ok(both_have(s, 5), "order %u: both see what the file has", s->order);
	/* The pinned pages stay the morsel's, whatever becomes of the view. */
	madvise(at, s->len, MADV_PAGEOUT);
	madvise(at, s->len, MADV_DONTNEED);
	put_pattern(at, s->len, 7);
	is(uring_io(&u, IORING_OP_WRITE_FIXED, fd, at, s->len), s->len,
	   "order %u: again after MADV_DONTNEED", s->order);
	ok(file_has(s, 7), "order %u: the same pages", s->order);
out:
	uring_close(&u);
	close(fd);
}

static void plain_uring(struct scene *s)
{
	int fd = open(FILE_NAME, O_RDWR | O_DIRECT | O_CLOEXEC);
	struct uring u = uring_open();
	char *at = s->p + s->at;

	peer_call(&s->peer, peer_puts, 8, 0);
	is(uring_io(&u, IORING_OP_WRITE, fd, at, s->len), s->len,
	   "order %u: io_uring writes", s->order);
	ok(file_has(s, 8), "order %u: the file has it", s->order);
	put_pattern(at, s->len, 9);
	is(uring_io(&u, IORING_OP_READ, fd, at, s->len), s->len,
	   "order %u: io_uring reads", s->order);
	ok(both_have(s, 8), "order %u: both see what the file has", s->order);
	uring_close(&u);
	close(fd);
}

/* By reference into a pipe, from there to a file; and out of a pipe. */
static void splices(struct scene *s)
{
	int fd = open(FILE_NAME, O_RDWR | O_CLOEXEC), fds[2], twin[2];
	struct iovec vec = { s->p + s->at, s->len };
	char *copy = malloc(s->len);
	loff_t zero = 0;

	if (pipe2(fds, O_CLOEXEC) || pipe2(twin, O_CLOEXEC))
		bail("pipe: %s", strerror(errno));
	put_pattern(s->p + s->at, s->len, 10);
	is(vmsplice(fds[1], &vec, 1, SPLICE_F_GIFT), s->len,
	   "order %u: vmsplice, as a gift", s->order);
	is(tee(fds[0], twin[1], s->len, 0), s->len, "order %u: tee", s->order);
	/* References, not copies: the pipe has what the peer writes now. */
	peer_call(&s->peer, peer_puts, 11, 0);
	is(splice(fds[0], NULL, fd, &zero, s->len, SPLICE_F_MOVE), s->len,
	   "order %u: splice to a file", s->order);
	ok(file_has(s, 11), "order %u: the file has what the peer wrote",
	   s->order);
	is(read(twin[0], copy, s->len), s->len, "order %u: read of the tee",
	   s->order);
	ok(has_pattern(copy, s->len, 11), "order %u: it has that too",
	   s->order);
	/* A gift is no loss. */
	put_pattern(s->p + s->at, s->len, 12);
	ok(both_have(s, 12) && file_has(s, 11),
	   "order %u: the pages are still the morsel's, and not the file's",
	   s->order);
	zero = 0;
	is(splice(fd, &zero, fds[1], NULL, s->len, 0), s->len,
	   "order %u: splice from a file", s->order);
	is(vmsplice(fds[0], &vec, 1, 0), s->len,
	   "order %u: vmsplice out of a pipe", s->order);
	ok(both_have(s, 11), "order %u: both see it", s->order);
	free(copy);
	close(fds[0]);
	close(fds[1]);
	close(twin[0]);
	close(twin[1]);
	close(fd);
}

/* The peer does it, to and from its own private memory. */
static int64_t peer_vm(char *mine, uint64_t there, uint64_t write)
{
	static char copy[8 * PAGE];
	struct iovec local = { copy, scene_len },
		     remote = { (void *)there, scene_len };

	(void)mine;
	if (!write)
		return process_vm_readv(getppid(), &local, 1, &remote, 1, 0) ==
			       (ssize_t)scene_len &&
		       has_pattern(copy, scene_len, 13);
	put_pattern(copy, scene_len, 14);
	return process_vm_writev(getppid(), &local, 1, &remote, 1, 0) ==
	       (ssize_t)scene_len;
}

static void other_process(struct scene *s)
{
	uint64_t at = (uint64_t)(s->p + s->at);

	put_pattern(s->p + s->at, s->len, 13);
	is(peer_call(&s->peer, peer_vm, at, 0), 1,
	   "order %u: process_vm_readv by the peer", s->order);
	is(peer_call(&s->peer, peer_vm, at, 1), 1,
	   "order %u: process_vm_writev by the peer", s->order);
	ok(both_have(s, 14), "order %u: both see it", s->order);
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	disk_mount();
	for (unsigned int order = 0; order <= max_order(); order++) {
		struct scene s = { .order = order };
		uint64_t id;
		int fd;

		/* Across the border of two tables, where there are two. */
		s.at = order > 1 ? (2 << 20) - 3 * PAGE : order * 5 * PAGE;
		s.len = order ? 8 * PAGE : PAGE;
		scene_at = s.at;
		scene_len = s.len;
		fd = open(FILE_NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);
		if (fd < 0 || ftruncate(fd, s.len))
			bail("%s: %s", FILE_NAME, strerror(errno));
		close(fd);
		s.fd = create(order, &id);
		s.peer = peer_start(id, order, 1);
		s.p = map(s.fd, RW);
		direct(&s);
		fresh_pages(&s);
		fixed_buffers(&s);
		plain_uring(&s);
		splices(&s);
		other_process(&s);
		unmap(s.p, order);
		peer_stop(&s.peer);
		destroy(s.fd);
	}
	disk_umount();
	return guest_done();
}

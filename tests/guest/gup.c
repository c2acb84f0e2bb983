// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel as a user of the memory: it may pin and copy what the mapping
 * allows, and never writes through a mapping that is read-only.
 */
#include "uring.h"

#define LEN (4 * PAGE) /* enough for file systems to pin and not copy */

static char buffer[LEN];
static size_t len; /* LEN, or what the morsel has */

static ssize_t vm_write(char *to)
{
	struct iovec from = { buffer, len }, there = { to, len };

	return process_vm_writev(getpid(), &from, 1, &there, 1, 0);
}

static ssize_t vm_read(char *from)
{
	struct iovec to = { buffer, len }, there = { from, len };

	return process_vm_readv(getpid(), &to, 1, &there, 1, 0);
}

static ssize_t mem_write(char *to)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	ssize_t n = pwrite(fd, buffer, len, (off_t)to);

	close(fd);
	return n;
}

static ssize_t pipe_read(char *to)
{
	int fds[2];
	ssize_t n;

	if (pipe(fds) || write(fds[1], buffer, len) != (ssize_t)len)
		bail("pipe: %s", strerror(errno));
	n = read(fds[0], to, len);
	close(fds[0]);
	close(fds[1]);
	return n;
}

/* The file systems below the guest's root read straight into pinned pages. */
static ssize_t file_read(char *to, int flags)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC | flags);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, to, len);
	close(fd);
	return n;
}

/* Pin for long and for writing: 0, or -1 with errno. */
static int pin(char *p)
{
	struct uring u = uring_open();
	int ret = uring_register(&u, p, len), err = errno;

	uring_close(&u);
	errno = err;
	return ret;
}

/* Page references, not copies, go through the pipe. */
static bool spliced(char *from)
{
	struct iovec vec = { from, PAGE };
	bool same = false;
	int fds[2];

	if (pipe(fds))
		bail("pipe: %s", strerror(errno));
	memset(buffer, 0, PAGE);
	if (vmsplice(fds[1], &vec, 1, 0) == (ssize_t)PAGE &&
	    read(fds[0], buffer, PAGE) == (ssize_t)PAGE)
		same = !memcmp(buffer, from, PAGE);
	close(fds[0]);
	close(fds[1]);
	return same;
}

static void writable(int fd, unsigned int order)
{
	char *p = map(fd, RW);

	memset(buffer, 1, LEN);
	is(vm_write(p), len, "order %u: process_vm_writev", order);
	is(p[len - 1], 1, "order %u: has written", order);
	memset(buffer, 2, LEN);
	is(mem_write(p), len, "order %u: /proc/self/mem", order);
	is(p[len - 1], 2, "order %u: has written", order);
	memset(buffer, 3, LEN);
	is(pipe_read(p), len, "order %u: read from a pipe", order);
	is(p[len - 1], 3, "order %u: has written", order);
	is(file_read(p, 0), len, "order %u: read from a file", order);
	ok(!memcmp(p, "\177ELF", 4), "order %u: has written", order);
	memset(p, 0, len);
	is(file_read(p, O_DIRECT), len, "order %u: O_DIRECT", order);
	ok(!memcmp(p, "\177ELF", 4), "order %u: has written", order);
	ok(spliced(p), "order %u: vmsplice", order);
	if (uring_registers_files())
		is(pin(p), 0, "order %u: a pin for writing", order);
	else
		skip("a pin for writing",
		     "io_uring of this kernel refuses any file's memory");
	unmap(p, order);
}

/* @prot has no W: a write by any way fails, and changes nothing. */
static void readonly(int fd, unsigned int order, int prot)
{
	char *p = map(fd, prot), *all = map(fd, RW);
	const char *name = prot & X ? "rx" : "r";

	memset(all, 7, len);
	memset(buffer, 9, LEN);
	for (int round = 0; round < 2; round++) {
		is_errno(vm_write(p), EFAULT, "order %u: %s: process_vm_writev",
			 order, name);
		ok(mem_write(p) < 0, "order %u: %s: /proc/self/mem", order,
		   name);
		is_errno(pipe_read(p), EFAULT, "order %u: %s: read from a pipe",
			 order, name);
		ok(file_read(p, 0) <= 0, "order %u: %s: read from a file",
		   order, name);
		ok(file_read(p, O_DIRECT) <= 0, "order %u: %s: O_DIRECT", order,
		   name);
		is_errno(pin(p), EFAULT, "order %u: %s: a pin for writing",
			 order, name);
		/* Once more with everything present: that is where fast paths look. */
		for (size_t i = 0; i < len; i += PAGE)
			ok(!probe(p + i, READ) && p[i] == 7,
			   "order %u: %s: page %d is as it was", order, name,
			   (int)(i / PAGE));
	}
	is(vm_read(p), len, "order %u: %s: process_vm_readv", order, name);
	is(buffer[len - 1], 7, "order %u: %s: has read", order, name);
	ok(spliced(p), "order %u: %s: vmsplice", order, name);
	unmap(p, order);
	unmap(all, order);
}

/* A page that a pipe still refers to outlives its morsel. */
static void pinned_after_destroy(unsigned int order)
{
	int fd = create(order, NULL), fds[2];
	char *p = map(fd, RW);
	struct iovec vec = { p, PAGE };

	memset(p, 5, PAGE);
	if (pipe(fds) || vmsplice(fds[1], &vec, 1, 0) != (ssize_t)PAGE)
		bail("vmsplice: %s", strerror(errno));
	unmap(p, order);
	destroy(fd);
	/* Were it free, it would be given out again by now. */
	for (int i = 0; i < 64; i++) {
		fd = create(0, NULL);
		p = map(fd, RW);
		memset(p, 6, PAGE);
		unmap(p, 0);
		destroy(fd);
	}
	is(read(fds[0], buffer, PAGE), PAGE,
	   "order %u: read of a page of a dead morsel", order);
	ok(buffer[0] == 5 && buffer[PAGE - 1] == 5,
	   "order %u: it kept its content", order);
	close(fds[0]);
	close(fds[1]);
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	for (unsigned int order = 0; order <= max_order(); order++) {
		int fd = create(order, NULL);

		len = order ? LEN : PAGE;
		writable(fd, order);
		readonly(fd, order, R);
		readonly(fd, order, R | X);
		destroy(fd);
		pinned_after_destroy(order);
	}
	return guest_done();
}

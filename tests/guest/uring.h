/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As much of io_uring as a test needs: one request at a time, and a buffer that
 * the kernel keeps pinned between requests.
 */
#ifndef URING_H
#define URING_H

#include "guest.h"

#include <linux/io_uring.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>

/*
 * Whether buffers in files are registered, and not only those in tmpfs and
 * hugetlbfs: since 6.5.  By the number of the kernel and not by what it says,
 * which would take a refusal that is our own fault for one of the kernel.
 */
static inline bool uring_registers_files(void)
{
	unsigned int major, minor;
	struct utsname name;

	if (uname(&name) || sscanf(name.release, "%u.%u", &major, &minor) != 2)
		bail("uname: no version");
	return major > 6 || (major == 6 && minor >= 5);
}

struct uring {
	struct io_uring_params params;
	int fd;
	char *sq, *cq;
	struct io_uring_sqe *sqe;
};

static inline struct uring uring_open(void)
{
	struct uring u = { 0 };
	int prot = RW, flags = MAP_SHARED | MAP_POPULATE;

	u.fd = syscall(SYS_io_uring_setup, 1, &u.params);
	if (u.fd < 0)
		bail("io_uring_setup: %s", strerror(errno));
	u.sq = mmap(NULL, PAGE, prot, flags, u.fd, IORING_OFF_SQ_RING);
	u.cq = mmap(NULL, PAGE, prot, flags, u.fd, IORING_OFF_CQ_RING);
	u.sqe = mmap(NULL, PAGE, prot, flags, u.fd, IORING_OFF_SQES);
	if (u.sq == MAP_FAILED || u.cq == MAP_FAILED || u.sqe == MAP_FAILED)
		bail("io_uring: %s", strerror(errno));
	return u;
}

static inline void uring_close(struct uring *u)
{
	munmap(u->sq, PAGE);
	munmap(u->cq, PAGE);
	munmap(u->sqe, PAGE);
	close(u->fd);
}

/* Pins a buffer, as number 0: 0, or -1 with errno. */
static inline int uring_register(struct uring *u, char *buffer, size_t len)
{
	struct iovec vec = { buffer, len };

	return syscall(SYS_io_uring_register, u->fd, IORING_REGISTER_BUFFERS,
		       &vec, 1);
}

/* One request, to its end: what it transferred or -errno. */
static inline int uring_io(struct uring *u, int op, int fd, char *buffer,
			   size_t len)
{
	_Atomic unsigned int *tail =
		(_Atomic unsigned int *)(u->sq + u->params.sq_off.tail);
	_Atomic unsigned int *head =
		(_Atomic unsigned int *)(u->cq + u->params.cq_off.head);
	unsigned int mask =
		*(unsigned int *)(u->cq + u->params.cq_off.ring_mask);
	struct io_uring_cqe *cqes = (void *)(u->cq + u->params.cq_off.cqes);
	int ret;

	*u->sqe = (struct io_uring_sqe){
		.opcode = op, .fd = fd, .addr = (uintptr_t)buffer, .len = len
	};
	*(unsigned int *)(u->sq + u->params.sq_off.array) = 0;
	++*tail;
	ret = syscall(SYS_io_uring_enter, u->fd, 1, 1, IORING_ENTER_GETEVENTS,
		      NULL, 0);
	if (ret != 1)
		return ret < 0 ? -errno : -EIO;
	ret = cqes[*head & mask].res;
	++*head;
	return ret;
}

#endif /* URING_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Read-only means read-only, for whoever writes: each of these calls writes to
 * a writable mapping, and fails on one that is not, be it mapped for reading
 * only or by a read-only descriptor.  Fast paths of the kernel look at nothing
 * but leaf entries, so each is tried before the page was touched and after.
 */
#include "disk.h"
#include "peer.h"
#include "uring.h"

#include <linux/futex.h>
#include <sys/ptrace.h>
#include <sys/socket.h>

#define LEN (4 * PAGE) /* enough for file systems to pin and not copy */
#define OLD 7
#define NEW 9

static char *source; /* LEN bytes of NEW */
static size_t len; /* LEN, or what the morsel has */
static struct peer *peer;

static ssize_t transfer(char *to, int flags)
{
	int fd = open(DISK "/new", O_RDONLY | O_CLOEXEC | flags);
	ssize_t n = read(fd, to, len);
	int err = errno;

	close(fd);
	errno = err;
	return n;
}

static ssize_t by_read(char *to)
{
	return transfer(to, 0);
}

static ssize_t by_direct_read(char *to)
{
	return transfer(to, O_DIRECT);
}

static ssize_t with_uring(char *to, int op)
{
	int fd = open(DISK "/new", O_RDONLY | O_CLOEXEC | O_DIRECT), err = 0;
	struct uring u = uring_open();
	int n;

	if (op == IORING_OP_READ_FIXED && uring_register(&u, to, len))
		err = errno;
	n = err ? -err : uring_io(&u, op, fd, to, len);
	uring_close(&u);
	close(fd);
	return n;
}

static ssize_t by_uring(char *to)
{
	return with_uring(to, IORING_OP_READ);
}

static ssize_t by_fixed_buffer(char *to)
{
	return with_uring(to, IORING_OP_READ_FIXED);
}

/* What was written into a pipe or socket comes out at @to, by some call. */
static ssize_t through(int fds[2], char *to, ssize_t (*get)(int fd, char *to))
{
	ssize_t n;
	int err;

	if (write(fds[1], source, len) != (ssize_t)len)
		bail("write: %s", strerror(errno));
	n = get(fds[0], to);
	err = errno;
	close(fds[0]);
	close(fds[1]);
	errno = err;
	return n;
}

static ssize_t get_read(int fd, char *to)
{
	return read(fd, to, len);
}

static ssize_t get_vmsplice(int fd, char *to)
{
	return vmsplice(fd, &(struct iovec){ to, len }, 1, 0);
}

static ssize_t get_recvmsg(int fd, char *to)
{
	struct iovec vec = { to, len };
	struct msghdr msg = { .msg_iov = &vec, .msg_iovlen = 1 };

	return recvmsg(fd, &msg, 0);
}

static ssize_t by_pipe(char *to)
{
	int fds[2];

	return pipe2(fds, O_CLOEXEC) ? -1 : through(fds, to, get_read);
}

static ssize_t by_vmsplice(char *to)
{
	int fds[2];

	return pipe2(fds, O_CLOEXEC) ? -1 : through(fds, to, get_vmsplice);
}

static ssize_t by_recvmsg(char *to)
{
	int fds[2];

	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) ?
		       -1 :
		       through(fds, to, get_recvmsg);
}

static ssize_t by_vm_writev(char *to)
{
	struct iovec from = { source, len }, there = { to, len };

	return process_vm_writev(getpid(), &from, 1, &there, 1, 0);
}

/* By another process: what it returned, or -errno. */
static int64_t peer_vm_writev(char *base, uint64_t to, uint64_t n)
{
	struct iovec from = { source, n }, there = { (void *)to, n };
	ssize_t ret = process_vm_writev(getppid(), &from, 1, &there, 1, 0);

	(void)base;
	return ret < 0 ? -errno : ret;
}

static int64_t peer_mem(char *base, uint64_t to, uint64_t n)
{
	char path[32];
	ssize_t ret;
	int fd;

	(void)base;
	snprintf(path, sizeof(path), "/proc/%d/mem", getppid());
	fd = open(path, O_RDWR | O_CLOEXEC);
	ret = pwrite(fd, source, n, (off_t)to);
	ret = ret < 0 ? -errno : ret;
	close(fd);
	return ret;
}

/* Word by word, as a debugger does. */
static int64_t peer_poke(char *base, uint64_t to, uint64_t n)
{
	pid_t pid = getppid();
	int64_t ret = n;
	int status;

	(void)base;
	if (ptrace(PTRACE_SEIZE, pid, 0, 0) ||
	    ptrace(PTRACE_INTERRUPT, pid, 0, 0) ||
	    waitpid(pid, &status, 0) != pid)
		return -ESRCH;
	for (uint64_t i = 0; i < n && ret >= 0; i += 8)
		if (ptrace(PTRACE_POKEDATA, pid, to + i, *(long *)(source + i)))
			ret = -errno;
	ptrace(PTRACE_DETACH, pid, 0, 0);
	return ret;
}

static ssize_t by_peer_vm_writev(char *to)
{
	return peer_call(peer, peer_vm_writev, (uint64_t)to, len);
}

static ssize_t by_peer_mem(char *to)
{
	return peer_call(peer, peer_mem, (uint64_t)to, len);
}

static ssize_t by_peer_poke(char *to)
{
	return peer_call(peer, peer_poke, (uint64_t)to, len);
}

/* The kernel's own atomic operation on a word, bit by bit. */
static ssize_t by_futex(char *to)
{
	const int xor_bit = FUTEX_OP_XOR | FUTEX_OP_OPARG_SHIFT;
	static uint32_t none;

	for (int bit = 0; bit < 32; bit++) {
		int op = FUTEX_OP(xor_bit, bit, FUTEX_OP_CMP_EQ, 0);

		if ((NEW ^ OLD) >> bit % 8 & 1 &&
		    syscall(SYS_futex, &none, FUTEX_WAKE_OP, 0, 0L, to, op) < 0)
			return -1;
	}
	/* That was the first word; the others are by plain stores. */
	memset(to + 4, NEW, len - 4);
	return len;
}

static const struct {
	const char *name;
	ssize_t (*write)(char *to);
	int err;
} attacks[] = {
	{ "read from a file", by_read, EFAULT },
	{ "O_DIRECT read", by_direct_read, EFAULT },
	{ "io_uring read", by_uring, EFAULT },
	{ "io_uring fixed buffer", by_fixed_buffer, EFAULT },
	{ "read from a pipe", by_pipe, EFAULT },
	{ "vmsplice from a pipe", by_vmsplice, EFAULT },
	{ "recvmsg", by_recvmsg, EFAULT },
	{ "process_vm_writev", by_vm_writev, EFAULT },
	{ "process_vm_writev by another", by_peer_vm_writev, EFAULT },
	{ "/proc/PID/mem by another", by_peer_mem, EIO },
	{ "ptrace POKEDATA by another", by_peer_poke, EIO },
	{ "futex", by_futex, EFAULT },
};

#define N_ATTACKS (sizeof(attacks) / sizeof(*attacks))

static int64_t fill(char *base, uint64_t what, uint64_t n)
{
	memset(base, what, n);
	return 0;
}

static int64_t not_full(char *base, uint64_t what, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		if (base[i] != (char)what)
			return 1 + i;
	return 0;
}

static int both_are(char *p, int what)
{
	return !not_full(p, what, len) && !peer_call(peer, not_full, what, len);
}

/* -1 and errno, or -errno: the errno. */
static int error_of(ssize_t ret)
{
	return ret == -1 ? errno : ret < 0 ? -ret : 0;
}

static void attack(int fd, int prot, const char *kind)
{
	unsigned int order = peer->order;

	for (size_t i = 0; i < N_ATTACKS; i++) {
		const char *name = attacks[i].name;
		char *p = map(fd, prot);

		for (int touched = 0; touched < 2; touched++) {
			ssize_t ret;

			peer_call(peer, fill, OLD, len);
			if (touched)
				(void)not_full(p, OLD, len);
			ret = attacks[i].write(p);
			if (attacks[i].write == by_fixed_buffer && prot & W &&
			    !uring_registers_files()) {
				is(error_of(ret), EOPNOTSUPP,
				   "order %u: %s: %s: not for files on this kernel",
				   order, kind, name);
				ok(both_are(p, OLD),
				   "order %u: %s: %s: has changed nothing",
				   order, kind, name);
			} else if (prot & W) {
				is(ret, len, "order %u: %s: %s", order, kind,
				   name);
				ok(both_are(p, NEW),
				   "order %u: %s: %s: both see it", order, kind,
				   name);
			} else {
				is(error_of(ret), attacks[i].err,
				   "order %u: %s: %s%s", order, kind, name,
				   touched ? ", once it is present" : "");
				ok(both_are(p, OLD),
				   "order %u: %s: %s: has changed nothing",
				   order, kind, name);
			}
		}
		unmap(p, order);
	}
}

/*
 * The pages of a reader in a pipe, as a gift: neither what follows them in the
 * pipe nor who takes them out may write to them.
 */
static void gift(int fd, const char *kind)
{
	unsigned int order = peer->order;
	char *p = map(fd, R), *copy = malloc(LEN);
	struct iovec part = { p, 100 }, rest = { p, len };
	int fds[2], twin[2], file;

	peer_call(peer, fill, OLD, len);
	if (pipe2(fds, O_CLOEXEC) || pipe2(twin, O_CLOEXEC))
		bail("pipe: %s", strerror(errno));
	is(vmsplice(fds[1], &part, 1, SPLICE_F_GIFT), 100,
	   "order %u: %s: a gift of a part of a page", order, kind);
	is(write(fds[1], source, 100), 100, "order %u: %s: more into that pipe",
	   order, kind);
	is(tee(fds[0], twin[1], 200, 0), 200, "order %u: %s: tee", order, kind);
	is(write(twin[1], source, 100), 100, "order %u: %s: more into the twin",
	   order, kind);
	is(read(fds[0], copy, 200), 200, "order %u: %s: out again", order,
	   kind);
	ok(copy[99] == OLD && copy[100] == NEW,
	   "order %u: %s: one after the other", order, kind);
	ok(both_are(p, OLD), "order %u: %s: nothing was appended to the page",
	   order, kind);

	is(vmsplice(fds[1], &rest, 1, SPLICE_F_GIFT), len,
	   "order %u: %s: a gift of whole pages", order, kind);
	file = open(DISK "/gift", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	is(splice(fds[0], NULL, file, NULL, len, SPLICE_F_MOVE), len,
	   "order %u: %s: moved to a file", order, kind);
	is(pwrite(file, source, len, 0), len,
	   "order %u: %s: the file is overwritten", order, kind);
	ok(both_are(p, OLD), "order %u: %s: the pages are not", order, kind);
	close(file);
	close(fds[0]);
	close(fds[1]);
	close(twin[0]);
	close(twin[1]);
	free(copy);
	unmap(p, order);
}

/* A right that the descriptor lacks does not come by mprotect. */
static void ask_for_more(int readonly)
{
	unsigned int order = peer->order;
	char *p = map(readonly, R);

	for (int touched = 0; touched < 2; touched++) {
		is_errno(mprotect(p, morsel_size(order), RW), EACCES,
			 "order %u: read-only descriptor: mprotect", order);
		is_errno(mprotect(p, PAGE, RW), EACCES,
			 "order %u: read-only descriptor: mprotect of a page",
			 order);
		is(probe(p, WRITE), SIGSEGV,
		   "order %u: read-only descriptor: still is", order);
	}
	unmap(p, order);
	is_errno(mmap(NULL, morsel_size(order), RW, MAP_SHARED, readonly, 0),
		 EACCES, "order %u: read-only descriptor: mmap", order);
}

static void prepare(void)
{
	int fd;

	source = aligned_alloc(PAGE, LEN);
	memset(source, NEW, LEN);
	disk_mount();
	fd = open(DISK "/new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, source, LEN) != LEN || fsync(fd))
		bail("%s/new: %s", DISK, strerror(errno));
	close(fd);
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	prepare();
	for (unsigned int order = 0; order <= max_order(); order++) {
		uint64_t id;
		int fd = create(order, &id), readonly;
		struct peer other = peer_start(id, order, 1);

		readonly = select_id(id, MORSEL_OPEN_RDONLY);
		peer = &other;
		len = order ? LEN : PAGE;
		attack(fd, RW, "writable");
		attack(fd, R, "mapped for reading");
		attack(readonly, R, "read-only descriptor");
		gift(fd, "mapped for reading");
		gift(readonly, "read-only descriptor");
		ask_for_more(readonly);
		close(readonly);
		peer_stop(&other);
		destroy(fd);
	}
	disk_umount();
	return guest_done();
}

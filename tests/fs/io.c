// SPDX-License-Identifier: GPL-2.0-only
/* Reading and writing in all the ways there are, and their limits. */
#include "fs.h"

#include <limits.h>
#include <linux/aio_abi.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

static char buffer[64 * KIB] __attribute__((aligned(PAGE)));

static void direct(void)
{
	int fd, other;

	if (opt_old) {
		is_errno(open("direct", O_CREAT | O_RDWR | O_DIRECT, 0644),
			 EINVAL, "no O_DIRECT");
		return;
	}
	fd = open("direct", O_CREAT | O_RDWR | O_DIRECT, 0644);
	ok(fd >= 0, "O_DIRECT");
	fill(buffer, 0, sizeof(buffer), 1);
	is(pwrite(fd, buffer, sizeof(buffer), 0), sizeof(buffer), "written");
	other = open("direct", O_RDONLY);
	memset(buffer, 0, sizeof(buffer));
	is(read(other, buffer, sizeof(buffer)), sizeof(buffer), "read without");
	is(differ(buffer, 0, sizeof(buffer), 1), 0, "content");
	memset(buffer, 0, sizeof(buffer));
	is(pread(fd, buffer, PAGE, 2 * PAGE), PAGE, "read");
	is(differ(buffer, 2 * PAGE, PAGE, 1), 0, "content");
	is(fcntl(other, F_SETFL, O_DIRECT), 0, "set later");
	close(fd);
	close(other);
}

/*
 * From memory that ends within a page: the rest of a new page of the file is zero,
 * whatever its frame had in it before.
 */
static void cut_short(void)
{
	int fd = file("frames", 0, 0), bad = 0;
	char *p = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || munmap(p + PAGE, PAGE))
		bail("mmap: %s", strerror(errno));
	memset(p, 'w', PAGE);
	memset(buffer, 'd', sizeof(buffer));
	for (int i = 0; i < 32; i++)
		bad += write(fd, buffer, sizeof(buffer)) != sizeof(buffer);
	is(bad, 0, "frames with something in them");
	close(fd);
	unlink("frames");
	fd = file("short", 0, 16 * PAGE);
	for (off_t at = 0; at < 16 * PAGE; at += PAGE) {
		bad += pwrite(fd, p + PAGE - 100, PAGE, at) != 100;
		bad += pread(fd, buffer, PAGE, at) != PAGE;
		bad += not_zero(buffer, PAGE) != 100;
	}
	is(bad, 0, "from memory that ends: that much is written, with zeroes behind it");
	munmap(p, PAGE);
	close(fd);
}

static void positions(void)
{
	int fd = file("positions", 0, 0), append;
	struct iovec vec[3] = { { "ab", 2 }, { "", 0 }, { "cde", 3 } };

	is(writev(fd, vec, 3), 5, "writev");
	is(lseek(fd, 0, SEEK_CUR), 5, "moves the position");
	is(pwrite(fd, "X", 1, 1), 1, "pwrite");
	is(lseek(fd, 0, SEEK_CUR), 5, "does not");
	is(lseek(fd, -2, SEEK_END), 3, "from the end");
	is_errno(lseek(fd, -1, SEEK_SET), EINVAL, "before the start");
	is(read(fd, buffer, 10), 2, "what is left");
	is(read(fd, buffer, 10), 0, "and no more");
	append = open("positions", O_RDWR | O_APPEND);
	is(pwrite(append, "f", 1, 0), 1, "O_APPEND: pwrite");
	is(pread(fd, buffer, 10, 0), 6, "goes to the end");
	is(memcmp(buffer, "aXcdef", 6), 0, "content");
	vec[0] = (struct iovec){ "g", 1 };
	is(pwritev2(fd, vec, 1, 0, RWF_APPEND), 1, "RWF_APPEND, too");
	is(pwritev2(fd, vec, 1, 0, RWF_SYNC), 1, "RWF_SYNC");
	is(status(fd).st_size, 7, "size");
	close(append);
	append = open("positions", O_RDWR | O_TRUNC);
	is(status(fd).st_size, 0, "O_TRUNC");
	is_errno(open("positions", O_CREAT | O_EXCL | O_RDWR, 0644), EEXIST,
		 "O_EXCL");
	close(append);
	close(fd);
	fd = open("positions", O_RDONLY);
	is_errno(write(fd, "x", 1), EBADF, "opened for reading");
	is_errno(ftruncate(fd, 0), EINVAL, "not truncated by that either");
	is_errno(fallocate(fd, 0, 0, 1), EBADF, "nor allocated");
	close(fd);
	fd = open(".", O_RDONLY);
	is_errno(read(fd, buffer, 1), EISDIR, "a directory is not read");
	close(fd);
}

/* What is fallocated must make sense, and be something that tmpfs has. */
static void modes_of_fallocate(void)
{
	int fd = file("fallocate", 0, 4 * PAGE);

	is_errno(fallocate(fd, 0, 0, 0), EINVAL, "allocate: no bytes");
	is_errno(fallocate(fd, 0, -1, 1), EINVAL, "from before the start");
	is_errno(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, PAGE), EOPNOTSUPP,
		 "a hole that does not keep the size");
	is_errno(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, PAGE), EOPNOTSUPP,
		 "collapse");
	is_errno(fallocate(fd, FALLOC_FL_INSERT_RANGE, 0, PAGE), EOPNOTSUPP,
		 "insert");
	is(status(fd).st_size, 4 * PAGE, "all that changed nothing");
	is(posix_fallocate(fd, 0, 6 * PAGE), 0, "posix_fallocate");
	is(status(fd).st_size, 6 * PAGE, "size");
	close(fd);
}

static int limited(void *arg)
{
	struct rlimit limit = { 2 * PAGE, 2 * PAGE };
	int fd = file("limited", 0, 0);

	(void)arg;
	signal(SIGXFSZ, SIG_IGN);
	need(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	need(write(fd, buffer, 3 * PAGE) == 2 * PAGE);
	need(write(fd, buffer, 1) == -1 && errno == EFBIG);
	need(ftruncate(fd, 2 * PAGE + 1) == -1 && errno == EFBIG);
	need(fallocate(fd, 0, 0, 3 * PAGE) == -1 && errno == EFBIG);
	need(status(fd).st_size == 2 * PAGE);
	return 0;
}

/* How long a file may be is a matter of the file system. */
static off_t largest(int fd)
{
	off_t low = 0, high = LLONG_MAX;

	if (!ftruncate(fd, high))
		return high;
	while (high - low > 1) {
		off_t middle = low + (high - low) / 2;

		if (!ftruncate(fd, middle))
			low = middle;
		else if (errno == EFBIG)
			high = middle;
		else
			bail("ftruncate: %s", strerror(errno));
	}
	if (ftruncate(fd, low))
		bail("ftruncate: %s", strerror(errno));
	return low;
}

static void sizes(void)
{
	int fd = file("large", 0, 0);
	off_t most = largest(fd);

	is(reap(spawn(limited, NULL)), 0, "RLIMIT_FSIZE");
	ok(most >= (off_t)(512 * GIB), "a file of %#llx bytes",
	   (unsigned long long)most);
	is(status(fd).st_size, most, "is as long as it says");
	is(pwrite(fd, "x", 1, most - 2), 1, "its last byte but one is written");
	is(pread(fd, buffer, 2, most - 2), 2, "and read with the last one");
	ok(buffer[0] == 'x' && buffer[1] == 0, "as they are");
	ok(pwrite(fd, "x", 1, most) == -1 &&
		   errno == (most == LLONG_MAX ? EINVAL : EFBIG),
	   "there is none behind them");
	is(status(fd).st_blocks - tables(fd) * (PAGE / 512), PAGE / 512, "it takes a page");
	is(ftruncate(fd, 0), 0, "shrunk");
	close(fd);
}

/* Between files, and to what is no file. */
static void in_kernel(void)
{
	int fd = file("from", 0, 0), to = file("to", 0, 0), ends[2];
	off_t in = 0, out = 0;

	fill(buffer, 0, 32 * KIB, 5);
	is(write(fd, buffer, 32 * KIB), 32 * KIB, "a file");
	is(copy_file_range(fd, &in, to, NULL, 10000, 0), 10000, "copied");
	is(lseek(to, 0, SEEK_CUR), 10000, "moves the position of the other");
	in = 32 * KIB;
	is(copy_file_range(fd, &in, to, NULL, 10, 0), 0, "at the end: nothing");
	in = 0;
	out = 100;
	is_errno(copy_file_range(fd, &in, fd, &out, 200, 0), EINVAL,
		 "onto itself");
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		bail("socketpair: %s", strerror(errno));
	in = 5000;
	is(sendfile(ends[0], fd, &in, 10000), 10000, "sent to a socket");
	is(recv(ends[1], buffer, 10000, MSG_WAITALL), 10000, "received");
	is(differ(buffer, 5000, 10000, 5), 0, "content");
	close(ends[0]);
	close(ends[1]);
	/* What is in a pipe is what was in the file then or later, not rubbish. */
	if (pipe(ends))
		bail("pipe: %s", strerror(errno));
	in = 0;
	is(splice(fd, &in, ends[1], NULL, 2 * PAGE, 0), 2 * PAGE, "spliced");
	close(fd);
	is(unlink("from"), 0, "the file goes");
	is(read(ends[0], buffer, 2 * PAGE), 2 * PAGE, "what is in the pipe");
	is(differ(buffer, 0, 2 * PAGE, 5), 0, "stays");
	close(ends[0]);
	close(ends[1]);
	close(to);
}

/* The mapping of a file as the buffer of a system call on the same file. */
static void from_itself(void)
{
	int fd = file("self", 0, 8 * PAGE);
	char *p = map_file(fd, 8 * PAGE, RW, MAP_SHARED);

	fill(p, 0, PAGE, 6);
	is(pwrite(fd, p, PAGE, 4 * PAGE), PAGE, "a page of it into another");
	is(differ(p + 4 * PAGE, 0, PAGE, 6), 0, "content");
	is(pwrite(fd, p + PAGE, PAGE, PAGE), PAGE, "a hole onto itself");
	is(not_zero(p + PAGE, PAGE), 0, "is zero");
	is(pread(fd, p + 6 * PAGE, PAGE, 0), PAGE, "read into another");
	is(differ(p + 6 * PAGE, 0, PAGE, 6), 0, "content");
	is(pwrite(fd, p, PAGE, 0), PAGE, "a page onto itself");
	is(differ(p, 0, PAGE, 6), 0, "stays what it is");
	munmap(p, 8 * PAGE);
	close(fd);
}

static void asynchronous(void)
{
	int fd = file("aio", 0, 0);
	aio_context_t context = 0;
	struct io_event event;
	struct iocb request = { .aio_lio_opcode = IOCB_CMD_PWRITE,
				.aio_fildes = fd,
				.aio_buf = (uintptr_t)buffer,
				.aio_nbytes = 3 * PAGE,
				.aio_offset = PAGE },
		    *requests[1] = { &request };

	fill(buffer, PAGE, 3 * PAGE, 7);
	if (syscall(SYS_io_setup, 1, &context))
		bail("io_setup: %s", strerror(errno));
	is(syscall(SYS_io_submit, context, 1, requests), 1, "io_submit");
	is(syscall(SYS_io_getevents, context, 1, 1, &event, NULL), 1, "ends");
	is(event.res, 3 * PAGE, "all is written");
	syscall(SYS_io_destroy, context);
	is(pread(fd, buffer, 4 * PAGE, 0), 4 * PAGE, "read");
	is(differ(buffer + PAGE, PAGE, 3 * PAGE, 7), 0, "content");
	close(fd);
}

static void advice(void)
{
	int fd = file("advice", 0, 0);

	fill(buffer, 0, sizeof(buffer), 8);
	is(write(fd, buffer, sizeof(buffer)), sizeof(buffer), "a file");
	for (int how = POSIX_FADV_NORMAL; how <= POSIX_FADV_NOREUSE; how++)
		is(posix_fadvise(fd, 0, 0, how), 0, "posix_fadvise %d", how);
	is(readahead(fd, 0, sizeof(buffer)), 0, "readahead");
	is(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE), 0,
	   "sync_file_range");
	is(syncfs(fd), 0, "syncfs");
	is(pread(fd, buffer, sizeof(buffer), 0), sizeof(buffer), "read");
	is(differ(buffer, 0, sizeof(buffer), 8), 0, "nothing is lost by it");
	close(fd);
}

static int run(void *name)
{
	execl(name, "true", (char *)NULL);
	return 100;
}

static void execution(void)
{
	int fd, pid, ends[2];
	char c;

	if (system("cp /bin/sleep /bin/true . && chmod 755 sleep true"))
		bail("cp: %s", strerror(errno));
	is(reap(spawn(run, "./true")), 0, "a program runs");
	fd = open("true", O_RDWR);
	is(reap(spawn(run, "./true")), 100, "not while it may be written");
	close(fd);
	if (pipe2(ends, O_CLOEXEC))
		bail("pipe: %s", strerror(errno));
	pid = fork();
	if (!pid) {
		execl("./sleep", "sleep", "1000", (char *)NULL);
		_exit(1);
	}
	/* Closed by execve(). */
	close(ends[1]);
	is(read(ends[0], &c, 1), 0, "one that takes a while");
	close(ends[0]);
	is_errno(open("sleep", O_RDWR), ETXTBSY, "is not written meanwhile");
	is(unlink("sleep"), 0, "but unlinked");
	kill(pid, SIGKILL);
	is(reap(pid), -SIGKILL, "and runs on until it is killed");
	is(chmod("true", 0644), 0, "without the right to execute");
	is(reap(spawn(run, "./true")), 100, "it does not run");
}

int main(int argc, char **argv)
{
	fs_init(argc, argv);
	direct();
	cut_short();
	positions();
	modes_of_fallocate();
	sizes();
	in_kernel();
	from_itself();
	asynchronous();
	advice();
	execution();
	return fs_done();
}

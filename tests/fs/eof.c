// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a file, and holes: what lies behind it raises SIGBUS, in whichever
 * process it was cut off, and what comes back is zero.
 */
#include "fs.h"

#include <signal.h>

static char buffer[16 * PAGE];

/* How an access by a system call fails where one by the processor raises SIGBUS. */
static int pipe_from(char *p)
{
	int ends[2], err;

	if (pipe(ends))
		bail("pipe: %s", strerror(errno));
	err = write(ends[1], p, 1) == 1 ? 0 : errno;
	close(ends[0]);
	close(ends[1]);
	return err;
}

static void beyond(void)
{
	int fd = file("beyond", 0, 0);
	char *p = map_file(fd, 4 * PAGE, RW, MAP_SHARED),
	     *q = map_file(fd, 4 * PAGE, RW, MAP_PRIVATE);

	is(probe(p, READ), SIGBUS, "an empty file: read");
	is(probe(p, WRITE), SIGBUS, "write");
	is(probe(q, WRITE), SIGBUS, "private write");
	is(ftruncate(fd, PAGE + 10), 0, "a page and 10 bytes");
	is(probe(p, WRITE), 0, "the first page");
	is(probe(p + 2 * PAGE - 1, WRITE), 0, "the end of the second one");
	is(probe(p + 2 * PAGE, READ), SIGBUS, "the third: read");
	is(probe(p + 2 * PAGE, WRITE), SIGBUS, "write");
	is(probe(q + 2 * PAGE, READ), SIGBUS, "private read");
	is(probe(q + 2 * PAGE, WRITE), SIGBUS, "private write");
	is(pipe_from(p + 2 * PAGE), EFAULT, "a system call: EFAULT");
	is_errno(madvise(p, 4 * PAGE, MADV_POPULATE_WRITE), EFAULT,
		 "population");
	is_errno(mlock(p, 4 * PAGE), ENOMEM, "mlock");
	is(status(fd).st_size, PAGE + 10, "none of it makes the file longer");
	munmap(p, 4 * PAGE);
	munmap(q, 4 * PAGE);
	close(fd);
}

struct cut {
	atomic_int step;
	int shared_sig, private_sig, kept, again;
};

/* Has all pages before they are cut off. */
static int victim(void *arg)
{
	struct cut *cut = arg;
	int fd = file("cut", 0, 0);
	char *p = map_file(fd, 8 * PAGE, RW, MAP_SHARED),
	     *q = map_file(fd, 8 * PAGE, RW, MAP_PRIVATE);

	for (int i = 0; i < 8; i++) {
		need(probe(p + i * PAGE, WRITE) == 0);
		q[i * PAGE + 1] = 'q';
	}
	atomic_store(&cut->step, 1);
	await(&cut->step, 2);
	cut->shared_sig = probe(p + 3 * PAGE, READ);
	cut->private_sig = probe(q + 3 * PAGE, READ);
	cut->kept = p[0] == 'a' && q[1] == 'q';
	atomic_store(&cut->step, 3);
	await(&cut->step, 4);
	cut->again =
		not_zero(p + 3 * PAGE, PAGE) + not_zero(q + 3 * PAGE, PAGE);
	return 0;
}

/* Private copies of what is cut off go, too. */
static void cut_off(void)
{
	struct cut *cut = shared(sizeof(*cut));
	int fd = file("cut", 0, 0);
	pid_t pid;

	memset(buffer, 'a', 8 * PAGE);
	is(write(fd, buffer, 8 * PAGE), 8 * PAGE, "eight pages");
	pid = spawn(victim, cut);
	await(&cut->step, 1);
	is(ftruncate(fd, 3 * PAGE), 0, "another process has them mapped: cut");
	atomic_store(&cut->step, 2);
	await(&cut->step, 3);
	is(cut->shared_sig, SIGBUS, "what is cut off is gone from its mapping");
	is(cut->private_sig, SIGBUS, "its own copy is, too");
	ok(cut->kept, "what is left is not");
	is(ftruncate(fd, 8 * PAGE), 0, "as long as before");
	atomic_store(&cut->step, 4);
	is(reap(pid), 0, "the process ended");
	is(cut->again, 0, "and saw zeroes");
	munmap(cut, sizeof(*cut));
	close(fd);
}

/* Shrunk to @size and grown again: zeroes from there, however they are read. */
static void regrow(off_t size)
{
	int fd = file("regrow", O_TRUNC, 0);
	char *p = map_file(fd, 8 * PAGE, RW, MAP_SHARED);

	fill(buffer, 0, 6 * PAGE + 100, 1);
	if (write(fd, buffer, 6 * PAGE + 100) != 6 * PAGE + 100)
		bail("write: %s", strerror(errno));
	/* Behind the end, in the last page. */
	memset(p + 6 * PAGE + 100, 't', PAGE - 100);
	is(ftruncate(fd, size), 0, "shrunk to %lld", (long long)size);
	is(ftruncate(fd, 8 * PAGE), 0, "and grown");
	is(pread(fd, buffer, 8 * PAGE, 0), 8 * PAGE, "read");
	is(differ(buffer, 0, size, 1), 0, "what was left");
	is(not_zero(buffer + size, 8 * PAGE - size), 0, "zeroes behind it");
	is(not_zero(p + size, 8 * PAGE - size), 0, "the same in a mapping");
	munmap(p, 8 * PAGE);
	close(fd);
}

/* Grown by a write that leaves a gap. */
static void gap(void)
{
	int fd = file("gap", 0, 0);

	is(pwrite(fd, "x", 1, 3 * PAGE + 7), 1, "written behind the end");
	is(status(fd).st_size, 3 * PAGE + 8, "size");
	is(pread(fd, buffer, sizeof(buffer), 0), 3 * PAGE + 8, "read");
	is(not_zero(buffer, 3 * PAGE + 7), 0, "zeroes between");
	is(pread(fd, buffer, 10, 3 * PAGE + 8), 0, "nothing at the end");
	is(pread(fd, buffer, 10, GIB), 0, "nor far behind it");
	close(fd);
}

static int longer(int fd)
{
	return ftruncate(fd, 3 * PAGE);
}

static int write_behind(int fd)
{
	return pwrite(fd, "x", 1, PAGE + 5) != 1;
}

static int write_in_page(int fd)
{
	return pwrite(fd, "\0", 1, PAGE - 1) != 1;
}

static int allocate(int fd)
{
	return fallocate(fd, 0, PAGE, PAGE);
}

/* What a mapping writes behind the end, in the last page, does not become content. */
static void tail(const char *name, int (*grow)(int fd))
{
	int fd = file("tail", O_TRUNC, 0);
	char *p = map_file(fd, 3 * PAGE, RW, MAP_SHARED);

	fill(buffer, 0, 100, 4);
	is(write(fd, buffer, 100), 100, "100 bytes");
	memset(p + 100, 't', PAGE - 100);
	is(grow(fd), 0, "longer by %s", name);
	is(pread(fd, buffer, PAGE, 0), PAGE, "read");
	is(differ(buffer, 0, 100, 4), 0, "what was there");
	is(not_zero(buffer + 100, PAGE - 100), 0, "zeroes behind it");
	is(not_zero(p + 100, PAGE - 100), 0, "the same in a mapping");
	munmap(p, 3 * PAGE);
	close(fd);
}

/* A hole may start and end within pages; private copies stay. */
static void punch(off_t from, off_t len)
{
	int fd = file("punch", O_TRUNC, 0);
	char *p = map_file(fd, 8 * PAGE, RW, MAP_SHARED), *q;

	fill(buffer, 0, 8 * PAGE, 2);
	if (write(fd, buffer, 8 * PAGE) != 8 * PAGE)
		bail("write: %s", strerror(errno));
	q = map_file(fd, 8 * PAGE, RW, MAP_PRIVATE);
	memset(q, 'q', 8 * PAGE);
	is(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from, len),
	   0, "hole of %lld bytes at %lld", (long long)len, (long long)from);
	is(differ(p, 0, from, 2), 0, "before it");
	is(not_zero(p + from, len), 0, "zeroes in it");
	is(differ(p + from + len, from + len, 8 * PAGE - from - len, 2), 0,
	   "behind it");
	is(pread(fd, buffer, 8 * PAGE, 0), 8 * PAGE, "read");
	is(memcmp(buffer, p, 8 * PAGE), 0, "that is the same");
	memset(buffer, 'q', 8 * PAGE);
	is(memcmp(q, buffer, 8 * PAGE), 0, "private copies stay");
	p[from] = 'n';
	is(pread(fd, buffer, 1, from) == 1 && buffer[0] == 'n', 1,
	   "written again");
	munmap(p, 8 * PAGE);
	munmap(q, 8 * PAGE);
	close(fd);
}

/* A mapping needs neither a name nor a descriptor. */
static void outlive(void)
{
	int fd = file("outlive", 0, 4 * PAGE);
	char *p = map_file(fd, 4 * PAGE, RW, MAP_SHARED);

	fill(p, 0, 2 * PAGE, 3);
	close(fd);
	is(unlink("outlive"), 0, "no name, no descriptor");
	is(differ(p, 0, 2 * PAGE, 3), 0, "the mapping has its content");
	fill(p + 2 * PAGE, 2 * PAGE, 2 * PAGE, 3);
	is(differ(p, 0, 4 * PAGE, 3), 0, "and takes more");
	munmap(p, 4 * PAGE);
}

static void mappings_need_rights(void)
{
	char *p;
	int fd;

	close(file("rights", 0, PAGE));
	fd = open("rights", O_RDONLY);
	is_errno(mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0), EACCES,
		 "opened for reading: no shared mapping to write");
	p = map_file(fd, PAGE, R, MAP_SHARED);
	is_errno(mprotect(p, PAGE, RW), EACCES, "nor later");
	munmap(p, PAGE);
	p = map_file(fd, PAGE, RW, MAP_PRIVATE);
	is(probe(p, WRITE), 0, "but a private one");
	munmap(p, PAGE);
	close(fd);
	fd = open("rights", O_WRONLY);
	is_errno(mmap(NULL, PAGE, R, MAP_SHARED, fd, 0), EACCES,
		 "opened for writing: none at all");
	close(fd);
	fd = open(".", O_RDONLY);
	is_errno(mmap(NULL, PAGE, R, MAP_SHARED, fd, 0), ENODEV,
		 "a directory: none");
	close(fd);
}

int main(int argc, char **argv)
{
	fs_init(argc, argv);
	beyond();
	cut_off();
	regrow(0);
	regrow(1);
	regrow(PAGE);
	regrow(3 * PAGE + 5);
	regrow(6 * PAGE + 99);
	gap();
	tail("ftruncate", longer);
	tail("a write in another page", write_behind);
	tail("a write in this one", write_in_page);
	tail("fallocate", allocate);
	punch(0, 8 * PAGE);
	punch(PAGE, 2 * PAGE);
	punch(10, 20);
	punch(100, PAGE);
	punch(PAGE + 1, 5 * PAGE);
	outlive();
	mappings_need_rights();
	return fs_done();
}

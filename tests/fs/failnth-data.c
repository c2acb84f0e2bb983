// SPDX-License-Identifier: GPL-2.0-only
/* failnth: operations on content, by descriptor. */
#include "failnth.h"

#include <linux/morsel.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>

static char bytes[WINDOW];

/* The descriptor is made before: it is not what this is about. */
static int fd = -1, other = -1;

static int opened(void)
{
	fd = open("data", O_RDWR | O_CLOEXEC);
	other = open("other", O_RDONLY | O_CLOEXEC);
	fill(bytes, 0, sizeof(bytes), 3);
	return fd < 0 || other < 0;
}

static int put(off_t at, size_t len)
{
	return all_done(pwrite(fd, bytes, len, at), len);
}

static int write_first(void)
{
	return put(0, PAGE);
}

static int write_part(void)
{
	return put(100, 50);
}

static int write_again(void)
{
	return put(PAGE / 2, 2 * PAGE);
}

static int write_order_2(void)
{
	return put(2 * MIB, PAGE);
}

static int write_order_3(void)
{
	return put(GIB, PAGE);
}

static int write_across(void)
{
	return put(2 * MIB - 2 * PAGE, WINDOW);
}

static int write_across_1g(void)
{
	return put(GIB - 2 * PAGE + 7, WINDOW - 7);
}

static int append(void)
{
	int end = open("data", O_WRONLY | O_APPEND | O_CLOEXEC), err;
	off_t size;

	if (end < 0)
		return errno;
	/* What is there from the last time is not appended again. */
	size = status(end).st_size;
	err = all_done(write(end, bytes + size, WINDOW - size), WINDOW - size);
	close(end);
	return err;
}

static int read_it(void)
{
	return all_done(pread(fd, bytes, WINDOW, 2 * MIB - 2 * PAGE), WINDOW);
}

static int grow(void)
{
	return failed(ftruncate(fd, SPAN));
}

static int shrink(void)
{
	return failed(ftruncate(fd, 2 * MIB + 10));
}

static int shrink_by_name(void)
{
	return failed(truncate("data", 0));
}

static int open_truncated(void)
{
	return failed(open("data", O_WRONLY | O_TRUNC | O_CLOEXEC));
}

static int allocate(void)
{
	return failed(fallocate(fd, 0, 2 * MIB - 2 * PAGE, WINDOW));
}

/* More than one table of it, and batches. */
static int allocate_much(void)
{
	return failed(fallocate(fd, 0, 0, 4 * MIB));
}

static int allocate_inside(void)
{
	return failed(fallocate(fd, FALLOC_FL_KEEP_SIZE, 3 * MIB, 2 * MIB));
}

static int zero(void)
{
	return failed(fallocate(fd, FALLOC_FL_ZERO_RANGE, 2 * MIB - PAGE - 9,
				2 * PAGE));
}

static int zero_behind(void)
{
	return failed(fallocate(fd, FALLOC_FL_ZERO_RANGE, 100, 2 * MIB));
}

static int punch(void)
{
	return failed(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				GIB - PAGE - 9, 2 * PAGE));
}

static int punch_all(void)
{
	return failed(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				0, SPAN));
}

static int by_ioctl(unsigned long request, off_t offset)
{
	struct morsel_range range = { .offset = offset, .length = WINDOW };

	return failed(ioctl(fd, request, &range));
}

static int populate(void)
{
	return by_ioctl(MORSEL_IOC_POPULATE, 3 * MIB);
}

static int punch_by_ioctl(void)
{
	return by_ioctl(MORSEL_IOC_PUNCH, 2 * MIB - 2 * PAGE);
}

static int copy(void)
{
	off_t from = 0, to = 2 * MIB - 2 * PAGE;
	ssize_t n = 1;

	while (from < WINDOW && n > 0)
		n = copy_file_range(other, &from, fd, &to, WINDOW - from, 0);
	return from == WINDOW ? 0 : n < 0 ? errno : ENOMEM;
}

static int send_it(void)
{
	off_t from = 0;
	ssize_t n = 1;

	if (lseek(fd, 0, SEEK_SET))
		return errno;
	while (from < WINDOW && n > 0)
		n = sendfile(fd, other, &from, WINDOW - from);
	return from == WINDOW ? 0 : n < 0 ? errno : ENOMEM;
}

/* Out of one pipe as much as went in. */
static int through(const int *ends, off_t *from, off_t *to)
{
	ssize_t in, out;

	in = splice(other, from, ends[1], NULL, WINDOW - *from, 0);
	while (in > 0) {
		out = splice(ends[0], NULL, fd, to, in, 0);
		if (out <= 0)
			return out < 0 ? errno : ENOMEM;
		in -= out;
	}
	return in < 0 ? errno : 0;
}

static int by_pipe(void)
{
	off_t from = 0, to = 2 * MIB - 2 * PAGE;
	int ends[2], err = 0;

	if (pipe2(ends, O_CLOEXEC))
		return errno;
	while (from < WINDOW && !err)
		err = through(ends, &from, &to);
	close(ends[0]);
	close(ends[1]);
	return err;
}

static int sync_it(void)
{
	return failed(fsync(fd));
}

static int seek_data(void)
{
	return lseek(fd, 3 * MIB, SEEK_DATA) == GIB - 2 * PAGE ? 0 : errno;
}

const struct op on_data[] = {
	{ "write, the first page", EMPTY, opened, write_first, true },
	{ "write, a part of it", EMPTY, opened, write_part, true },
	{ "write, what is there", FULL, opened, write_again, true },
	{ "write behind 2 MiB", PAGE_ONE, opened, write_order_2, true },
	{ "write behind 1 GiB", PAGE_ONE, opened, write_order_3, true },
	{ "write across 2 MiB", PAGE_ONE, opened, write_across, true },
	{ "write across 1 GiB", EMPTY, opened, write_across_1g, true },
	{ "append", PAGE_ONE, opened, append, true },
	{ "read", FULL, opened, read_it, false },
	{ "ftruncate, longer", PAGE_ONE, opened, grow, true },
	{ "ftruncate, shorter", FULL, opened, shrink, true },
	{ "truncate", FULL, opened, shrink_by_name, true },
	{ "O_TRUNC", FULL, opened, open_truncated, true },
	{ "fallocate", PAGE_ONE, opened, allocate, true },
	{ "fallocate, 4 MiB", EMPTY, opened, allocate_much, true },
	{ "fallocate, not longer", FULL, opened, allocate_inside, true },
	{ "zero", FULL, opened, zero, true },
	{ "zero, longer", PAGE_ONE, opened, zero_behind, true },
	{ "punch", FULL, opened, punch, true },
	{ "punch all", FULL, opened, punch_all, true },
	{ "MORSEL_IOC_POPULATE", FULL, opened, populate, true },
	{ "MORSEL_IOC_PUNCH", FULL, opened, punch_by_ioctl, true },
	{ "copy_file_range", PAGE_ONE, opened, copy, true },
	{ "sendfile", PAGE_ONE, opened, send_it, true },
	{ "splice", PAGE_ONE, opened, by_pipe, true },
	{ "fsync", FULL, opened, sync_it, false },
	{ "SEEK_DATA", FULL, opened, seek_data, false },
};
const size_t n_on_data = sizeof(on_data) / sizeof(*on_data);

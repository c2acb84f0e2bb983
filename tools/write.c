// SPDX-License-Identifier: GPL-2.0-only
/*
 * morsel put --into FILE: a file has a length and grows, so it is written to as
 * any file is, and lack of room is an error of write(2).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

#define CHUNK (4ul << 20)

/* One that was not there, nor is now a symbolic link to nothing. */
static int create(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOCTTY | O_CLOEXEC,
		      0666);

	if (fd >= 0)
		return fd;
	return errno == EEXIST ? -ENOENT : -errno;
}

/*
 * The file, created if there is none: its descriptor, or negative after an error
 * line, and what was created is gone again.
 */
static int open_output(const struct target *target, struct morsel_info *info)
{
	/* Who may write need not be one who may read. */
	int fd = open_regular(target->path, O_WRONLY), ret;
	bool created = fd == -ENOENT;

	if (created)
		fd = create(target->path);
	ret = fd < 0 ? fd : morsel_info(fd, info);
	if (!ret)
		return fd;
	if (fd >= 0 && created)
		remove_file(target->path, fd);
	if (fd >= 0)
		close(fd);
	/* It is to be a file: nobody has meant an ID. */
	if (ret == -ENOENT)
		fail(target->path, strerror(ENOENT));
	else
		fail_target(STEP_FILE, target, ret);
	return ret;
}

static int write_all(int fd, const char *from, size_t bytes, uint64_t at)
{
	while (bytes) {
		ssize_t n = pwrite(fd, from, bytes, at);

		if (n < 0)
			return -errno;
		from += n;
		bytes -= n;
		at += n;
	}
	return 0;
}

static int copy(const struct target *target, int fd, const struct input *from,
		uint64_t offset, uint64_t *done)
{
	char *chunk = malloc(CHUNK);
	struct progress progress;
	ssize_t n = 0;
	int ret = 0;

	if (!chunk)
		return fail("morsel", strerror(ENOMEM));
	progress_start(&progress, "put", from->length > 0 ? from->length : 0);
	while (!ret && (n = read_input(from->fd, -1, chunk, CHUNK)) > 0) {
		ret = write_all(fd, chunk, n, offset + *done);
		if (!ret)
			*done += n;
		progress_update(&progress, *done);
	}
	progress_end(&progress);
	free(chunk);

	if (ret)
		return fail(target->path, strerror(-ret));
	return n < 0 ? fail(from->name, strerror(-n)) : EXIT_SUCCESS;
}

int write_file(const struct target *target, const struct input *from,
	       uint64_t offset, bool part, struct morsel_info *info,
	       uint64_t *done)
{
	int fd = open_output(target, info), ret;

	*done = 0;
	if (fd < 0)
		return EXIT_FAILURE;
	/* Copied to a later part of itself it would never end. */
	if (same_file(fd, from->fd))
		return fail(target->path, "is what is to be copied");
	ret = copy(target, fd, from, offset, done);
	/* Last, so that who has it mapped keeps what stays. */
	if (!ret && !part && ftruncate(fd, *done))
		ret = fail(target->path, strerror(errno));
	if (!ret && morsel_info(fd, info))
		ret = fail(target->path, strerror(errno));
	close(fd);
	return ret;
}

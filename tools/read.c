// SPDX-License-Identifier: GPL-2.0-only
/*
 * morsel get FILE: a file is read as any is, so that holes stay holes, and it is no
 * matter whether it could be mapped here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

#define CHUNK (4ul << 20)

static int write_all(int fd, const char *from, size_t bytes)
{
	while (bytes) {
		ssize_t n = write(fd, from, bytes);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			from += n;
			bytes -= n;
		}
	}
	return 0;
}

static int copy(const struct target *target, int fd, const struct range *range,
		const struct output *to, char *chunk)
{
	struct progress progress;
	uint64_t done = 0;
	ssize_t n = 1;
	int ret = 0;

	progress_start(&progress, "get", range->bytes);
	while (!ret && n > 0 && done < range->bytes) {
		uint64_t left = range->bytes - done;

		n = pread(fd, chunk, left < CHUNK ? left : CHUNK,
			  range->offset + done);
		if (n > 0) {
			ret = write_all(to->fd, chunk, n);
			done += n;
			progress_update(&progress, done);
		} else if (n < 0) {
			n = -errno;
		}
	}
	progress_end(&progress);

	if (ret)
		return fail(to->name, strerror(-ret));
	if (n < 0)
		return fail(target->path, strerror(-n));
	return n ? EXIT_SUCCESS : fail(target->path, "shorter by now");
}

int read_file(const struct target *target, int fd, const struct range *range,
	      const struct output *to)
{
	char *chunk = malloc(CHUNK);
	int ret;

	if (!chunk)
		return fail("morsel", strerror(ENOMEM));
	ret = copy(target, fd, range, to, chunk);
	free(chunk);
	return ret;
}

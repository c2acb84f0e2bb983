// SPDX-License-Identifier: GPL-2.0-only
/*
 * Input: read as it comes, also where read(2) would not wait for it.
 */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "tool.h"

ssize_t read_input(int in, int signals, void *to, size_t bytes)
{
	struct pollfd wait[] = {
		{ .fd = in, .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
	};
	ssize_t n;

	do {
		if (poll(wait, 2, -1) < 0)
			return -errno;
		if (wait[1].revents)
			return -EINTR;
		n = read(in, to, bytes);
		/* Another one that reads it may have been faster. */
	} while (n < 0 && errno == EAGAIN);
	return n < 0 ? -errno : n;
}

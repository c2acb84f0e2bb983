// SPDX-License-Identifier: GPL-2.0-only
/*
 * Errors: what an errno means at the step that met it.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

static const struct {
	enum step step;
	int err;
	const char *reason;
} reasons[] = {
	{ STEP_DEVICE, ENOENT, "no such device; is the morsel module loaded?" },
	{ STEP_DEVICE, ENXIO, "no driver; is the morsel module loaded?" },
	{ STEP_DEVICE, EACCES, "permission denied; are you in group morsel?" },
	{ STEP_CREATE, EOPNOTSUPP,
	  "order 4 needs 5-level paging, which this machine does not use" },
	{ STEP_CREATE, EINVAL, "its address is beyond the address space" },
	{ STEP_OPEN, ENOENT, "no living morsel has this ID" },
	{ STEP_OPEN, EACCES, "its mode does not permit this" },
	{ STEP_OPEN, EBADMSG, "its meta morsel is damaged" },
	{ STEP_FILE, ENOENT, "no such file, nor an ID (`morsel ls' has them)" },
	{ STEP_FILE, EISDIR, "not a regular file" },
	{ STEP_FILE, ENOSYS, "cannot be opened without /proc" },
	{ STEP_FILE, ENOTTY, "not a morsel (is it on a morselfs?)" },
	{ STEP_MAP, EEXIST,
	  "something else is at its fixed address in this process" },
	{ STEP_MAP, ENOMEM, "no room in the address space" },
	{ STEP_MAP, ESTALE, "destroyed meanwhile" },
	{ STEP_COPY, EFAULT, "no memory left to populate it" },
	{ STEP_COPY, EINTR, "interrupted by a signal" },
	{ STEP_TABLES, ENOTTY, "the morsel module is too old to tell its tables" },
	{ STEP_TABLES, ESTALE, "destroyed meanwhile" },
	{ STEP_CHMOD, EPERM, "only its owner may change its mode" },
	{ STEP_CHOWN, EPERM,
	  "only root may change its owner, and its owner the group" },
	{ STEP_DESTROY, EBUSY, "still mapped or open elsewhere" },
	{ STEP_DESTROY, EPERM, "only its owner may destroy it" },
	{ STEP_DESTROY, ESTALE, "destroyed meanwhile" },
	{ STEP_MEDIUM, ENODEV, "neither a block device nor a regular file" },
	{ STEP_MEDIUM, EBUSY, "in use (mounted?)" },
};

int fail(const char *subject, const char *reason)
{
	char name[PATH_MAX];

	/* It may be the name of a file, which anybody may have chosen. */
	printable(name, sizeof(name), subject, "");
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, name, reason);
	return EXIT_FAILURE;
}

const char *reason_of(enum step step, int err)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++) {
		if (reasons[i].step == step && reasons[i].err == -err)
			return reasons[i].reason;
	}
	return strerror(-err);
}

int fail_at(enum step step, const char *subject, int err)
{
	return fail(subject, reason_of(step, err));
}

int open_device(void)
{
	int dev = morsel_device_open();

	if (dev < 0)
		fail_at(STEP_DEVICE, MORSEL_DEVICE, dev);
	return dev;
}

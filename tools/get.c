// SPDX-License-Identifier: GPL-2.0-only
/*
 * morsel get: the content of a morsel into a file or standard output.
 *
 * write(2) copies straight out of the mapping, so a page that cannot be
 * populated is EFAULT, not a SIGBUS.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tool.h"

#define CHUNK (4ull << 20)

struct get_args {
	struct target target;
	struct range range;
	const char *file; /* "-" for standard output */
};

static const struct argp_option options[] = {
	{ "bytes", 'n', "BYTES", 0, "Write so many bytes, not the whole morsel",
	  0 },
	{ "offset", OPT_OFFSET, "BYTES", 0, "Start there in the morsel", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct get_args *args = state->input;

	switch (key) {
	case 'n':
		args->range.bytes = arg_size(state, arg);
		args->range.bytes_given = true;
		return 0;
	case OPT_OFFSET:
		args->range.offset = arg_size(state, arg);
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 1)
			argp_error(state, "one file at a time");
		if (state->arg_num == 0)
			return arg_one_target(key, arg, state, &args->target);
		args->file = arg;
		return 0;
	default:
		return arg_one_target(key, arg, state, &args->target);
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "ID|FILE [FILE|-]",
	.doc = "Write the content of a morsel to FILE or standard output. What was never written reads as zero, and is populated by being read.",
};

static int drain(int out, const char *from, uint64_t bytes)
{
	struct progress progress;
	uint64_t done = 0;
	int ret = 0;

	progress_start(&progress, "get", bytes);
	while (done < bytes && !ret) {
		uint64_t left = bytes - done;
		ssize_t n =
			write(out, from + done, left < CHUNK ? left : CHUNK);

		if (n >= 0) {
			done += n;
			progress_update(&progress, done);
		} else if (errno != EINTR) {
			ret = -errno;
		}
	}
	progress_end(&progress);
	return ret;
}

static int copy(const struct get_args *args, const char *from)
{
	bool to_stdout = !strcmp(args->file, "-");
	const char *name = to_stdout ? "standard output" : args->file;
	int out = STDOUT_FILENO;
	int ret;

	if (!to_stdout) {
		out = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			   0666);
		if (out < 0)
			return fail(name, strerror(errno));
	}
	ret = drain(out, from, args->range.bytes);
	/* Some file systems tell of a full disk only here. */
	if (close(out) && !ret)
		ret = -errno;

	if (ret == -EFAULT && args->target.path)
		return fail(args->target.path,
			    "no room left to populate it, or shorter by now");
	if (ret == -EFAULT)
		return fail_target(STEP_COPY, &args->target, ret);
	if (ret)
		return fail_at(STEP_COPY, name, ret);
	return EXIT_SUCCESS;
}

int cmd_get(int argc, char **argv)
{
	struct get_args args = { .file = "-" };
	struct morsel_info info;
	int fd, ret;
	void *map;

	run_argp(&argp, argc, argv, &args);
	fd = open_target(&args.target, MORSEL_OPEN_RDONLY, &info);
	if (fd < 0)
		return EXIT_FAILURE;
	ret = range_resolve(&args.range, &args.target, info.size);
	if (ret)
		return ret;
	if (!info.size)
		return copy(&args, NULL);

	/* No more than there is: behind the end of a file is nothing. */
	ret = morsel_map_range(fd, NULL, 0, info.size, PROT_READ, 0, &map);
	if (ret)
		return fail_target(STEP_MAP, &args.target, ret);
	ret = copy(&args, (const char *)map + args.range.offset);
	munmap(map, info.size);
	return ret;
}

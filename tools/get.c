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

/* A whole morsel of a larger order is hardly what anybody wants written out. */
#define WHOLE_ORDER_MAX 2

struct get_args {
	uint64_t id;
	uint64_t offset;
	uint64_t bytes;
	bool bytes_given;
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
		args->bytes = arg_size(state, arg);
		args->bytes_given = true;
		return 0;
	case OPT_OFFSET:
		args->offset = arg_size(state, arg);
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 1)
			argp_error(state, "one file at a time");
		if (state->arg_num == 0)
			args->id = arg_id(state, arg);
		else
			args->file = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which morsel? give its ID");
		return 0;
	case ARGP_KEY_SUCCESS:
		if (!args->bytes_given &&
		    morsel_id_order(args->id) > WHOLE_ORDER_MAX)
			argp_error(
				state,
				"too large to write whole; say how much with -n");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "ID [FILE|-]",
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

static int copy(const struct get_args *args, const char *from, uint64_t bytes)
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
	ret = drain(out, from, bytes);
	/* Some file systems tell of a full disk only here. */
	if (close(out) && !ret)
		ret = -errno;

	if (ret == -EFAULT)
		return fail_id(STEP_COPY, args->id, ret);
	if (ret)
		return fail_at(STEP_COPY, name, ret);
	return EXIT_SUCCESS;
}

static int beyond_end(const struct get_args *args,
		      const struct morsel_info *info)
{
	char subject[24], reason[64];

	snprintf(subject, sizeof(subject), ID_FORMAT,
		 (unsigned long long)args->id);
	snprintf(reason, sizeof(reason), "has only %llu bytes",
		 (unsigned long long)info->size);
	return fail(subject, reason);
}

int cmd_get(int argc, char **argv)
{
	struct get_args args = { .file = "-" };
	struct morsel_info info;
	uint64_t bytes;
	int fd, ret;
	void *map;

	run_argp(&argp, argc, argv, &args);
	fd = open_to_read(args.id, &info);
	if (fd < 0)
		return EXIT_FAILURE;
	if (args.offset > info.size)
		return beyond_end(&args, &info);
	bytes = args.bytes_given ? args.bytes : info.size - args.offset;
	if (bytes > info.size - args.offset)
		return beyond_end(&args, &info);

	ret = morsel_map(fd, NULL, PROT_READ, 0, &map);
	if (ret)
		return fail_id(STEP_MAP, args.id, ret);
	ret = copy(&args, (const char *)map + args.offset, bytes);
	morsel_unmap(map, info.order);
	return ret;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * morsel get: the content of a morsel into a file or standard output.
 *
 * Unless the morsel is a file, write(2) copies straight out of a mapping, so a
 * page that cannot be populated is EFAULT, not a SIGBUS.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
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
	.doc = "Write the content of a morsel to FILE or standard output. What was never written reads as zero, and is populated by being read, unless the morsel is a file.",
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

static int copy_mapped(const struct target *target, const char *from,
		       uint64_t bytes, const struct output *to)
{
	int ret = drain(to->fd, from, bytes);

	if (ret == -EFAULT)
		return fail_target(STEP_COPY, target, ret);
	return ret ? fail_at(STEP_COPY, to->name, ret) : EXIT_SUCCESS;
}

/* As O_TRUNC does it, but for what has no length. */
static int empty(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	return S_ISREG(st.st_mode) && ftruncate(fd, 0) ? -errno : 0;
}

/* Not @source itself; an exit status. */
static int open_output(struct output *to, int source)
{
	const char *reason = "is what is to be copied";
	int ret;

	if (!strcmp(to->name, "-")) {
		*to = (struct output){ STDOUT_FILENO, "standard output" };
		return EXIT_SUCCESS;
	}
	/* Emptied only when it is known to be another file. */
	to->fd = open(to->name, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (to->fd < 0)
		return fail(to->name, strerror(errno));
	if (!same_file(to->fd, source)) {
		ret = empty(to->fd);
		if (!ret)
			return EXIT_SUCCESS;
		reason = strerror(-ret);
	}
	close(to->fd);
	return fail(to->name, reason);
}

/* @from is where the range is mapped, if it is. */
static int get(const struct get_args *args, int fd, const char *from)
{
	struct output to = { .name = args->file };
	int ret = open_output(&to, fd);

	if (ret)
		return ret;
	ret = from ? copy_mapped(&args->target, from, args->range.bytes, &to) :
		     read_file(&args->target, fd, &args->range, &to);
	/* Some file systems tell of a full disk only here. */
	if (close(to.fd) && !ret)
		ret = fail(to.name, strerror(errno));
	return ret;
}

static int get_mapped(const struct get_args *args, int fd, uint64_t size)
{
	void *map;
	int ret = morsel_map_range(fd, NULL, 0, size, PROT_READ, 0, &map);

	if (ret)
		return fail_target(STEP_MAP, &args->target, ret);
	ret = get(args, fd, (const char *)map + args->range.offset);
	munmap(map, size);
	return ret;
}

int cmd_get(int argc, char **argv)
{
	struct get_args args = { .file = "-" };
	struct morsel_info info;
	int fd, ret;

	run_argp(&argp, argc, argv, &args);
	fd = open_target(&args.target, MORSEL_OPEN_RDONLY, &info);
	if (fd < 0)
		return EXIT_FAILURE;
	ret = range_resolve(&args.range, &args.target, info.size);
	if (ret)
		return ret;
	return args.target.path ? get(&args, fd, NULL) :
				  get_mapped(&args, fd, info.size);
}

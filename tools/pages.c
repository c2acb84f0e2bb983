// SPDX-License-Identifier: GPL-2.0-only
/*
 * morsel populate, morsel punch: pages ahead of their use, and pages given back.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

struct pages_args {
	struct target target;
	struct range range;
	bool offset_given;
};

/* What is done to the pages, in chunks small enough for a lively bar. */
struct work {
	const char *verb;
	unsigned int open_flags;
	uint64_t chunk;
	int (*run)(int fd, uint64_t offset, uint64_t length, uint64_t *done);
};

static const struct argp_option options[] = {
	{ "bytes", 'n', "BYTES", 0, "So many bytes", 0 },
	{ "offset", 'o', "BYTES", 0, "Start there in the morsel", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct pages_args *args = state->input;

	switch (key) {
	case 'n':
		args->range.bytes = arg_pages(state, arg);
		args->range.bytes_given = true;
		return 0;
	case 'o':
		args->range.offset = arg_pages(state, arg);
		args->offset_given = true;
		return 0;
	default:
		return arg_one_target(key, arg, state, &args->target);
	}
}

/* Adds up in @done, as far as it gets. */
static int in_chunks(const struct work *work, int fd, const struct range *range,
		     uint64_t *done)
{
	struct progress progress;
	int ret = 0;

	progress_start(&progress, work->verb, range->bytes);
	while (*done < range->bytes && !ret) {
		uint64_t left = range->bytes - *done, part;

		ret = work->run(fd, range->offset + *done,
				left < work->chunk ? left : work->chunk, &part);
		*done += part;
		progress_update(&progress, *done);
		/* A signal that did not end us: stopped and continued. */
		if (ret == -EINTR)
			ret = 0;
	}
	progress_end(&progress);
	return ret;
}

static int do_work(const struct work *work, struct pages_args *args)
{
	char part[16], all[16], reason[128];
	struct morsel_info info;
	uint64_t done = 0;
	int fd, ret;

	fd = open_target(&args->target, work->open_flags, &info);
	if (fd < 0)
		return EXIT_FAILURE;
	/* The last page of a file is one as a whole. */
	ret = range_resolve(&args->range, &args->target,
			    (info.size + MORSEL_PAGE_SIZE - 1) &
				    ~(MORSEL_PAGE_SIZE - 1));
	if (ret)
		return ret;
	ret = in_chunks(work, fd, &args->range, &done);
	if (!ret)
		return EXIT_SUCCESS;

	human_size(part, sizeof(part), done);
	human_size(all, sizeof(all), args->range.bytes);
	snprintf(reason, sizeof(reason), "%s after %s of %s",
		 ret == -ENOMEM ? "no memory left" : strerror(-ret), part, all);
	return fail_target_text(&args->target, reason);
}

static const struct argp populate_argp = {
	.options = options,
	.parser = parse,
	.args_doc = "ID|FILE",
	.doc = "Allocate the pages of a morsel, or of a part of it, ahead of their use.",
};

int cmd_populate(int argc, char **argv)
{
	static const struct work populate = {
		.verb = "populate",
		.open_flags = MORSEL_OPEN_RDONLY,
		.chunk = 64ull << 20,
		.run = morsel_populate,
	};
	struct pages_args args = { 0 };

	run_argp(&populate_argp, argc, argv, &args);
	return do_work(&populate, &args);
}

static error_t punch_parse(int key, char *arg, struct argp_state *state)
{
	const struct pages_args *args = state->input;

	if (key != ARGP_KEY_SUCCESS)
		return parse(key, arg, state);
	if (!args->offset_given || !args->range.bytes_given)
		argp_error(state, "say what to free with -o and -n");
	return 0;
}

static const struct argp punch_argp = {
	.options = options,
	.parser = punch_parse,
	.args_doc = "-o BYTES -n BYTES ID|FILE",
	.doc = "Free the pages of a part of a morsel. It reads as zero afterwards, in every process that maps it.",
};

int cmd_punch(int argc, char **argv)
{
	/* Larger chunks: what is empty is passed over. */
	static const struct work punch = {
		.verb = "punch",
		.chunk = 1ull << 30,
		.run = morsel_punch,
	};
	struct pages_args args = { 0 };

	run_argp(&punch_argp, argc, argv, &args);
	return do_work(&punch, &args);
}

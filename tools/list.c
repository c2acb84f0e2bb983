// SPDX-License-Identifier: GPL-2.0-only
/*
 * morsel ls, morsel info: what there is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tool.h"

struct list_args {
	struct target target;
	bool json;
	bool quiet;
};

static error_t list_parse(int key, char *arg, struct argp_state *state)
{
	struct list_args *args = state->input;

	(void)arg;
	switch (key) {
	case 'q':
		args->quiet = true;
		return 0;
	case OPT_JSON:
		args->json = true;
		return 0;
	case ARGP_KEY_END:
		if (args->json && args->quiet)
			argp_error(state,
				   "--json and --quiet exclude each other");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option ls_options[] = {
	{ "quiet", 'q', NULL, 0, "Print nothing but IDs", 0 },
	{ "json", OPT_JSON, NULL, 0, "Print JSON", 0 },
	{ 0 }
};

static const struct argp ls_argp = {
	.options = ls_options,
	.parser = list_parse,
	.doc = "List the morsels you may read.",
};

int cmd_ls(int argc, char **argv)
{
	struct list_args args = { 0 };
	struct morsel_info info;
	uint64_t cursor = 0;
	unsigned int count;
	int dev, ret;

	run_argp(&ls_argp, argc, argv, &args);
	dev = open_device();
	if (dev < 0)
		return EXIT_FAILURE;

	if (args.json)
		putchar('[');
	else if (!args.quiet)
		print_row_header();
	for (count = 0; !(ret = morsel_next(dev, &cursor, &info)); count++) {
		if (args.quiet) {
			printf(ID_FORMAT "\n", (unsigned long long)info.id);
		} else if (args.json) {
			fputs(count ? ",\n " : "\n ", stdout);
			print_info_json(&info);
		} else {
			print_row(&info);
		}
	}
	if (args.json)
		puts(count ? "\n]" : "]");
	if (ret != -ENOENT)
		return fail_at(STEP_DEVICE, MORSEL_DEVICE, ret);
	return flush_output();
}

static error_t info_parse(int key, char *arg, struct argp_state *state)
{
	struct list_args *args = state->input;
	error_t err = arg_one_target(key, arg, state, &args->target);

	return err == ARGP_ERR_UNKNOWN ? list_parse(key, arg, state) : err;
}

static const struct argp_option json_options[] = {
	{ "json", OPT_JSON, NULL, 0, "Print JSON", 0 },
	{ 0 }
};

static const struct argp info_argp = {
	.options = json_options,
	.parser = info_parse,
	.args_doc = "ID|FILE",
	.doc = "Print the facts about a morsel.",
};

int cmd_info(int argc, char **argv)
{
	struct list_args args = { 0 };
	struct morsel_info info;
	int fd;

	run_argp(&info_argp, argc, argv, &args);
	fd = open_target(&args.target, MORSEL_OPEN_RDONLY, &info);
	if (fd < 0)
		return EXIT_FAILURE;

	if (args.json) {
		print_info_json(&info);
		putchar('\n');
	} else {
		print_info(&info);
	}
	return flush_output();
}

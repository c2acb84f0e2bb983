// SPDX-License-Identifier: GPL-2.0-only
/*
 * morsel chmod, morsel chown: who may do what.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool.h"

struct owner_args {
	mode_t mode;
	struct owner owner;
	struct target target;
};

/* The ID, as the second of two arguments; @program is for files. */
static error_t parse_id(int key, char *arg, struct argp_state *state,
			const char *program)
{
	struct owner_args *args = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (state->arg_num > 1)
			argp_error(state, "one ID at a time");
		args->target.id = arg_id(state, arg, program);
		return 0;
	case ARGP_KEY_END:
		if (state->arg_num < 2)
			argp_error(state, "which morsel? give its ID");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int open_named(const struct argp *argp, int argc, char **argv,
		      struct owner_args *args)
{
	struct morsel_info info;

	run_argp(argp, argc, argv, args);
	return open_target(&args->target, MORSEL_OPEN_RDONLY, &info);
}

static error_t chmod_parse(int key, char *arg, struct argp_state *state)
{
	struct owner_args *args = state->input;

	if (key != ARGP_KEY_ARG || state->arg_num)
		return parse_id(key, arg, state, "chmod");
	args->mode = arg_mode(state, arg);
	return 0;
}

static const struct argp chmod_argp = {
	.parser = chmod_parse,
	.args_doc = "MODE ID",
	.doc = "Change the permission bits of a morsel to MODE, in octal.",
};

int cmd_chmod(int argc, char **argv)
{
	struct owner_args args = { 0 };
	int fd = open_named(&chmod_argp, argc, argv, &args);

	if (fd < 0)
		return EXIT_FAILURE;
	if (fchmod(fd, args.mode))
		return fail_target(STEP_CHMOD, &args.target, -errno);
	return EXIT_SUCCESS;
}

static error_t chown_parse(int key, char *arg, struct argp_state *state)
{
	struct owner_args *args = state->input;

	if (key != ARGP_KEY_ARG || state->arg_num)
		return parse_id(key, arg, state, "chown");
	args->owner = arg_owner(state, arg);
	return 0;
}

static const struct argp chown_argp = {
	.parser = chown_parse,
	.args_doc = "[OWNER][:GROUP] ID",
	.doc = "Change the owner of a morsel, its group, or both; names or numbers.",
};

int cmd_chown(int argc, char **argv)
{
	struct owner_args args = { 0 };
	int fd = open_named(&chown_argp, argc, argv, &args);

	if (fd < 0)
		return EXIT_FAILURE;
	if (fchown(fd, args.owner.uid, args.owner.gid))
		return fail_target(STEP_CHOWN, &args.target, -errno);
	return EXIT_SUCCESS;
}

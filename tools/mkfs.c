// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkfs.morselfs(8): makes a pool for files on a persistent medium.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "medium.h"
#include "tool.h"

const char *argp_program_version = "mkfs.morselfs " MORSEL_VERSION;

struct mkfs_args {
	const char *name;
	struct medium_root root;
	uint8_t uuid[16];
	bool uuid_given, force, quiet;
};

static int digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

static bool parse_uuid(const char *arg, uint8_t *uuid)
{
	size_t i, digits = 0;

	if (strlen(arg) != MEDIUM_UUID - 1)
		return false;
	memset(uuid, 0, 16);
	for (i = 0; arg[i]; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (arg[i] != '-')
				return false;
			continue;
		}
		if (!isxdigit((unsigned char)arg[i]))
			return false;
		uuid[digits / 2] |= digit(arg[i]) << (digits % 2 ? 0 : 4);
		digits++;
	}
	return true;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct mkfs_args *args = state->input;

	switch (key) {
	case 'f':
		args->force = true;
		return 0;
	case 'q':
		args->quiet = true;
		return 0;
	case 'm':
		args->root.mode = arg_directory_mode(state, arg);
		return 0;
	case 'u':
		args->root.uid = arg_uid(state, arg);
		return 0;
	case 'g':
		args->root.gid = arg_gid(state, arg);
		return 0;
	case 'U':
		if (!parse_uuid(arg, args->uuid))
			argp_error(state, "%s: not a UUID", arg);
		args->uuid_given = true;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 0)
			argp_error(state, "one device at a time");
		args->name = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which device?");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "force", 'f', NULL, 0, "Overwrite what is there", 0 },
	{ "group", 'g', "GROUP", 0, "Group of the root directory (default 0)", 0 },
	{ "mode", 'm', "MODE", 0, "Mode of the root directory, octal (default 755)", 0 },
	{ "owner", 'u', "USER", 0, "Owner of the root directory (default 0)", 0 },
	{ "quiet", 'q', NULL, 0, "Print nothing but errors", 0 },
	{ "uuid", 'U', "UUID", 0, "UUID of the pool (default: random)", 0 },
	{ 0 }
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "DEVICE",
	.doc = "Make a morselfs on a persistent-memory device, or in a file of that size.",
};

static int make_uuid(uint8_t *uuid)
{
	if (getrandom(uuid, 16, 0) != 16)
		return -EIO;
	/* Version 4 of RFC 4122: random. */
	uuid[6] = (uuid[6] & 0x0f) | 0x40;
	uuid[8] = (uuid[8] & 0x3f) | 0x80;
	return 0;
}

static int refuse(const struct mkfs_args *args, const struct medium *medium)
{
	if (medium->frames < MEDIUM_FRAMES_MIN)
		return fail(args->name, "too small: a pool has 64 KiB at least");
	if (args->force || !medium_occupied(medium))
		return 0;
	return fail(args->name, medium_is_pool(medium) ?
		    "there is a pool on it; -f overwrites it" :
		    "there is something on it; -f overwrites it");
}

static void report(const struct mkfs_args *args, const struct medium *medium)
{
	char uuid[MEDIUM_UUID], size[16];

	medium_uuid(uuid, args->uuid);
	human_size(size, sizeof(size), medium->frames * MORSEL_PAGE_SIZE);
	printf("UUID %s, %llu frames, %s\n", uuid, (unsigned long long)medium->frames, size);
}

int main(int argc, char **argv)
{
	struct mkfs_args args = { .root.mode = 0755 };
	struct medium medium;
	int ret;

	argp_err_exit_status = EXIT_USAGE;
	run_argp(&argp, argc, argv, &args);
	ret = medium_open(&medium, args.name, true);
	if (ret)
		return fail_at(STEP_MEDIUM, args.name, ret);
	if (refuse(&args, &medium))
		return EXIT_FAILURE;
	if (!args.uuid_given)
		ret = make_uuid(args.uuid);
	if (!ret)
		ret = medium_wipe(&medium);
	if (!ret)
		ret = medium_format(&medium, args.uuid, &args.root);
	if (ret)
		return fail_at(STEP_MEDIUM, args.name, ret);
	if (!args.quiet)
		report(&args, &medium);
	return flush_output();
}

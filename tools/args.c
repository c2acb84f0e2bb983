// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arguments: IDs or files, sizes, addresses, orders, modes and owners.
 */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

/* strtoull() that takes no sign and no leading blank, and whole digits only. */
static bool parse_number(const char *arg, int base, uint64_t *value, char **end)
{
	*value = 0;
	if (*arg < '0' || *arg > '9')
		return false;
	errno = 0;
	*value = strtoull(arg, end, base);
	return !errno;
}

struct target arg_target(const char *arg)
{
	struct target target = { 0 };
	char *end;

	if (!parse_number(arg, 0, &target.id, &end) || *end)
		target.path = arg;
	return target;
}

error_t arg_one_target(int key, const char *arg, const struct argp_state *state,
		       struct target *target)
{
	switch (key) {
	case ARGP_KEY_ARG:
		if (state->arg_num > 0)
			argp_error(state, "one morsel at a time");
		*target = arg_target(arg);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which morsel? give its ID, or a file");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

uint64_t arg_id(const struct argp_state *state, const char *arg,
		const char *program)
{
	struct target target = arg_target(arg);
	char name[PATH_MAX];

	if (target.path) {
		printable(name, sizeof(name), target.path, "");
		argp_failure(state, EXIT_USAGE, 0,
			     "%s: not an ID; for a file there is %s(1)", name,
			     program);
	}
	return target.id;
}

/* A number of bytes, with a suffix if need be. */
static bool parse_size(const char *arg, uint64_t *size)
{
	static const char suffixes[] = "KMGT";
	const char *suffix;
	unsigned int shift = 0;
	char *end;

	if (!parse_number(arg, 0, size, &end))
		return false;
	suffix = *end ? strchr(suffixes, *end) : NULL;
	if (suffix) {
		shift = 10 * (suffix - suffixes + 1);
		end++;
		if (!strcmp(end, "iB"))
			end += 2;
	}
	if (*end || *size > UINT64_MAX >> shift)
		return false;
	*size <<= shift;
	return true;
}

uint64_t arg_size(const struct argp_state *state, const char *arg)
{
	uint64_t size;

	if (!parse_size(arg, &size))
		argp_error(state,
			   "%s: not a size (bytes, or with K, M, G or T)", arg);
	return size;
}

uint64_t arg_pages(const struct argp_state *state, const char *arg)
{
	uint64_t size = arg_size(state, arg);

	if (size % MORSEL_PAGE_SIZE)
		argp_error(state, "%s: not a multiple of %llu, the page size",
			   arg, MORSEL_PAGE_SIZE);
	return size;
}

uint64_t arg_address(const struct argp_state *state, const char *arg)
{
	uint64_t address;

	if (!parse_size(arg, &address) || !address)
		argp_error(state, "%s: not an address (a number that is not 0)",
			   arg);
	return address;
}

double arg_seconds(const struct argp_state *state, const char *arg)
{
	double seconds;
	char *end;

	seconds = strtod(arg, &end);
	if (end == arg || *end || !(seconds > 0 && seconds < 1e6))
		argp_error(state, "%s: not a number of seconds", arg);
	return seconds;
}

uint64_t arg_count(const struct argp_state *state, const char *arg)
{
	uint64_t count;
	char *end;

	if (!parse_number(arg, 10, &count, &end) || *end || !count)
		argp_error(state, "%s: not a number above 0", arg);
	return count;
}

static mode_t mode_up_to(const struct argp_state *state, const char *arg, mode_t most)
{
	uint64_t mode;
	char *end;

	if (!parse_number(arg, 8, &mode, &end) || *end || mode > most)
		argp_error(state, "%s: not a mode (octal, 0 to %o)", arg, most);
	return mode;
}

mode_t arg_mode(const struct argp_state *state, const char *arg)
{
	return mode_up_to(state, arg, 0777);
}

mode_t arg_directory_mode(const struct argp_state *state, const char *arg)
{
	return mode_up_to(state, arg, 07777);
}

/* -1, which leaves what is there, is no ID that can be given. */
static bool parse_owner_id(const char *arg, uint32_t *owner_id)
{
	uint64_t value;
	char *end;

	if (!parse_number(arg, 10, &value, &end) || *end || value >= UINT32_MAX)
		return false;
	*owner_id = value;
	return true;
}

uid_t arg_uid(const struct argp_state *state, const char *arg)
{
	const struct passwd *user = getpwnam(arg);
	uid_t uid = -1;

	if (user)
		return user->pw_uid;
	if (!parse_owner_id(arg, &uid))
		argp_error(state, "%s: no such user", arg);
	return uid;
}

gid_t arg_gid(const struct argp_state *state, const char *arg)
{
	const struct group *group = getgrnam(arg);
	gid_t gid = -1;

	if (group)
		return group->gr_gid;
	if (!parse_owner_id(arg, &gid))
		argp_error(state, "%s: no such group", arg);
	return gid;
}

struct owner arg_owner(const struct argp_state *state, const char *arg)
{
	struct owner owner = { .uid = -1, .gid = -1 };
	const char *colon = strchrnul(arg, ':');
	char user[LOGIN_NAME_MAX];
	int length = colon - arg;

	if (length >= (int)sizeof(user) || !strcmp(arg, ":") || !*arg)
		argp_error(state,
			   "%s: not an owner (USER, USER:GROUP or :GROUP)",
			   arg);
	snprintf(user, sizeof(user), "%.*s", length, arg);
	if (length)
		owner.uid = arg_uid(state, user);
	if (*colon)
		owner.gid = arg_gid(state, colon + 1);
	return owner;
}

static void set_order(const struct argp_state *state, struct shape *shape,
		      int order)
{
	if (shape->order != ORDER_UNSET)
		argp_error(state, "give the order or the size once, not both");
	shape->order = order;
}

error_t arg_shape(int key, const char *arg, const struct argp_state *state,
		  struct shape *shape)
{
	uint64_t value;
	char *end;
	int order;

	switch (key) {
	case 'o':
		if (!parse_number(arg, 10, &value, &end) || *end ||
		    value > MORSEL_ORDER_MAX)
			argp_error(state, "%s: not an order (0 to %d)", arg,
				   MORSEL_ORDER_MAX);
		set_order(state, shape, value);
		return 0;
	case 's':
		order = morsel_order_for(arg_size(state, arg));
		if (order < 0)
			argp_error(state,
				   "%s: more than the largest order holds",
				   arg);
		set_order(state, shape, order);
		return 0;
	case 'm':
		shape->mode = arg_mode(state, arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

void run_argp(const struct argp *argp, int argc, char **argv, void *input)
{
	error_t err = argp_parse(argp, argc, argv, 0, NULL, input);

	if (err)
		exit(fail(argv[0], strerror(err)));
}

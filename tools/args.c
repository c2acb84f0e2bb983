// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arguments: IDs, sizes, orders and modes.
 */
#include <errno.h>
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

uint64_t arg_id(const struct argp_state *state, const char *arg)
{
	uint64_t id;
	char *end;

	if (!parse_number(arg, 0, &id, &end) || *end)
		argp_error(state, "%s: not a morsel ID (`morsel ls' has them)",
			   arg);
	return id;
}

uint64_t arg_size(const struct argp_state *state, const char *arg)
{
	static const char suffixes[] = "KMGT";
	uint64_t size;
	char *end;

	if (parse_number(arg, 0, &size, &end)) {
		const char *suffix = *end ? strchr(suffixes, *end) : NULL;
		unsigned int shift = 0;

		if (suffix) {
			shift = 10 * (suffix - suffixes + 1);
			end++;
			if (!strcmp(end, "iB"))
				end += 2;
		}
		if (!*end && size <= UINT64_MAX >> shift)
			return size << shift;
	}
	argp_error(state, "%s: not a size (bytes, or with K, M, G or T)", arg);
	return 0;
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
		if (!parse_number(arg, 8, &value, &end) || *end || value > 0777)
			argp_error(state, "%s: not a mode (octal, 0 to 777)",
				   arg);
		shape->mode = value;
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

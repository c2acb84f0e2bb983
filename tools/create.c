// SPDX-License-Identifier: GPL-2.0-only
/*
 * morsel create, morsel rm: birth and death.  There is no option for an
 * ephemeral morsel: it would die with this process, its only user.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "tool.h"

struct create_args {
	struct shape shape;
	uint64_t address; /* 0: anywhere */
	bool json;
};

static const struct argp_option create_options[] = {
	{ "order", 'o', "ORDER", 0, "Order, 0 to 4 (default 2: 1 GiB)", 0 },
	{ "size", 's', "SIZE", 0, "Smallest order that holds SIZE bytes", 0 },
	{ "mode", 'm', "MODE", 0, "Permission bits, octal (default 600)", 0 },
	{ "address", OPT_ADDRESS, "ADDR", 0,
	  "Fixed address in every process, a multiple of the size", 0 },
	{ "json", OPT_JSON, NULL, 0, "Print JSON", 0 },
	{ 0 }
};

static void check_address(const struct argp_state *state,
			  const struct create_args *args)
{
	uint64_t size = morsel_size(args->shape.order);
	char text[16];

	human_size(text, sizeof(text), size);
	if (args->address % size)
		argp_error(state,
			   "%#llx: not a multiple of the size of order %d, %s",
			   (unsigned long long)args->address, args->shape.order,
			   text);
}

static error_t create_parse(int key, char *arg, struct argp_state *state)
{
	struct create_args *args = state->input;

	switch (key) {
	case OPT_ADDRESS:
		args->address = arg_address(state, arg);
		return 0;
	case OPT_JSON:
		args->json = true;
		return 0;
	case ARGP_KEY_END:
		if (args->shape.order == ORDER_UNSET)
			args->shape.order = ORDER_DEFAULT;
		check_address(state, args);
		return 0;
	default:
		return arg_shape(key, arg, state, &args->shape);
	}
}

static const struct argp create_argp = {
	.options = create_options,
	.parser = create_parse,
	.doc = "Create an empty morsel and print its ID.",
};

int cmd_create(int argc, char **argv)
{
	struct create_args args = {
		.shape = { .order = ORDER_UNSET, .mode = MODE_DEFAULT },
	};
	uint64_t id;
	int dev, fd, ret;

	run_argp(&create_argp, argc, argv, &args);
	dev = open_device();
	if (dev < 0)
		return EXIT_FAILURE;
	if (args.address)
		fd = morsel_create_at(dev, args.shape.order, args.shape.mode, 0,
				      args.address, &id);
	else
		fd = morsel_create(dev, args.shape.order, args.shape.mode, 0,
				   &id);
	if (fd < 0)
		return fail_at(STEP_CREATE, "cannot create", fd);

	print_created(id, args.shape.order, args.json);
	ret = flush_output();
	/* A morsel whose ID nobody was told would stay for ever. */
	if (ret)
		morsel_destroy(fd);
	return ret;
}

struct rm_args {
	uint64_t *ids;
	unsigned int count;
};

static error_t rm_parse(int key, char *arg, struct argp_state *state)
{
	struct rm_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		args->ids = calloc(state->argc, sizeof(*args->ids));
		return args->ids ? 0 : ENOMEM;
	case ARGP_KEY_ARG:
		args->ids[args->count++] = arg_id(state, arg, "rm");
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which morsel? give at least one ID");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp rm_argp = {
	.parser = rm_parse,
	.args_doc = "ID...",
	.doc = "Destroy morsels and free their memory.",
};

static int destroy(int dev, uint64_t id)
{
	const struct target target = { .id = id };
	int fd, ret;

	fd = morsel_open(dev, id, 0);
	if (fd < 0)
		return fail_target(STEP_OPEN, &target, fd);
	ret = morsel_destroy(fd);
	close(fd);
	return ret ? fail_target(STEP_DESTROY, &target, ret) : EXIT_SUCCESS;
}

int cmd_rm(int argc, char **argv)
{
	struct rm_args args = { 0 };
	int dev, ret = EXIT_SUCCESS;

	run_argp(&rm_argp, argc, argv, &args);
	dev = open_device();
	if (dev < 0)
		return EXIT_FAILURE;
	for (unsigned int i = 0; i < args.count; i++) {
		if (destroy(dev, args.ids[i]))
			ret = EXIT_FAILURE;
	}
	return ret;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * morsel put: a file or standard input into a morsel.
 *
 * read(2) copies straight into the mapping, so a file that shrinks is just a
 * short read, and a page that cannot be populated is EFAULT, not a SIGBUS.
 * SIGINT, SIGTERM and SIGHUP wait while there is something to undo; they end
 * the process after that.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool.h"

#define CHUNK (4ull << 20)

struct put_args {
	struct shape shape;
	bool mode_given;
	bool existing; /* fill @target, create none */
	struct target target;
	uint64_t offset;
	bool offset_given;
	const char *file; /* "-" for standard input */
	bool json;
};

static const struct argp_option options[] = {
	{ "order", 'o', "ORDER", 0,
	  "Order, 0 to 4 (default: the smallest that holds FILE, 2 if its length is not known)",
	  0 },
	{ "size", 's', "SIZE", 0, "Smallest order that holds SIZE bytes", 0 },
	{ "mode", 'm', "MODE", 0, "Permission bits, octal (default 600)", 0 },
	{ "into", OPT_INTO, "ID|FILE", 0,
	  "Fill an existing morsel, or a file, which is created if need be", 0 },
	{ "offset", OPT_OFFSET, "BYTES", 0, "Start there in the morsel", 0 },
	{ "json", OPT_JSON, NULL, 0, "Print JSON", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct put_args *args = state->input;

	switch (key) {
	case OPT_INTO:
		args->existing = true;
		args->target = arg_target(arg);
		return 0;
	case OPT_OFFSET:
		args->offset = arg_size(state, arg);
		args->offset_given = true;
		if (morsel_order_for(args->offset) < 0)
			argp_error(state, "%s: beyond the largest order", arg);
		return 0;
	case OPT_JSON:
		args->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 0)
			argp_error(state, "one file at a time");
		args->file = arg;
		return 0;
	case ARGP_KEY_END:
		if (args->existing &&
		    (args->shape.order != ORDER_UNSET || args->mode_given))
			argp_error(state, "--into excludes -o, -s and -m");
		return 0;
	case 'm':
		args->mode_given = true;
		return arg_shape(key, arg, state, &args->shape);
	default:
		return arg_shape(key, arg, state, &args->shape);
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[FILE|-]",
	.doc = "Copy FILE or standard input into a morsel and print the ID of the morsel, if it is no file.",
};

/* Bytes that @in has left, or -1 when only reading will tell. */
static off_t length_left(int in)
{
	struct stat st;
	off_t pos;

	if (fstat(in, &st) || !S_ISREG(st.st_mode))
		return -1;
	pos = lseek(in, 0, SEEK_CUR);
	return pos > st.st_size ? 0 : st.st_size - pos;
}

/* Holds back the signals that would end us; returns a descriptor that says one came. */
static int hold_signals(sigset_t *old)
{
	static const int ending[] = { SIGINT, SIGTERM, SIGHUP };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(ending) / sizeof(*ending); i++) {
		struct sigaction action;

		/* nohup(1) and the like want them ignored */
		sigaction(ending[i], NULL, &action);
		if (action.sa_handler != SIG_IGN)
			sigaddset(&set, ending[i]);
	}
	sigprocmask(SIG_BLOCK, &set, old);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/*
 * Fills the @room bytes at @to until the end of @in, and adds up in @done;
 * -EFBIG when @in has more, -EINTR after a signal.
 */
static int fill(int in, int signals, char *to, uint64_t room, uint64_t *done,
		struct progress *progress)
{
	for (;;) {
		uint64_t left = room - *done;
		char beyond;
		ssize_t n;

		if (left)
			n = read_input(in, signals, to + *done,
				       left < CHUNK ? left : CHUNK);
		else
			n = read_input(in, signals, &beyond, 1);
		if (n <= 0)
			return n;
		if (!left)
			return -EFBIG;
		*done += n;
		progress_update(progress, *done);
	}
}

static int too_big(const struct put_args *args, int order)
{
	char size[16], reason[96];

	human_size(size, sizeof(size), morsel_size(order));
	snprintf(reason, sizeof(reason),
		 "does not fit in a morsel of order %d (%s)%s", order, size,
		 args->existing ? "" : "; choose a larger one with -o or -s");
	return fail(args->file, reason);
}

static int copy(const struct put_args *args, int in, off_t length, int signals,
		int fd, struct morsel_info *info, uint64_t *done)
{
	struct progress progress;
	void *map;
	int ret;

	ret = morsel_info(fd, info);
	if (ret)
		return fail_target(STEP_MAP, &args->target, ret);
	if (args->offset > info->size ||
	    (length > 0 && (uint64_t)length > info->size - args->offset))
		return too_big(args, info->order);
	ret = morsel_map(fd, NULL, PROT_READ | PROT_WRITE, 0, &map);
	if (ret)
		return fail_target(STEP_MAP, &args->target, ret);

	progress_start(&progress, "put", length > 0 ? length : 0);
	ret = fill(in, signals, (char *)map + args->offset,
		   info->size - args->offset, done, &progress);
	progress_end(&progress);
	morsel_unmap(map, info->order);

	switch (ret) {
	case 0:
		return EXIT_SUCCESS;
	case -EFBIG:
		return too_big(args, info->order);
	case -EFAULT:
		return fail_target(STEP_COPY, &args->target, ret);
	default:
		return fail_at(STEP_COPY, args->file, ret);
	}
}

/* The morsel to fill: its descriptor, or negative after an error line. */
static int open_or_create(struct put_args *args, int dev, off_t length)
{
	int order = args->shape.order;
	int fd;

	if (args->existing) {
		fd = morsel_open(dev, args->target.id, 0);
		if (fd < 0)
			fail_target(STEP_OPEN, &args->target, fd);
		return fd;
	}

	if (order == ORDER_UNSET && length < 0)
		order = ORDER_DEFAULT;
	if (order == ORDER_UNSET)
		order = morsel_order_for(args->offset + length);
	if (order < 0) {
		too_big(args, MORSEL_ORDER_MAX);
		return order;
	}
	fd = morsel_create(dev, order, args->shape.mode, 0,
			   &args->target.id);
	if (fd < 0)
		fail_at(STEP_CREATE, "cannot create", fd);
	return fd;
}

static int put_into_file(const struct put_args *args, int in, off_t length)
{
	const struct input from = {
		.fd = in,
		.name = args->file,
		.length = length,
	};
	struct morsel_info info;
	uint64_t done;
	int ret;

	ret = write_file(&args->target, &from, args->offset,
			 args->offset_given, &info, &done);
	/* Who named the file knows how to name it. */
	if (ret || !args->json)
		return ret;
	print_filled(&info, done, true);
	return flush_output();
}

/* The input, whose name in @args is that for error lines from then on. */
static int open_input(struct put_args *args)
{
	int in;

	if (!strcmp(args->file, "-")) {
		args->file = "standard input";
		return STDIN_FILENO;
	}
	in = open(args->file, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		fail(args->file, strerror(errno));
	return in;
}

static int put_into_morsel(struct put_args *args, int in, off_t length)
{
	int dev = open_device(), signals, fd, ret;
	struct morsel_info info;
	uint64_t done = 0;
	sigset_t old;

	if (dev < 0)
		return EXIT_FAILURE;
	signals = hold_signals(&old);
	if (signals < 0)
		return fail("signalfd", strerror(errno));
	fd = open_or_create(args, dev, length);
	if (fd < 0)
		return EXIT_FAILURE;

	ret = copy(args, in, length, signals, fd, &info, &done);
	if (!ret) {
		print_filled(&info, done, args->json);
		ret = flush_output();
	}
	/* A failing put leaves nothing behind. */
	if (ret && !args->existing)
		morsel_destroy(fd);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return ret;
}

int cmd_put(int argc, char **argv)
{
	struct put_args args = {
		.shape = { .order = ORDER_UNSET, .mode = MODE_DEFAULT },
		.file = "-",
	};
	off_t length;
	int in;

	run_argp(&argp, argc, argv, &args);
	in = open_input(&args);
	if (in < 0)
		return EXIT_FAILURE;
	length = length_left(in);
	return args.target.path ? put_into_file(&args, in, length) :
				  put_into_morsel(&args, in, length);
}

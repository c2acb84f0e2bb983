// SPDX-License-Identifier: GPL-2.0-only
/*
 * morsel top: the morsels that do most, again and again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tool.h"

struct row {
	const struct morsel_info *info;
	struct rates rates;
};

/* What to sort by, largest first. */
static double by_data(const struct row *row)
{
	return row->info->data_frames;
}

static double by_tables(const struct row *row)
{
	return row->info->table_frames;
}

static double by_mappings(const struct row *row)
{
	return row->info->mappings;
}

static double by_pages(const struct row *row)
{
	return row->rates.allocated + row->rates.freed;
}

static double by_attach(const struct row *row)
{
	return row->rates.attached + row->rates.detached;
}

typedef double key_fn(const struct row *row);

static const struct {
	const char *name;
	key_fn *key;
} keys[] = {
	{ "pages", by_pages },	 { "attach", by_attach },
	{ "data", by_data },	 { "tables", by_tables },
	{ "mappings", by_mappings },
};

struct top_args {
	double interval;
	uint64_t count;
	key_fn *key;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct top_args *args = state->input;

	switch (key) {
	case 'i':
		args->interval = arg_seconds(state, arg);
		return 0;
	case 'c':
		args->count = arg_count(state, arg);
		return 0;
	case 's':
		args->key = NULL;
		for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
			if (!strcmp(arg, keys[i].name))
				args->key = keys[i].key;
		if (!args->key)
			argp_error(state,
				   "%s: no key (pages, attach, data, tables or mappings)",
				   arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "interval", 'i', "SECONDS", 0, "Look that often (1)", 0 },
	{ "count", 'c', "NUMBER", 0, "End after so many times", 0 },
	{ "sort", 's', "KEY", 0,
	  "By pages or attach, both per second, or by data, tables or mappings",
	  0 },
	{ 0 }
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Show the morsels you may read that do most, until interrupted.",
};

static int compare(const void *a, const void *b, void *key)
{
	key_fn *value = *(key_fn **)key;
	double x = value(a), y = value(b);
	const struct row *left = a, *right = b;

	if (x != y)
		return x < y ? 1 : -1;
	/* So that lines do not jump about. */
	return (left->info->id > right->info->id) -
	       (left->info->id < right->info->id);
}

/* Lines of the terminal, or 0: no terminal, no limit. */
static unsigned int screen_lines(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO))
		return 0;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row ?
		       24 : size.ws_row;
}

static int show(int dev, const struct sample *from, const struct sample *to,
		key_fn *key)
{
	double seconds = seconds_between(from->time, to->time);
	unsigned int lines = screen_lines();
	struct morsel_stats stats;
	struct row *rows;
	int ret = morsel_stats(dev, &stats);
	size_t shown = to->count;

	if (ret)
		return fail_at(STEP_DEVICE, MORSEL_DEVICE, ret);
	rows = calloc(to->count + 1, sizeof(*rows));
	if (!rows)
		return fail("morsel", "no memory left");
	for (size_t i = 0; i < to->count; i++) {
		const struct morsel_info *info = &to->infos[i];

		rows[i].info = info;
		rows[i].rates = rates_of(info, sample_find(from, info->id),
					 seconds);
	}
	qsort_r(rows, to->count, sizeof(*rows), compare, &key);

	if (lines) {
		fputs("\033[H\033[2J", stdout);
		if (shown + 3 > lines)
			shown = lines > 3 ? lines - 3 : 0;
	}
	print_totals_line(&stats);
	print_top_header();
	for (size_t i = 0; i < shown; i++)
		print_top_row(rows[i].info, rows[i].rates);
	free(rows);
	return flush_output();
}

int cmd_top(int argc, char **argv)
{
	struct top_args args = { .interval = 1, .key = by_pages };
	struct sample samples[2] = { 0 };
	int dev, ret;

	run_argp(&argp, argc, argv, &args);
	dev = open_device();
	if (dev < 0)
		return EXIT_FAILURE;

	ret = sample_take(dev, &samples[0]);
	for (uint64_t i = 1; !ret && (!args.count || i <= args.count); i++) {
		pause_for(args.interval);
		ret = sample_take(dev, &samples[i % 2]);
		if (!ret)
			ret = show(dev, &samples[(i - 1) % 2], &samples[i % 2],
				   args.key);
	}
	free(samples[0].infos);
	free(samples[1].infos);
	return ret;
}

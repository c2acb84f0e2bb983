// SPDX-License-Identifier: GPL-2.0-only
/*
 * morsel stat: counters of one morsel or totals of all, now or again and again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tool.h"

struct stat_args {
	uint64_t id;
	bool id_given;
	bool json;
	double interval;
	uint64_t count;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct stat_args *args = state->input;

	switch (key) {
	case 'i':
		args->interval = arg_seconds(state, arg);
		return 0;
	case 'c':
		args->count = arg_count(state, arg);
		return 0;
	case OPT_JSON:
		args->json = true;
		return 0;
	case ARGP_KEY_ARG:
		args->id_given = true;
		return arg_one_id(key, arg, state, &args->id);
	case ARGP_KEY_END:
		if (args->interval && (!args->id_given || args->json))
			argp_error(state,
				   "--interval is for one morsel, and excludes --json");
		if (args->count && !args->interval)
			argp_error(state, "--count is for --interval");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "interval", 'i', "SECONDS", 0,
	  "Print a line that often, with what happened since the last one", 0 },
	{ "count", 'c', "NUMBER", 0, "End after so many lines", 0 },
	{ "json", OPT_JSON, NULL, 0, "Print JSON", 0 },
	{ 0 }
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[ID]",
	.doc = "Print the counters of a morsel, or totals over all morsels.",
};

static int print_totals(int dev, bool json)
{
	struct morsel_stats stats;
	int ret = morsel_stats(dev, &stats);

	if (ret)
		return fail_at(STEP_DEVICE, MORSEL_DEVICE, ret);
	if (json)
		print_stats_json(&stats);
	else
		print_stats(&stats);
	return flush_output();
}

/* What was listed is what one may read; of all else one learns nothing. */
static int take(int dev, struct sample *sample, uint64_t id,
		const struct morsel_info **info)
{
	int ret = sample_take(dev, sample);

	if (ret)
		return ret;
	*info = sample_find(sample, id);
	return *info ? EXIT_SUCCESS : fail_id(STEP_OPEN, id, -ENOENT);
}

static int print_counters(int dev, const struct stat_args *args)
{
	const struct morsel_info *info;
	struct sample sample = { 0 };
	int ret = take(dev, &sample, args->id, &info);

	if (ret)
		return ret;
	if (args->json) {
		print_info_json(info);
		putchar('\n');
	} else {
		print_counters_of(info);
	}
	free(sample.infos);
	return flush_output();
}

static int watch(int dev, const struct stat_args *args)
{
	const struct morsel_info *now, *then;
	struct sample samples[2] = { 0 };
	int ret = take(dev, &samples[0], args->id, &then);

	for (uint64_t i = 1; !ret && (!args->count || i <= args->count); i++) {
		struct sample *from = &samples[(i - 1) % 2];
		struct sample *to = &samples[i % 2];

		if (i == 1)
			print_rates_header();
		pause_for(args->interval);
		ret = take(dev, to, args->id, &now);
		if (ret)
			break;
		print_rates(now, rates_of(now, then,
					  seconds_between(from->time, to->time)));
		ret = flush_output();
		then = now;
	}
	free(samples[0].infos);
	free(samples[1].infos);
	return ret;
}

int cmd_stat(int argc, char **argv)
{
	struct stat_args args = { 0 };
	int dev;

	run_argp(&argp, argc, argv, &args);
	dev = open_device();
	if (dev < 0)
		return EXIT_FAILURE;
	if (!args.id_given)
		return print_totals(dev, args.json);
	return args.interval ? watch(dev, &args) : print_counters(dev, &args);
}

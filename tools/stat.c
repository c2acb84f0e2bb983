// SPDX-License-Identifier: GPL-2.0-only
/*
 * morsel stat: counters of one morsel or totals of all, now or again and again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tool.h"

struct stat_args {
	struct target target;
	bool given;
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
		args->given = true;
		return arg_one_target(key, arg, state, &args->target);
	case ARGP_KEY_END:
		if (args->interval && (!args->given || args->json))
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
	.args_doc = "[ID|FILE]",
	.doc = "Print the counters of a morsel, or totals over all morsels.",
};

static int print_totals(bool json)
{
	struct morsel_stats stats;
	int dev = open_device(), ret;

	if (dev < 0)
		return EXIT_FAILURE;
	ret = morsel_stats(dev, &stats);
	close(dev);
	if (ret)
		return fail_at(STEP_DEVICE, MORSEL_DEVICE, ret);
	if (json)
		print_stats_json(&stats);
	else
		print_stats(&stats);
	return flush_output();
}

/* A morsel at some time. */
struct moment {
	struct timespec time;
	struct morsel_info info;
};

/* What was listed is what one may read; of all else one learns nothing. */
static int take_id(const struct target *target, struct moment *moment)
{
	const struct morsel_info *info;
	struct sample sample = { 0 };
	int dev = open_device(), ret;

	if (dev < 0)
		return EXIT_FAILURE;
	ret = sample_take(dev, &sample);
	close(dev);
	if (ret)
		return ret;
	info = sample_find(&sample, target->id);
	if (!info) {
		ret = fail_target(STEP_OPEN, target, -ENOENT);
	} else {
		moment->time = sample.time;
		moment->info = *info;
	}
	free(sample.infos);
	return ret;
}

/* Opened each time, lest who watches a file keep it after it was removed. */
static int take_file(const struct target *target, struct moment *moment)
{
	int fd;

	clock_gettime(CLOCK_MONOTONIC, &moment->time);
	fd = open_target(target, MORSEL_OPEN_RDONLY, &moment->info);
	if (fd < 0)
		return EXIT_FAILURE;
	close(fd);
	return EXIT_SUCCESS;
}

static int take(const struct target *target, struct moment *moment)
{
	return target->path ? take_file(target, moment) :
			      take_id(target, moment);
}

static int print_counters(const struct stat_args *args)
{
	struct moment now;
	int ret = take(&args->target, &now);

	if (ret)
		return ret;
	if (args->json) {
		print_info_json(&now.info);
		putchar('\n');
	} else {
		print_counters_of(&now.info);
	}
	return flush_output();
}

static int watch(const struct stat_args *args)
{
	struct moment then, now;
	int ret = take(&args->target, &then);

	for (uint64_t i = 1; !ret && (!args->count || i <= args->count); i++) {
		bool same;

		if (i == 1)
			print_rates_header();
		pause_for(args->interval);
		ret = take(&args->target, &now);
		if (ret)
			break;
		/* Another file may have got the name. */
		same = now.info.id == then.info.id;
		print_rates(&now.info,
			    rates_of(&now.info, same ? &then.info : NULL,
				     seconds_between(then.time, now.time)));
		ret = flush_output();
		then = now;
	}
	return ret;
}

int cmd_stat(int argc, char **argv)
{
	struct stat_args args = { 0 };

	run_argp(&argp, argc, argv, &args);
	if (!args.given)
		return print_totals(args.json);
	return args.interval ? watch(&args) : print_counters(&args);
}

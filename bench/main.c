// SPDX-License-Identifier: GPL-2.0-only
/* morsel-bench NAME: runs a benchmark, writes what it measured. */
#include "memory.h"

#include <argp.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct benchmark *const benchmarks[] = {
	&benchmark_faults, &benchmark_populate,	 &benchmark_map,
	&benchmark_attach, &benchmark_growth,	 &benchmark_transfer,
	&benchmark_model,  &benchmark_processes, &benchmark_fork,
	&benchmark_files,  &benchmark_build,
};

struct arguments {
	const struct benchmark *benchmark;
	const char *output;
	struct options options;
	bool list;
};

static const struct argp_option options[] = {
	{ "output", 'o', "FILE", 0, "Write the results there, as JSON", 0 },
	{ "rounds", 'r', "N", 0, "Rounds of each comparison", 0 },
	{ "quick", 'q', NULL, 0,
	  "Everything small: whether it works, not how fast it is", 0 },
	{ "dir", 'd', "DIR", 0, "Where files on a disk go", 0 },
	{ "file", 'f', "FILE", 0, "The model that loads (model)", 0 },
	{ "morselfs", 'm', "DIR", 0, "A directory in a morselfs (files, build)",
	  0 },
	{ "tmpfs", 't', "DIR", 0, "A directory in a tmpfs (files, build)", 0 },
	{ "repository", 'R', "DIR", 0,
	  "The git repository that is cloned and built (build)", 0 },
	{ "list", 'l', NULL, 0, "List the benchmarks", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;
	char *end;

	switch (key) {
	case 'o':
		a->output = arg;
		break;
	case 'r':
		a->options.rounds = strtol(arg, &end, 10);
		if (*end || a->options.rounds < 1)
			argp_error(state, "--rounds takes a number above 0");
		break;
	case 'q':
		a->options.quick = true;
		break;
	case 'd':
		a->options.dir = arg;
		break;
	case 'f':
		a->options.file = arg;
		break;
	case 'm':
		a->options.morselfs = arg;
		break;
	case 't':
		a->options.tmpfs = arg;
		break;
	case 'R':
		a->options.repository = arg;
		break;
	case 'l':
		a->list = true;
		break;
	case ARGP_KEY_ARG:
		if (a->benchmark)
			argp_error(state, "one benchmark at a time");
		for (size_t i = 0; i < ARRAY_SIZE(benchmarks); i++)
			if (!strcmp(benchmarks[i]->name, arg))
				a->benchmark = benchmarks[i];
		if (!a->benchmark)
			argp_error(state, "there is no benchmark %s", arg);
		break;
	case ARGP_KEY_END:
		if (!a->benchmark && !a->list)
			argp_usage(state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "NAME",
	.doc = "Measure morsels beside other memory, in interleaved rounds.",
};

const char *argp_program_version = "morsel-bench " MORSEL_VERSION;

int main(int argc, char **argv)
{
	struct arguments a = { .options.cpus = sysconf(_SC_NPROCESSORS_ONLN) };
	struct rlimit files;
	FILE *to = NULL;

	argp_parse(&argp, argc, argv, 0, NULL, &a);
	if (a.list) {
		for (size_t i = 0; i < ARRAY_SIZE(benchmarks); i++)
			printf("%-10s %s\n", benchmarks[i]->name,
			       benchmarks[i]->what);
		return 0;
	}
	if (a.output) {
		to = fopen(a.output, "we");
		if (!to)
			die("%s: %s", a.output, strerror(errno));
	}
	if (!a.options.rounds)
		a.options.rounds = a.options.quick ? 2 : a.benchmark->rounds;
	/* A benchmark of many processes has pipes to all of them. */
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	signal(SIGPIPE, SIG_IGN);
	memory_set_directory(a.options.dir);
	atexit(memory_cleanup);
	benchmark_name = a.benchmark->name;
	a.benchmark->run(&a.options);
	result_print();
	if (to) {
		result_write(a.benchmark->name, &a.options, to);
		fclose(to);
	}
	return 0;
}

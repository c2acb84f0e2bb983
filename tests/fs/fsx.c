// SPDX-License-Identifier: GPL-2.0-only
/* fsx: options, processes, what is reported; see fsx.h. */
#include "fsx.h"

#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <sys/prctl.h>

#define LEAST 400 /* operations of a process, however slow it is */

static double seconds = 5;
static uint64_t first_seed = 1, most = UINT64_MAX;
static unsigned int processes = 3;
static const char *mode;

/* How often each operation was run, by all processes. */
static atomic_ulong *counts;

void say(struct fsx *x, const char *fmt, ...)
{
	char *line = x->log[x->operation % LOG];
	size_t len = strlen(line);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line + len, sizeof(*x->log) - len, fmt, ap);
	va_end(ap);
}

void wrong(struct fsx *x, const char *fmt, ...)
{
	uint64_t n = x->operation + 1 > LOG ? x->operation + 1 - LOG : 0;
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (; n <= x->operation; n++)
		note("%llu %s", (unsigned long long)n, x->log[n % LOG]);
	note("%s", text);
	note("again: --mode %s --seed %llu --processes %u --operations %llu",
	     x->alone ? "files" : "ranges",
	     (unsigned long long)(x->alone ? x->seed : first_seed),
	     x->alone ? 1 : processes, (unsigned long long)x->operation + 1);
	_exit(1);
}

static void step(struct fsx *x)
{
	unsigned int all = fsx_n_ops + fsx_n_maps, n;
	struct fsx_file *f = any_file(x);
	const struct operation *op;
	struct range r;

	do {
		n = below(x, all);
		op = n < fsx_n_ops ? &fsx_ops[n] : &fsx_maps[n - fsx_n_ops];
	} while (op->alone && !x->alone);
	x->log[x->operation % LOG][0] = 0;
	say(x, "%s %s ", op->name, f->name);
	errno = 0;
	op->run(x, f);
	counts[n]++;
	if (status(f->fd).st_size != f->size)
		wrong(x, "size is not %#llx", (unsigned long long)f->size);
	r = any_range(x);
	check(x, f, r);
	compare(x, f, f->map + r.from, clip(f, r));
}

static int run(struct fsx *x)
{
	double start = now();

	x->random = x->seed;
	x->buffer = malloc(LENGTH + PAGE);
	must(x, x->buffer);
	for (unsigned int i = 0; i < (x->alone ? FILES : 1); i++) {
		struct fsx_file *f = &x->files[i];

		if (x->alone)
			snprintf(f->name, sizeof(f->name), "%llu.%c",
				 (unsigned long long)x->seed, 'a' + i);
		else
			strcpy(f->name, "shared");
		f->model = mmap(NULL, SPAN + PAGE, RW,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
				0);
		must(x, f->model != MAP_FAILED);
		fsx_open(x, f);
		f->size = status(f->fd).st_size;
	}
	for (; x->operation < most; x->operation++) {
		if (x->operation >= LEAST && now() - start > seconds)
			break;
		step(x);
	}
	for (unsigned int i = 0; i < (x->alone ? FILES : 1); i++)
		check_all(x, &x->files[i]);
	note("seed %llu: %llu operations", (unsigned long long)x->seed,
	     (unsigned long long)x->operation);
	return 0;
}

static void run_all(bool alone)
{
	unsigned int all = fsx_n_ops + fsx_n_maps, never = 0;
	pid_t pids[processes];

	memset(counts, 0, all * sizeof(*counts));
	if (!alone)
		close(file("shared", 0, SPAN));
	for (unsigned int i = 0; i < processes; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			struct fsx x = { .seed = first_seed + i,
					 .slice = alone ? 0 : i,
					 .slices = alone ? 1 : processes,
					 .alone = alone };

			prctl(PR_SET_PDEATHSIG, SIGKILL);
			_exit(run(&x));
		}
	}
	for (unsigned int i = 0; i < processes; i++)
		is(reap(pids[i]), 0, "%s, process %u, seed %llu",
		   alone ? "files of its own" : "ranges of one file", i,
		   (unsigned long long)first_seed + i);
	if (most < LEAST)
		return;
	for (unsigned int n = 0; n < all; n++)
		never += !counts[n] &&
			 (alone ||
			  !(n < fsx_n_ops ? fsx_ops[n].alone :
					    fsx_maps[n - fsx_n_ops].alone));
	is(never, 0, "no operation was left out");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 'S' },
		{ "seconds", required_argument, NULL, 's' },
		{ "operations", required_argument, NULL, 'n' },
		{ "processes", required_argument, NULL, 'p' },
		{ "mode", required_argument, NULL, 'm' },
		{ "old", no_argument, NULL, 'o' },
		{ 0 },
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "S:s:n:p:m:o", options, NULL)) !=
	       -1) {
		if (opt == 'S')
			first_seed = strtoull(optarg, NULL, 0);
		else if (opt == 's')
			seconds = strtod(optarg, NULL);
		else if (opt == 'n')
			most = strtoull(optarg, NULL, 0), seconds = HUGE_VAL;
		else if (opt == 'p')
			processes = strtoul(optarg, NULL, 0);
		else if (opt == 'm')
			mode = optarg;
		else if (opt != 'o')
			bail("usage: %s [--seed N] [--seconds N] [--operations N] [--processes N] [--mode files|ranges] [DIRECTORY]",
			     argv[0]);
	}
	if (!processes || processes > WINDOW / PAGE)
		bail("not with %u processes", processes);
	fs_enter(argv[optind]);
	counts = shared((fsx_n_ops + fsx_n_maps) * sizeof(*counts));
	if (!mode || !strcmp(mode, "files"))
		run_all(true);
	if (!mode || !strcmp(mode, "ranges"))
		run_all(false);
	return fs_done();
}

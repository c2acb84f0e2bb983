// SPDX-License-Identifier: GPL-2.0-only
/* Interleaved rounds, and the small helpers of bench.h. */
#include "bench.h"

#include <sched.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const char *benchmark_name;

double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

/*
 * On a terminal one line that is written over, with how long it still takes; a
 * line for each quarter elsewhere.
 */
void progress(const char *what, double part)
{
	static double start, shown;
	static int quarter;
	double now = seconds();

	if (!start) {
		start = now;
		quarter = 0;
	}
	if (isatty(STDERR_FILENO)) {
		if (part < 1 && now - shown < 0.2)
			return;
		shown = now;
		fprintf(stderr, "\r%-28s [%-20.*s] %3.0f %%", what,
			(int)(part * 20), "####################", part * 100);
		if (part >= 1)
			fprintf(stderr, ", took %.0f s    \n", now - start);
		else if (part > 0)
			fprintf(stderr, ", %.0f s left   ",
				(now - start) / part * (1 - part));
	} else if (part * 4 >= quarter + 1) {
		quarter = part * 4;
		fprintf(stderr, "%s: %.0f %%, %.0f s\n", what, part * 100,
			now - start);
	}
	if (part >= 1)
		start = 0;
}

static void shuffle(int *order, int n)
{
	for (int i = 0; i < n; i++) {
		int other = rand() % (i + 1);

		order[i] = order[other];
		order[other] = i;
	}
}

/*
 * In another order each round: what comes after one that flushes the TLB, or has
 * filled the caches, pays for it.
 */
void rounds_run(const struct step *steps, int n, int rounds)
{
	int *order = calloc(n, sizeof(*order));

	if (!order)
		die("out of memory");
	for (int round = -1; round < rounds; round++) {
		series_ignore(round < 0);
		shuffle(order, n);
		for (int i = 0; i < n; i++) {
			const struct step *step = &steps[order[i]];
			double value = step->run(step->with);

			if (value >= 0)
				series_add(step->to, value);
			progress(benchmark_name, ((round + 1.0) * n + i + 1) /
							 ((rounds + 1.0) * n));
		}
	}
	free(order);
}

void child_wait(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		die("waitpid: %s", strerror(errno));
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		die("a process of the benchmark ended with status %#x", status);
}

void pin_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("cannot run on processor %d: %s", cpu, strerror(errno));
}

long long number_in(const char *file, const char *key)
{
	FILE *f = fopen(file, "re");
	long long value = -1;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key))) {
			char *end, *at = line + strlen(key);

			at += strspn(at, ": \t");
			value = strtoll(at, &end, 10);
			if (end == at)
				value = -1;
			break;
		}
	if (f)
		fclose(f);
	return value;
}

int device(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = morsel_device_open();
	if (fd < 0)
		die("%s: %s (is the module loaded?)", MORSEL_DEVICE,
		    strerror(-fd));
	return fd;
}

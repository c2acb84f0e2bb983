// SPDX-License-Identifier: GPL-2.0-only
/*
 * Results; see bench.h.  They are kept whole: each sample is written, and who
 * reads them (bench/report) makes of them what it wants.
 *
 * The document, all numbers in the unit that its series names:
 *
 *   { "format": 1, "benchmark": NAME, "quick": false, "date": ISO 8601,
 *     "machine": { "kernel", "cmdline", "cpu", "cpus", "nodes", "memory",
 *                  "hypervisor", "pti", "levels", "morsel" },
 *     "options": { "rounds", ... },
 *     "missing": [ { "peer", "why" } ],
 *     "series": [ { "metric", "unit", "peer", "axis", "x",
 *                   "samples": [ ... ] } ] }
 */
#include "bench.h"

#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

struct series {
	struct series *next;
	const char *metric, *unit, *peer, *axis;
	double x;
	int n, room;
	double *samples;
};

static struct series *first, **last = &first;
static struct json_object *missing, *chosen;
static bool ignore;

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

struct series *series(const char *metric, const char *unit, const char *peer,
		      const char *axis, double x)
{
	struct series *s;

	for (s = first; s; s = s->next)
		if (same(s->metric, metric) && same(s->peer, peer) &&
		    same(s->axis, axis) && s->x == x)
			return s;
	s = calloc(1, sizeof(*s));
	if (!s)
		die("out of memory");
	s->metric = metric;
	s->unit = unit;
	s->peer = peer;
	s->axis = axis;
	s->x = x;
	*last = s;
	last = &s->next;
	return s;
}

void series_add(struct series *s, double value)
{
	if (ignore)
		return;
	if (s->n == s->room) {
		s->room = s->room ? 2 * s->room : 64;
		s->samples = realloc(s->samples, s->room * sizeof(double));
		if (!s->samples)
			die("out of memory");
	}
	s->samples[s->n++] = value;
}

void series_ignore(bool on)
{
	ignore = on;
}

void result_option(const char *key, int64_t value)
{
	if (!chosen)
		chosen = json_object_new_object();
	json_object_object_add(chosen, key, json_object_new_int64(value));
}

void result_missing(const char *peer, const char *why)
{
	struct json_object *one, *old;

	if (!missing)
		missing = json_object_new_array();
	for (size_t i = 0; i < json_object_array_length(missing); i++) {
		old = json_object_array_get_idx(missing, i);
		if (same(json_object_get_string(
				 json_object_object_get(old, "peer")),
			 peer))
			return;
	}
	fprintf(stderr, "morsel-bench: without %s: %s\n", peer, why);
	one = json_object_new_object();
	json_object_object_add(one, "peer", json_object_new_string(peer));
	json_object_object_add(one, "why", json_object_new_string(why));
	json_object_array_add(missing, one);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double quantile(const double *sorted, int n, double q)
{
	return sorted[(int)(q * (n - 1) + 0.5)];
}

void result_print(void)
{
	const struct series *before = NULL;

	for (const struct series *s = first; s; s = s->next) {
		double scale = same(s->unit, "s") ? 1e3 : 1, *sorted;

		if (!s->n)
			continue;
		if (!before || !same(before->metric, s->metric))
			printf("\n%s; %s, median [p10 p90] of %d\n", s->metric,
			       scale == 1 ? s->unit : "ms", s->n);
		before = s;
		sorted = malloc(s->n * sizeof(*sorted));
		if (!sorted)
			die("out of memory");
		memcpy(sorted, s->samples, s->n * sizeof(*sorted));
		qsort(sorted, s->n, sizeof(*sorted), compare);
		printf("  %-28s", s->peer);
		if (s->axis)
			printf(" %8.0f %-10s", s->x, s->axis);
		printf(" %11.3f [%10.3f %10.3f]\n",
		       quantile(sorted, s->n, 0.5) * scale,
		       quantile(sorted, s->n, 0.1) * scale,
		       quantile(sorted, s->n, 0.9) * scale);
		free(sorted);
	}
}

static void add_string(struct json_object *to, const char *key, const char *s)
{
	json_object_object_add(to, key, s ? json_object_new_string(s) : NULL);
}

static void add_int(struct json_object *to, const char *key, int64_t value)
{
	json_object_object_add(to, key, json_object_new_int64(value));
}

/* What follows @key in @file, up to the end of the line; NULL: not there. */
static char *line_of(const char *file, const char *key)
{
	static char line[4096];
	FILE *f = fopen(file, "re");
	char *at = NULL;

	while (f && !at && fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, strlen(key)))
			continue;
		at = line + strlen(key);
		at += strspn(at, " \t:");
		at[strcspn(at, "\n")] = 0;
	}
	if (f)
		fclose(f);
	return at;
}

static bool has_word(const char *line, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = line; at && (at = strstr(at, word)); at += n)
		if ((at == line || at[-1] == ' ') && (!at[n] || at[n] == ' '))
			return true;
	return false;
}

static int nodes(void)
{
	char name[64];
	int n = 0;

	do {
		snprintf(name, sizeof(name), "/sys/devices/system/node/node%d",
			 n);
	} while (!access(name, F_OK) && ++n < 64);
	return n;
}

static struct json_object *machine(void)
{
	struct json_object *m = json_object_new_object();
	struct utsname u;
	struct sysinfo info;
	char *flags;

	uname(&u);
	sysinfo(&info);
	add_string(m, "kernel", u.release);
	add_string(m, "build", u.version);
	add_string(m, "cmdline", line_of("/proc/cmdline", ""));
	add_string(m, "cpu", line_of("/proc/cpuinfo", "model name"));
	add_int(m, "cpus", sysconf(_SC_NPROCESSORS_ONLN));
	add_int(m, "nodes", nodes());
	add_int(m, "memory", (int64_t)info.totalram * info.mem_unit);
	flags = line_of("/proc/cpuinfo", "flags");
	json_object_object_add(m, "pti",
			       json_object_new_boolean(has_word(flags, "pti")));
	add_int(m, "levels", has_word(flags, "la57") ? 5 : 4);
	json_object_object_add(
		m, "hypervisor",
		json_object_new_boolean(has_word(flags, "hypervisor")));
	add_string(m, "morsel", line_of("/sys/module/morsel/version", ""));
	return m;
}

static struct json_object *all_series(void)
{
	struct json_object *all = json_object_new_array();

	for (const struct series *s = first; s; s = s->next) {
		struct json_object *one = json_object_new_object(),
				   *samples = json_object_new_array();

		add_string(one, "metric", s->metric);
		add_string(one, "unit", s->unit);
		add_string(one, "peer", s->peer);
		add_string(one, "axis", s->axis);
		json_object_object_add(one, "x",
				       s->axis ? json_object_new_double(s->x) :
						 NULL);
		for (int i = 0; i < s->n; i++)
			json_object_array_add(
				samples, json_object_new_double(s->samples[i]));
		json_object_object_add(one, "samples", samples);
		json_object_array_add(all, one);
	}
	return all;
}

void result_write(const char *name, const struct options *o, FILE *to)
{
	struct json_object *all = json_object_new_object();
	char date[32];
	time_t now = time(NULL);

	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
	add_int(all, "format", 1);
	add_string(all, "benchmark", name);
	json_object_object_add(all, "quick", json_object_new_boolean(o->quick));
	add_string(all, "date", date);
	json_object_object_add(all, "machine", machine());
	result_option("rounds", o->rounds);
	result_option("cpus", o->cpus);
	json_object_object_add(all, "options", chosen);
	json_object_object_add(all, "missing",
			       missing ? missing : json_object_new_array());
	json_object_object_add(all, "series", all_series());
	fprintf(to, "%s\n",
		json_object_to_json_string_ext(all, JSON_C_TO_STRING_PLAIN));
	json_object_put(all);
	missing = NULL;
	chosen = NULL;
	if (fflush(to))
		die("cannot write the results: %s", strerror(errno));
}

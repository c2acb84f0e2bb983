// SPDX-License-Identifier: GPL-2.0-only
/*
 * A model loads: processes that each map its weights, an object of GiBs that is in
 * memory already, and walk it.  Two times for each: until every page is mapped
 * (a peer's quickest way, MAP_POPULATE; of a morsel the first touch maps all), and
 * until a byte of every page was read.
 */
#include "memory.h"
#include "servant.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct object {
	const struct memory *memory;
	int fd;
	size_t size;
};

static double map_all(void *with)
{
	struct object *m = with;
	bool one_entry = m->memory == &memory_morsel3;
	double start = seconds();
	char *p = memory_map(m->memory, m->fd, m->size, PROT_READ,
			     one_entry ? 0 : MAP_POPULATE);
	if (one_entry)
		memory_read(p, PAGE, PAGE);
	start = seconds() - start;
	memory_unmap(m->memory, p, m->size);
	return start;
}

static double walk(void *with)
{
	struct object *m = with;
	double start = seconds();
	char *p = memory_map(m->memory, m->fd, m->size, PROT_READ, 0);
	memory_read(p, m->size, PAGE);
	start = seconds() - start;
	memory_unmap(m->memory, p, m->size);
	return start;
}

/* One after the other in processes of their own, as model servers start. */
static void processes(struct object *m, int n, const char *metric,
		      double (*use)(void *))
{
	struct series *s = series(metric, "s", m->memory->name, "processes", n);
	struct servant *all = calloc(n, sizeof(*all));
	double sum = 0;

	if (!all)
		die("out of memory");
	for (int i = 0; i < n; i++) {
		all[i] = servant_start(NULL, use, m);
		sum += servant_ask(&all[i]);
	}
	for (int i = 0; i < n; i++)
		servant_stop(&all[i]);
	series_add(s, sum);
	free(all);
}

/* The weights: of a file that was given, or made up. */
static void load(struct object *m, const struct options *o)
{
	int from = o->file ? open(o->file, O_RDONLY | O_CLOEXEC) : -1;
	char *p = memory_map(m->memory, m->fd, m->size, RW, 0);

	if (from < 0)
		memory_write(p, m->size, PAGE);
	for (size_t at = 0; from >= 0 && at < m->size;) {
		ssize_t n = pread(from, p + at, m->size - at, at);

		if (n <= 0)
			die("%s: %s", o->file,
			    n ? strerror(errno) : "shorter than it was");
		at += n;
	}
	if (from >= 0)
		close(from);
	memory_unmap(m->memory, p, m->size);
}

static size_t model_size(const struct options *o)
{
	struct stat st;

	if (!o->file)
		return o->quick ? 16 * MIB : 4 * GIB;
	if (stat(o->file, &st))
		die("%s: %s", o->file, strerror(errno));
	return (st.st_size + PAGE - 1) & ~(PAGE - 1);
}

static void run(const struct options *o)
{
	static const struct memory *const kinds[] = {
		&memory_morsel3,
		&memory_file,
		&memory_tmpfs,
	};
	struct object objects[ARRAY_SIZE(kinds)];
	int n = 0, most = o->quick ? 1 : 100;
	size_t size = model_size(o);

	result_option("model bytes", size);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!memory_there(kinds[i]))
			continue;
		objects[n] =
			(struct object){ .memory = kinds[i], .size = size };
		objects[n].fd = memory_open(kinds[i], objects[n].size);
		load(&objects[n], o);
		n++;
	}
	for (int round = 0; round < o->rounds; round++)
		for (int many = 1; many <= most; many *= 10) {
			/* A hundred tell enough by themselves. */
			if (round && many > 10)
				continue;
			for (int i = 0; i < n; i++) {
				processes(&objects[i], many,
					  "time until every page is mapped",
					  map_all);
				if (many < 100)
					processes(
						&objects[i], many,
						"time to a byte of every page",
						walk);
			}
			progress(benchmark_name, (round + 1.0) / o->rounds);
		}
	for (int i = 0; i < n; i++)
		memory_close(objects[i].fd);
}

const struct benchmark benchmark_model = {
	.name = "model",
	.what = "processes that map and walk a model of 4 GiB",
	.run = run,
	.rounds = 5,
};

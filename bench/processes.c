// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many processes that each attach the same populated object and read a word of
 * every page of it: page-table memory in total, as the kernel counts it, and the
 * time that each process takes.  All of them stay until the last has come.
 */
#include "memory.h"
#include "servant.h"

struct object {
	const struct memory *memory; /* NULL: there is none */
	int fd;
	size_t size;
};

static double attach(void *with)
{
	const struct object *m = with;
	double start = seconds();
	char *p;

	if (m->memory) {
		p = memory_map(m->memory, m->fd, m->size, PROT_READ, 0);
		memory_read(p, m->size, PAGE);
	}
	return seconds() - start;
}

static double tables(void)
{
	return number_in("/proc/meminfo", "PageTables") * (double)KIB;
}

static void grow(const struct memory *memory, const struct options *o)
{
	struct object m = { memory, -1, o->quick ? 4 * MIB : GIB };
	int most = o->quick ? 10 : 1000, next = 1;
	struct servant *all = calloc(most, sizeof(*all));
	struct series *time;
	double before = tables();
	const char *name = memory ? memory->name : "no object";

	if (!all)
		die("out of memory");
	if (memory)
		m.fd = memory_filled(memory, m.size);
	time = series("time per process", "s", name, NULL, 0);
	for (int n = 0; n < most; n++) {
		all[n] = servant_start(NULL, attach, &m);
		series_add(time, servant_ask(&all[n]));
		progress(name, (n + 1.0) / most);
		if (n + 1 != next)
			continue;
		series_add(series("page-table memory", "bytes", name,
				  "processes", next),
			   tables() - before);
		next *= 10;
	}
	for (int n = 0; n < most; n++)
		servant_stop(&all[n]);
	if (memory)
		memory_close(m.fd);
	free(all);
}

static void run(const struct options *o)
{
	result_option("bytes", o->quick ? 4 * MIB : GIB);
	grow(NULL, o);
	grow(&memory_morsel, o);
	grow(&memory_shm, o);
}

const struct benchmark benchmark_processes = {
	.name = "processes",
	.what = "page-table memory and time of 1 to 1000 processes",
	.run = run,
	.rounds = 1,
};

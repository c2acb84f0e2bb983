// SPDX-License-Identifier: GPL-2.0-only
/*
 * How costs of a morsel grow, and with what: attaching with the order and with
 * the processes that have it attached already, detaching with the processors that
 * run the process, population with the order, tables with density.
 */
#include "memory.h"
#include "servant.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define PAGES 512ul /* one full page-table page */

static int create(unsigned int order)
{
	int fd = morsel_create(device(), order, 0600, MORSEL_CREATE_EPHEMERAL,
			       NULL);

	if (fd < 0 && fd != -EOPNOTSUPP)
		die("create: %s", strerror(-fd));
	return fd;
}

static char *map(int fd, int prot)
{
	void *p;
	int err = morsel_map(fd, NULL, prot, 0, &p);

	if (err)
		die("map: %s", strerror(-err));
	return p;
}

/* Attach: map, touch one page, unmap. */

struct object {
	int fd;
	unsigned int order;
};

static double attach(void *with)
{
	const struct object *m = with;
	double start = seconds();
	char *p = map(m->fd, PROT_READ);

	memory_read(p, PAGE, PAGE);
	morsel_unmap(p, m->order);
	return seconds() - start;
}

static void attach_against_order(const struct options *o)
{
	struct object objects[MORSEL_ORDER_MAX + 1];
	struct step steps[MORSEL_ORDER_MAX + 1];
	int n = 0;

	for (unsigned int order = 0; order <= MORSEL_ORDER_MAX; order++) {
		int fd = create(order);

		if (fd < 0)
			continue;
		objects[n] = (struct object){ fd, order };
		steps[n] = (struct step){
			attach,
			&objects[n],
			series("attach against order", "s", "morsel", "order",
			       order),
		};
		n++;
	}
	rounds_run(steps, n, o->rounds * 10);
	for (int i = 0; i < n; i++)
		close(objects[i].fd);
}

/* The same with others that have it attached. */

static void attached(void *with)
{
	const struct object *m = with;

	memory_read(map(m->fd, PROT_READ), PAGE, PAGE);
}

static double nothing(void *with)
{
	(void)with;
	return 0;
}

static void attach_against_processes(const struct options *o)
{
	int most = o->quick ? 4 : 256, have = 0;
	struct object m = { create(2), 2 };
	struct servant *others = calloc(most, sizeof(*others));

	if (!others)
		die("out of memory");
	for (int processes = 1; processes <= most; processes *= 4) {
		struct step step = {
			attach,
			&m,
			series("attach against processes", "s", "morsel",
			       "processes", processes),
		};

		while (have < processes)
			others[have++] = servant_start(attached, nothing, &m);
		rounds_run(&step, 1, o->rounds * 10);
	}
	while (have > 0)
		servant_stop(&others[--have]);
	free(others);
	close(m.fd);
}

/* Detach while other threads of the process run, each on its own processor. */

static atomic_bool spinning;

static void *spin(void *with)
{
	pin_to(*(int *)with);
	while (atomic_load_explicit(&spinning, memory_order_relaxed))
		;
	return NULL;
}

static double detach(void *with)
{
	const struct object *m = with;
	char *p = map(m->fd, RW);
	double start;

	memory_write(p, PAGE, PAGE);
	start = seconds();
	morsel_unmap(p, m->order);
	return seconds() - start;
}

static void detach_against_processors(const struct options *o)
{
	struct object m = { create(2), 2 };
	pthread_t threads[8];
	int cpus[8];

	pin_to(0);
	for (int n = 1; n <= 8 && n <= o->cpus; n *= 2) {
		struct step step = {
			detach,
			&m,
			series("detach against processors", "s", "morsel",
			       "processors", n),
		};

		atomic_store(&spinning, true);
		for (int i = 1; i < n; i++) {
			cpus[i] = i;
			errno = pthread_create(&threads[i], NULL, spin,
					       &cpus[i]);
			if (errno)
				die("pthread_create: %s", strerror(errno));
		}
		rounds_run(&step, 1, o->rounds * 2);
		atomic_store(&spinning, false);
		for (int i = 1; i < n; i++)
			pthread_join(threads[i], NULL);
	}
	close(m.fd);
}

/* A page-table page of faults. */
static double populate(void *with)
{
	const struct object *m = with;
	int fd = create(m->order);
	char *p = map(fd, RW);
	double start = seconds();

	memory_write(p, PAGES * PAGE, PAGE);
	start = seconds() - start;
	morsel_unmap(p, m->order);
	close(fd);
	return start;
}

static void population_against_order(const struct options *o)
{
	struct object objects[MORSEL_ORDER_MAX + 1];
	struct step steps[MORSEL_ORDER_MAX + 1];
	int n = 0;

	for (unsigned int order = 1; order <= MORSEL_ORDER_MAX; order++) {
		int fd = create(order);

		if (fd < 0)
			continue;
		close(fd);
		objects[n] = (struct object){ 0, order };
		steps[n] = (struct step){
			populate,
			&objects[n],
			series("population against order", "s", "morsel",
			       "order", order),
		};
		n++;
	}
	rounds_run(steps, n, o->rounds * 3);
}

/* The same number of pages, spread over more and more of the object. */
static void tables_against_density(void)
{
	for (size_t stride = 1; stride * PAGES <= 1ul << 18; stride *= 2) {
		struct morsel_info info;
		int fd = create(2), err;
		char *p = map(fd, RW);

		memory_write(p, PAGES * stride * PAGE, stride * PAGE);
		err = morsel_info(fd, &info);
		if (err)
			die("info: %s", strerror(-err));
		series_add(series("tables against density", "bytes", "morsel",
				  "pages from one to the next", stride),
			   (double)info.table_frames * PAGE);
		morsel_unmap(p, 2);
		close(fd);
	}
}

static void run(const struct options *o)
{
	attach_against_order(o);
	attach_against_processes(o);
	detach_against_processors(o);
	population_against_order(o);
	tables_against_density();
}

const struct benchmark benchmark_growth = {
	.name = "growth",
	.what = "costs against order, processes, processors and density",
	.run = run,
	.rounds = 20,
};

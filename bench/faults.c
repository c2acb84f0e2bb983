// SPDX-License-Identifier: GPL-2.0-only
/*
 * Population by page faults (thesis, figure 5.1): threads that each write to
 * every page of a slice of their own, of memory that is new.  The time is from
 * the moment all of them are ready to the end of the last.
 */
#include "memory.h"

#include <linux/mempolicy.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOST_THREADS 64
#define SLICE (2 * MIB) /* of threads that share a page table none */

struct run {
	const struct memory *memory;
	size_t size;
	int threads;
	bool interleave; /* among the nodes, page by page */
};

struct worker {
	pthread_t thread;
	pthread_barrier_t *start;
	const struct run *run;
	char *p;
	int cpu;
	double begun, done;
};

static void interleave(bool on)
{
	unsigned long mask = ~0ul;

	/* The kernel takes of the mask what nodes there are. */
	if (syscall(SYS_set_mempolicy, on ? MPOL_INTERLEAVE : MPOL_DEFAULT,
		    on ? &mask : NULL, on ? 8 * sizeof(mask) : 0))
		die("set_mempolicy: %s", strerror(errno));
}

static void *work(void *arg)
{
	struct worker *w = arg;
	const struct run *r = w->run;

	pin_to(w->cpu);
	interleave(r->interleave);
	pthread_barrier_wait(w->start);
	w->begun = seconds();
	memory_write(w->p, r->size / r->threads, r->memory->page);
	w->done = seconds();
	return NULL;
}

static double populate(void *with)
{
	const struct run *r = with;
	int fd = memory_open(r->memory, r->size), n = r->threads;
	char *p = memory_map(r->memory, fd, r->size, RW, 0);
	struct worker workers[MOST_THREADS];
	pthread_barrier_t start;
	double begun, done;

	pthread_barrier_init(&start, NULL, n);
	for (int i = 0; i < n; i++) {
		workers[i] = (struct worker){
			.start = &start,
			.run = r,
			.p = p + r->size / n * i,
			.cpu = i,
		};
		errno = pthread_create(&workers[i].thread, NULL, work,
				       &workers[i]);
		if (errno)
			die("pthread_create: %s", strerror(errno));
	}
	for (int i = 0; i < n; i++)
		pthread_join(workers[i].thread, NULL);
	begun = workers[0].begun;
	done = workers[0].done;
	for (int i = 1; i < n; i++) {
		if (workers[i].begun < begun)
			begun = workers[i].begun;
		if (workers[i].done > done)
			done = workers[i].done;
	}
	pthread_barrier_destroy(&start);
	memory_unmap(r->memory, p, r->size);
	memory_close(fd);
	return done - begun;
}

static const struct memory *const kinds[] = {
	&memory_morsel,		&memory_morsel3,      &memory_anonymous,
	&memory_memfd,		&memory_tmpfs,	      &memory_private,
	&memory_tmpfs_huge,	&memory_private_huge, &memory_hugetlb,
	&memory_anonymous_huge,	&memory_morsel_sequential,
};

static void run(const struct options *o)
{
	static struct run runs[ARRAY_SIZE(kinds) * MOST_THREADS * 2];
	static struct step steps[ARRAY_SIZE(runs)];
	int n = 0, two_nodes = !access("/sys/devices/system/node/node1", F_OK);
	size_t size = o->quick ? 8 * MIB : 256 * MIB;

	result_option("bytes", size);
	for (int threads = 1; threads <= o->cpus && threads <= MOST_THREADS;
	     threads *= 2)
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
			if (!memory_there(kinds[i]))
				continue;
			for (int spread = 0; spread <= two_nodes; spread++) {
				runs[n] = (struct run){
					kinds[i],
					size / (threads * SLICE) * threads *
						SLICE,
					threads,
					spread,
				};
				steps[n] = (struct step){
					populate,
					&runs[n],
					series(spread ?
						       "population by faults, interleaved" :
						       "population by faults",
					       "s", kinds[i]->name, "threads",
					       threads),
				};
				n++;
			}
		}
	rounds_run(steps, n, o->rounds);
}

const struct benchmark benchmark_faults = {
	.name = "faults",
	.what = "population by page faults, 1 to n threads",
	.run = run,
	.rounds = 9,
};

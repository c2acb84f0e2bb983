// SPDX-License-Identifier: GPL-2.0-only
/*
 * fork() of a process that has a populated object mapped: the time until it
 * returns in the parent.
 */
#include "memory.h"
#include "servant.h"

#include <sys/wait.h>
#include <unistd.h>

struct run {
	const struct memory *memory;
	size_t size;
	struct servant servant;
};

static void fill(void *with)
{
	const struct run *r = with;
	int fd = memory_open(r->memory, r->size);
	char *p = memory_map(r->memory, fd, r->size, RW, 0);

	memory_write(p, r->size, PAGE);
}

static double fork_once(void *with)
{
	double start = seconds();
	pid_t pid = fork();

	(void)with;
	if (!pid)
		_exit(0);
	start = seconds() - start;
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		return -1;
	return start;
}

static double ask(void *with)
{
	double took = servant_ask(&((struct run *)with)->servant);

	if (took < 0)
		die("fork of a process with a mapping failed");
	return took;
}

static const struct memory *const kinds[] = {
	&memory_morsel,
	&memory_private,
	&memory_private_huge,
	&memory_anonymous,
};

/* In pairs, so that what has to be in memory at a time is twice the size. */
static void pair(const struct options *o, const struct memory *peer,
		 size_t size)
{
	struct run runs[2] = { { .memory = &memory_morsel, .size = size },
			       { .memory = peer, .size = size } };
	struct step steps[2];

	for (int i = 0; i < 2; i++) {
		runs[i].servant = servant_start(fill, fork_once, &runs[i]);
		steps[i] = (struct step){
			ask,
			&runs[i],
			series("fork", "s", runs[i].memory->name, "bytes",
			       size),
		};
	}
	rounds_run(steps, 2, o->rounds);
	for (int i = 0; i < 2; i++)
		servant_stop(&runs[i].servant);
}

static void run(const struct options *o)
{
	size_t largest = o->quick ? 4 * MIB : 8 * GIB;

	for (size_t size = 4 * MIB; size <= largest;
	     size *= size < 4 * GIB ? 4 : 2)
		for (size_t i = 1; i < ARRAY_SIZE(kinds); i++)
			pair(o, kinds[i], size);
}

const struct benchmark benchmark_fork = {
	.name = "fork",
	.what = "fork of a process with up to 8 GiB mapped",
	.run = run,
	.rounds = 15,
};

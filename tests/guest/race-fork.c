// SPDX-License-Identifier: GPL-2.0-only
/*
 * fork against populate: children are made while a thread of the parent and
 * another process populate, and two threads of each child are the first to
 * touch its copy.
 */
#include "race.h"

#include <pthread.h>

struct copy {
	struct arena *a;
	char *p;
	int failed;
};

static void *check_some(void *arg)
{
	struct copy *copy = arg;

	for (int i = 0; i < 8; i++)
		if (check_one(copy->a, copy->p)) {
			copy->failed = 1;
			return NULL;
		}
	word(copy->p, spread(copy->a->order, random64() % N, N))[3] = 1;
	return NULL;
}

static void *check_some_beside(void *arg)
{
	run_on(1);
	return check_some(arg);
}

static int check_copy(void *arg)
{
	struct copy *mine = arg, other = *mine;
	pthread_t thread;

	need(!pthread_create(&thread, NULL, check_some_beside,
			     &other));
	check_some(mine);
	pthread_join(thread, NULL);
	return mine->failed || other.failed;
}

static int fork_one(struct arena *a, char *p)
{
	struct copy copy = { a, p, 0 };

	need(reap(spawn(check_copy, &copy)) == 0);
	return check_one(a, p);
}

static const struct race race = {
	.name = "fork",
	.change = fork_one,
	.thread = check_and_populate,
	.peer = check_and_populate,
};

int main(int argc, char **argv)
{
	return race_main(argc, argv, &race);
}

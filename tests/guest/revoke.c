// SPDX-License-Identifier: GPL-2.0-only
/*
 * Once mprotect or munmap has returned, no thread on any CPU still has the
 * old rights.
 */
#include "guest.h"

#include <pthread.h>

#define ROUNDS 5

struct user {
	char *p;
	enum access how;
	atomic_ulong uses;
	atomic_int sig, stop;
};

/* Uses the page as fast as it can until that faults. */
static void *use(void *arg)
{
	struct user *u = arg;
	int sig;

	while (!(sig = probe(u->p, u->how)) && !u->stop)
		u->uses++;
	u->sig = sig;
	return NULL;
}

/*
 * Uses of the page after @size bytes of rights became @prot (-1: munmap);
 * expected none.
 */
static int late_uses(char *p, size_t size, enum access how, int prot)
{
	struct user u = { .p = p, .how = how };
	unsigned long at_return;
	pthread_t thread;
	int late;

	pthread_create(&thread, NULL, use, &u);
	while (u.uses < 1000)
		usleep(100);
	if (prot < 0)
		munmap(p, size);
	else
		mprotect(p, size, prot);
	at_return = u.uses;
	usleep(2000);
	/* One use may have happened before, and been counted after. */
	late = u.uses > at_return + 1;
	u.stop = late;
	pthread_join(thread, NULL);
	return late;
}

static void take_away(unsigned int order)
{
	static const struct {
		const char *what;
		enum access how;
		int before, after;
	} steps[] = {
		{ "writing, by PROT_READ", WRITE, RW, R },
		{ "writing, by PROT_NONE", WRITE, RW, PROT_NONE },
		{ "reading, by PROT_NONE", READ, R, PROT_NONE },
		{ "executing, by PROT_READ", EXECUTE, RW | X, R },
		{ "writing, by PROT_READ | PROT_EXEC", WRITE, RW, R | X },
		{ "writing, by munmap", WRITE, RW, -1 },
		{ "reading, by munmap", READ, R, -1 },
	};
	int fd = create(order, NULL);
	size_t size = morsel_size(order);
	char *p = map(fd, RW);

	put_code(p);
	unmap(p, order);
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		int late = 0;

		for (int round = 0; round < ROUNDS; round++) {
			p = map(fd, steps[i].before);
			/* Of a part as well, where there are parts. */
			late += late_uses(p,
					  round % 2 && order ? size / 2 : size,
					  steps[i].how, steps[i].after);
			unmap(p, order);
		}
		is(late, 0, "order %u: no late %s", order, steps[i].what);
	}
	destroy(fd);
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	for (unsigned int order = 0; order <= max_order(); order++)
		take_away(order);
	return guest_done();
}

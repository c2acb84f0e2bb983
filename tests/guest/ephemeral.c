// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ephemeral morsels: gone with their last user, whoever that is and however
 * it ends; never before, and never twice.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "guest.h"

static int create_ephemeral(unsigned int order, uint64_t *id)
{
	int fd = morsel_create(device(), order, 0600, MORSEL_CREATE_EPHEMERAL, id);

	if (fd < 0)
		bail("create order %u: %s", order, strerror(-fd));
	return fd;
}

static bool gone(uint64_t id)
{
	int fd = morsel_open(device(), id, 0);

	if (fd >= 0)
		close(fd);
	return fd == -ENOENT;
}

static void by_close(unsigned int order)
{
	struct morsel_stats before = stats();
	uint64_t id;
	int fd = create_ephemeral(order, &id), other = select_id(id, 0);
	char *p = map(fd, RW);

	is(info(fd).flags, MORSEL_CREATE_EPHEMERAL, "order %u: INFO says so",
	   order);
	put_stamps(p, order, 64);
	close(fd);
	close(other);
	is(bad_stamps(p, order, 64), 0, "order %u: a mapping keeps it", order);
	fd = select_id(id, 0);
	unmap(p, order);
	p = map(fd, R);
	is(bad_stamps(p, order, 64), 0, "order %u: so does a descriptor", order);
	unmap(p, order);
	close(fd);
	ok(gone(id), "order %u: gone with the last of them", order);
	ok(same_stats(before, stats()), "order %u: with all its frames", order);
}

static int child_maps(void *arg)
{
	char *p = map(*(int *)arg, RW);

	put_stamps(p, 2, 64);
	close(*(int *)arg);
	for (;;)
		pause();
	return 0;
}

static void by_kill(void)
{
	struct morsel_stats before = stats();
	uint64_t id;
	int fd = create_ephemeral(2, &id), pair[2];
	pid_t pid = spawn(child_maps, &fd);

	while (info(fd).mappings != 1)
		usleep(1000);
	close(fd);
	ok(!gone(id), "a child's mapping keeps it");
	kill(pid, SIGKILL);
	reap(pid);
	ok(gone(id), "gone when the child is killed");

	fd = create_ephemeral(2, &id);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || morsel_fd_send(pair[0], fd))
		bail("socket: %s", strerror(errno));
	close(fd);
	ok(!gone(id), "a descriptor on its way keeps it");
	close(pair[0]);
	close(pair[1]);
	/* Sockets with descriptors in them are collected in the background. */
	for (int i = 0; i < 1000 && !gone(id); i++)
		usleep(1000);
	ok(gone(id), "gone with the socket");
	ok(same_stats(before, stats()), "with all frames");
}

static void destroyed(void)
{
	uint64_t id;
	int fd = create_ephemeral(1, &id);

	is(morsel_destroy(fd), 0, "destroyed before its time");
	close(fd);
	ok(gone(id), "and closed after");
}

struct race {
	atomic_int step;
	atomic_ulong id, opened;
};

/* Opens and closes whatever ID the other one has just made. */
static int opener(void *arg)
{
	struct race *r = arg;
	uint64_t id;

	while ((id = r->id) != 1) {
		int fd = id ? morsel_open(device(), id, 0) : -1;

		if (fd >= 0) {
			r->opened++;
			close(fd);
		}
	}
	return 0;
}

static void race(void)
{
	struct morsel_stats before = stats();
	struct race *r = shared(sizeof(*r));
	pid_t pids[2] = { spawn(opener, r), spawn(opener, r) };
	unsigned long n = 0;

	for (double start = now(); goes_on(start, r->opened); n++) {
		uint64_t id;
		int fd = create_ephemeral(n % 2, &id);

		r->id = id;
		if (n % 4 == 0)
			sched_yield();
		close(fd);
	}
	r->id = 1;
	ok(!reap(pids[0]) && !reap(pids[1]) && r->opened,
	   "%lu that others open while they are closed, %lu times", n, r->opened);
	ok(same_stats(before, stats()), "all are gone, once each");
	munmap(r, sizeof(*r));
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);

	for (unsigned int order = 0; order <= max_order(); order++)
		by_close(order);
	by_kill();
	destroyed();
	race();
	return done();
}

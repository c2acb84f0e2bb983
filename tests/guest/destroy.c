// SPDX-License-Identifier: GPL-2.0-only
/*
 * Destruction: refused while anyone could still use the morsel, complete when
 * it happens.
 */
#include "guest.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

struct arena {
	uint64_t id;
	int fd;
	char *p;
	atomic_int step;
};

static struct arena *arena;

static void wait_for_end(void)
{
	arena->step = 1;
	await(&arena->step, 2);
}

static int inherits(void *arg)
{
	(void)arg;
	close(arena->fd);
	need(!probe(arena->p, WRITE));
	wait_for_end();
	return 0;
}

static int inherits_descriptor(void *arg)
{
	(void)arg;
	wait_for_end();
	return 0;
}

static int opens(void *arg)
{
	(void)arg;
	close(arena->fd);
	need(select_id(arena->id, MORSEL_OPEN_RDONLY) >= 0);
	wait_for_end();
	return 0;
}

static int maps(void *arg)
{
	char *p;

	(void)arg;
	close(arena->fd);
	p = map_id(arena->id, R);
	wait_for_end();
	need(*word(p, 0) == 42);
	return 0;
}

/* Not while the child has what @fn takes, but once it has gone. */
static void while_child(int (*fn)(void *), const char *what)
{
	pid_t pid;

	arena->step = 0;
	pid = spawn(fn, NULL);
	await(&arena->step, 1);
	if (arena->p)
		unmap(arena->p, 2);
	arena->p = NULL;
	is_errno(morsel_destroy(arena->fd), EBUSY, "EBUSY: %s", what);
	arena->step = 2;
	is(reap(pid), 0, "the child is well");
}

static void start(bool mapped)
{
	char *p;

	arena->fd = create(2, &arena->id);
	p = map(arena->fd, RW);
	*word(p, 0) = 42;
	if (!mapped)
		unmap(p, 2);
	arena->p = mapped ? p : NULL;
}

static void finish(void)
{
	is(morsel_destroy(arena->fd), 0, "and then it is destroyed");
	is_errno(morsel_destroy(arena->fd), ESTALE, "ESTALE: destroy");
	is_errno(morsel_info(arena->fd, &(struct morsel_info){ 0 }), ESTALE,
		 "ESTALE: info");
	is_errno(mmap(NULL, morsel_size(2), R, MAP_SHARED, arena->fd, 0),
		 ESTALE, "ESTALE: mmap");
	is_errno(morsel_open(device(), arena->id, 0), ENOENT, "ENOENT: open");
	close(arena->fd);
}

static void busy(void)
{
	int other, pair[2];

	start(true);
	is_errno(morsel_destroy(arena->fd), EBUSY, "EBUSY: mapped");
	munmap(arena->p, morsel_size(2) - PAGE);
	is_errno(morsel_destroy(arena->fd), EBUSY, "EBUSY: one page is mapped");
	unmap(arena->p, 2);
	finish();

	start(true);
	close(arena->fd);
	arena->fd = select_id(arena->id, 0);
	is_errno(morsel_destroy(arena->fd), EBUSY,
		 "EBUSY: mapped by a closed descriptor");
	unmap(arena->p, 2);
	finish();

	start(true);
	while_child(inherits, "mapped in a child");
	finish();

	start(false);
	while_child(inherits_descriptor, "descriptor inherited");
	finish();

	start(false);
	while_child(opens, "open by ID in a child");
	finish();

	start(false);
	while_child(maps, "mapped by ID in a child");
	finish();

	start(false);
	other = select_id(arena->id, MORSEL_OPEN_RDONLY);
	is_errno(morsel_destroy(arena->fd), EBUSY, "EBUSY: open by ID here");
	close(other);
	finish();

	start(false);
	other = dup(arena->fd);
	is_errno(morsel_destroy(arena->fd), EBUSY, "EBUSY: dup");
	is_errno(morsel_destroy(other), EBUSY, "EBUSY: by the dup");
	close(other);
	finish();

	start(false);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		bail("socketpair: %s", strerror(errno));
	is(morsel_fd_send(pair[0], arena->fd), 0, "send");
	is_errno(morsel_destroy(arena->fd), EBUSY,
		 "EBUSY: on its way through a socket");
	other = morsel_fd_recv(pair[1]);
	is(info(other).id, arena->id, "received");
	is_errno(morsel_destroy(arena->fd), EBUSY, "EBUSY: received");
	close(other);
	is(morsel_fd_send(pair[0], arena->fd), 0, "send again");
	close(pair[0]);
	close(pair[1]);
	finish();
}

static void *pass_time(void *stop)
{
	await(stop, 1);
	return NULL;
}

/* With threads a system call holds the file itself; that is no other user. */
static void threaded(void)
{
	atomic_int stop = 0;
	pthread_t thread;

	pthread_create(&thread, NULL, pass_time, &stop);
	start(false);
	finish();
	stop = 1;
	pthread_join(thread, NULL);
}

static void populated(unsigned int order, uint64_t n)
{
	struct morsel_stats before = stats();
	int fd = create(order, NULL);
	char *p = map(fd, RW);

	put_stamps(p, order, n);
	unmap(p, order);
	is(stats().data_frames - before.data_frames, n, "order %u: %llu pages",
	   order, (unsigned long long)n);
	is(morsel_destroy(fd), 0, "order %u: destroy", order);
	ok(same_stats(before, stats()),
	   "order %u: frees them all and their tables", order);
	close(fd);
}

static int unload(void)
{
	int ret = syscall(SYS_delete_module, "morsel", O_NONBLOCK);

	return ret ? errno : 0;
}

static void module_stays(void)
{
	int err, dead;

	start(false);
	close(arena->fd);
	close(device());
	err = unload();
	if (dup2(morsel_device_open(), device()) < 0)
		bail("the device has gone (errno %d)", errno);
	ok(err == EBUSY || err == EAGAIN,
	   "the module stays while there is a morsel (errno %d)", err);
	arena->fd = select_id(arena->id, 0);
	finish();

	err = unload();
	ok(err == EBUSY || err == EAGAIN,
	   "and while the device is open (errno %d)", err);

	dead = create(1, NULL);
	is(morsel_destroy(dead), 0, "destroy");
	close(device());
	err = unload();
	if (dup2(morsel_device_open(), device()) < 0)
		bail("the device has gone (errno %d)", errno);
	ok(err == EBUSY || err == EAGAIN,
	   "and while a dead morsel is open (errno %d)", err);
	close(dead);
}

/* Who keeps the descriptors of dead morsels gets one file system for them all. */
static void dead_descriptors(void)
{
	enum { MANY = 200 };
	int fds[MANY], other = 0;
	struct stat first, st;
	uint64_t id;

	for (int i = 0; i < MANY; i++) {
		fds[i] = create(0, &id);
		if (morsel_destroy(fds[i]))
			bail("destroy");
		fstat(fds[i], i ? &st : &first);
		other += i && st.st_dev != first.st_dev;
	}
	is(other, 0, "%d dead morsels that are open are on one device", MANY);
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	arena = shared(sizeof(*arena));
	busy();
	threaded();
	populated(0, 1);
	populated(1, 512);
	for (unsigned int order = 2; order <= max_order(); order++)
		populated(order, opt_pages);
	dead_descriptors();
	module_stays();
	return guest_done();
}

// SPDX-License-Identifier: GPL-2.0-only
/* Locks: of a process (fcntl), of an open file (OFD, flock), leases. */
#include "fs.h"

#include <sched.h>
#include <signal.h>
#include <sys/file.h>

static int fd;
static atomic_int *step;

static struct flock range(short type, off_t from, off_t len)
{
	return (struct flock){ .l_type = type,
			       .l_whence = SEEK_SET,
			       .l_start = from,
			       .l_len = len };
}

static int set(int on, int how, short type, off_t from, off_t len)
{
	struct flock l = range(type, from, len);

	return fcntl(on, how, &l) ? errno : 0;
}

/* In another process, which the lock of its parent is in the way of. */
static int conflicts(void *arg)
{
	struct flock l = range(F_WRLCK, 0, 0);
	pid_t holder = *(pid_t *)arg;

	need(set(fd, F_SETLK, F_WRLCK, 15, 1) == EAGAIN);
	need(set(fd, F_SETLK, F_RDLCK, 15, 1) == EAGAIN);
	need(set(fd, F_SETLK, F_RDLCK, 30, 1) == 0);
	need(set(fd, F_SETLK, F_WRLCK, 30, 1) == EAGAIN);
	need(set(fd, F_SETLK, F_WRLCK, 40, 0) == 0);
	need(fcntl(fd, F_GETLK, &l) == 0);
	need(l.l_type == F_WRLCK && l.l_start == 10 && l.l_len == 10);
	need(l.l_pid == holder);
	return 0;
}

static int nothing_left(void *arg)
{
	(void)arg;
	need(set(fd, F_SETLK, F_WRLCK, 0, 0) == 0);
	return 0;
}

static int waits(void *arg)
{
	(void)arg;
	atomic_store(step, 1);
	need(set(fd, F_SETLKW, F_WRLCK, 0, 0) == 0);
	need(atomic_load(step) == 2);
	return 0;
}

static void processes(void)
{
	pid_t self = getpid(), pid;

	fd = file("locked", 0, 0);
	is(set(fd, F_SETLK, F_WRLCK, 10, 20), 0, "a range is locked");
	is(set(fd, F_SETLK, F_RDLCK, 20, 20), 0, "a part of it for reading");
	is(set(fd, F_SETLK, F_UNLCK, 40, 10), 0, "nothing is unlocked");
	is(reap(spawn(conflicts, &self)), 0, "others see just that");
	close(open("locked", O_RDONLY));
	is(reap(spawn(nothing_left, NULL)), 0,
	   "gone when any descriptor of the file is closed");
	atomic_store(step, 0);
	is(set(fd, F_SETLK, F_WRLCK, 0, 0), 0, "all is locked");
	pid = spawn(waits, NULL);
	await(step, 1);
	atomic_store(step, 2);
	set(fd, F_SETLK, F_UNLCK, 0, 0);
	is(reap(pid), 0, "who waited gets it");
	close(fd);
}

static void open_files(void)
{
	int first = file("open", 0, 0), second = file("open", 0, 0), dup_fd;

	is(set(first, F_OFD_SETLK, F_WRLCK, 0, 10), 0, "an open file's lock");
	is(set(second, F_OFD_SETLK, F_WRLCK, 5, 10), EAGAIN,
	   "is in the way of another");
	is(set(second, F_SETLK, F_WRLCK, 5, 10), EAGAIN, "and of a process");
	dup_fd = dup(first);
	close(first);
	is(set(second, F_OFD_SETLK, F_WRLCK, 5, 10), EAGAIN,
	   "also by a second descriptor");
	close(dup_fd);
	is(set(second, F_OFD_SETLK, F_WRLCK, 5, 10), 0,
	   "the last one frees it");
	close(second);
}

static int try_flock(void *how)
{
	int own = open("flock", O_RDWR);

	return flock(own, *(int *)how | LOCK_NB) ? errno : 0;
}

static void flocks(void)
{
	int own = file("flock", 0, 0), shared_lock = LOCK_SH, whole = LOCK_EX;

	is(flock(own, LOCK_SH), 0, "flock: shared");
	is(reap(spawn(try_flock, &shared_lock)), 0, "others may, too");
	is(reap(spawn(try_flock, &whole)), EAGAIN, "but not alone");
	is(flock(own, LOCK_EX), 0, "flock: alone");
	is(reap(spawn(try_flock, &shared_lock)), EAGAIN, "others may not");
	is(set(own, F_SETLK, F_WRLCK, 0, 0), 0, "fcntl is another matter");
	is(flock(own, LOCK_UN), 0, "unlocked");
	is(reap(spawn(try_flock, &whole)), 0, "others may");
	close(own);
}

static volatile sig_atomic_t broken;

static void on_break(int sig)
{
	(void)sig;
	broken = 1;
}

static int breaks(void *arg)
{
	int flags = *(int *)arg, other;

	need(open("lease", flags | O_NONBLOCK) == -1 && errno == EAGAIN);
	atomic_store(step, 1);
	other = open("lease", flags);
	need(other >= 0);
	return 0;
}

static void lease(int type, int flags, const char *name)
{
	int own = open("lease", type == F_RDLCK ? O_RDONLY : O_RDWR);
	pid_t pid;

	broken = 0;
	atomic_store(step, 0);
	is(fcntl(own, F_SETLEASE, type), 0, "%s lease", name);
	is(fcntl(own, F_GETLEASE), type, "it is one");
	pid = spawn(breaks, &flags);
	await(step, 1);
	ok(broken, "who opens the file breaks it");
	while (fcntl(own, F_GETLEASE) == type)
		sched_yield();
	is(fcntl(own, F_SETLEASE, F_UNLCK), 0, "given up");
	is(reap(pid), 0, "the other one has it open");
	close(own);
}

static void leases(void)
{
	int own = file("lease", 0, 0), second = open("lease", O_RDONLY);

	signal(SIGIO, on_break);
	is_errno(fcntl(own, F_SETLEASE, F_WRLCK), EAGAIN,
		 "no lease for writing while it is open twice");
	close(second);
	is_errno(fcntl(own, F_SETLEASE, F_RDLCK), EAGAIN,
		 "none for reading while it is open for writing");
	close(own);
	lease(F_WRLCK, O_RDONLY, "a write");
	lease(F_RDLCK, O_WRONLY, "a read");
	signal(SIGIO, SIG_DFL);
}

int main(int argc, char **argv)
{
	fs_init(argc, argv);
	step = shared(sizeof(*step));
	processes();
	open_files();
	flocks();
	leases();
	return fs_done();
}

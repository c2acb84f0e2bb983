// SPDX-License-Identifier: GPL-2.0-only
/*
 * An ephemeral morsel: nobody has to destroy it.  A producer fills one, sends
 * its descriptor and exits; for a while only the message on its way keeps the
 * morsel alive.  A consumer maps it and is killed, and with that it is gone.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "morsel.h"

static const char text[] = "Whoever reads this last turns off the light.";

static uint64_t producer(int dev, int sock)
{
	uint64_t id;
	void *map;
	int fd;

	fd = check(morsel_create(dev, 1, 0600, MORSEL_CREATE_EPHEMERAL, &id),
		   "create");
	check(morsel_map(fd, NULL, PROT_READ | PROT_WRITE, 0, &map), "map");
	strcpy(map, text);
	check(morsel_fd_send(sock, fd), "send");
	printf("producer %d: sent a descriptor, and exits\n", getpid());
	return id;
}

static void consumer(int sock)
{
	int fd = check(morsel_fd_recv(sock), "receive");
	void *map;

	check(morsel_map(fd, NULL, PROT_READ, 0, &map), "map");
	/* The mapping is now all that there is of it. */
	close(fd);
	printf("consumer %d: reads \"%.60s\"\n", getpid(), (const char *)map);
	fflush(stdout);
	if (!strcmp(map, text))
		kill(getpid(), SIGKILL);
}

/* A child's status; what it printed is written out before anybody forks. */
static int end_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) < 0)
		err(EXIT_FAILURE, "waitpid");
	return status;
}

static pid_t start(void)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		err(EXIT_FAILURE, "fork");
	return pid;
}

int main(void)
{
	int dev, fd, status, socks[2], ids[2];
	uint64_t id;
	pid_t pid;

	dev = check(morsel_device_open(), MORSEL_DEVICE);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socks) ||
	    pipe(ids))
		err(EXIT_FAILURE, "socketpair, pipe");

	pid = start();
	if (pid == 0) {
		id = producer(dev, socks[0]);
		exit(write(ids[1], &id, sizeof(id)) != sizeof(id));
	}
	if (end_of(pid) || read(ids[0], &id, sizeof(id)) != sizeof(id))
		errx(EXIT_FAILURE, "the producer failed");
	fd = check(morsel_open(dev, id, MORSEL_OPEN_RDONLY), "open");
	printf("observer %d: it is alive\n", getpid());
	close(fd);

	pid = start();
	if (pid == 0) {
		consumer(socks[1]);
		exit(EXIT_FAILURE);
	}
	status = end_of(pid);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		errx(EXIT_FAILURE, "the consumer failed");

	if (morsel_open(dev, id, MORSEL_OPEN_RDONLY) != -ENOENT)
		errx(EXIT_FAILURE, "it is still there");
	printf("observer %d: the consumer was killed, and it is gone\n",
	       getpid());
	return EXIT_SUCCESS;
}

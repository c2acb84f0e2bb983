// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sharing by descriptor: a morsel that nobody may open by its ID (mode 0)
 * travels as a file descriptor through a UNIX socket; the receiver writes
 * into it, and the sender sees what it wrote.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "morsel.h"

static const char question[] = "What is in a page-table entry?";
static const char answer[] = "A gigabyte, if it is the right one.";

/* Each has a page of the morsel for what it says. */
#define ANSWER_OFFSET MORSEL_PAGE_SIZE

static int receiver(int sock)
{
	struct morsel_info info;
	char *content;
	void *map;
	int fd;

	fd = check(morsel_fd_recv(sock), "receive");
	check(morsel_info(fd, &info), "info");
	check(morsel_map(fd, NULL, PROT_READ | PROT_WRITE, 0, &map), "map");
	content = map;
	printf("receiver %d: got order %u with \"%.60s\"\n", getpid(),
	       info.order, content);
	if (strcmp(content, question))
		return EXIT_FAILURE;
	strcpy(content + ANSWER_OFFSET, answer);
	return EXIT_SUCCESS;
}

int main(void)
{
	int dev, fd, status, socks[2];
	char *content;
	pid_t pid;
	void *map;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socks))
		err(EXIT_FAILURE, "socketpair");
	pid = fork();
	if (pid < 0)
		err(EXIT_FAILURE, "fork");
	if (pid == 0) {
		close(socks[0]);
		/* exit(3), so that what was printed is written out */
		exit(receiver(socks[1]));
	}
	close(socks[1]);

	/* Created after the fork: the receiver inherits nothing. */
	dev = check(morsel_device_open(), MORSEL_DEVICE);
	fd = check(morsel_create(dev, 2, 0, 0, NULL), "create");
	check(morsel_map(fd, NULL, PROT_READ | PROT_WRITE, 0, &map), "map");
	content = map;
	strcpy(content, question);
	check(morsel_fd_send(socks[0], fd), "send");
	printf("sender %d: sent a descriptor\n", getpid());

	if (waitpid(pid, &status, 0) < 0)
		err(EXIT_FAILURE, "waitpid");
	printf("sender %d: reads \"%.60s\"\n", getpid(),
	       content + ANSWER_OFFSET);
	if (strcmp(content + ANSWER_OFFSET, answer))
		status = EXIT_FAILURE;

	check(morsel_unmap(map, 2), "unmap");
	check(morsel_destroy(fd), "destroy");
	if (status)
		errx(EXIT_FAILURE, "the answer did not come back");
	return EXIT_SUCCESS;
}

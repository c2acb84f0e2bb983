// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sharing by pipe: a program writes a text into a morsel and sends nothing
 * but the ID down a pipe; another program, with an address space of its own,
 * selects the morsel by that ID, maps it read-only and answers with the text.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "morsel.h"

static const char text[] = "Eight bytes went through the pipe; this did not.";

/* The second program: the ID comes in by standard input. */
static int reader(void)
{
	const char *content;
	uint64_t id;
	int dev, fd;
	void *map;

	if (read(STDIN_FILENO, &id, sizeof(id)) != sizeof(id))
		errx(EXIT_FAILURE, "no ID in the pipe");
	dev = check(morsel_device_open(), MORSEL_DEVICE);
	fd = check(morsel_open(dev, id, MORSEL_OPEN_RDONLY), "open");
	check(morsel_map(fd, NULL, PROT_READ, 0, &map), "map");

	content = map;
	printf("reader %d: \"%.60s\"\n", getpid(), content);
	return strcmp(content, text) ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	int dev, fd, status, pipes[2];
	uint64_t id;
	pid_t pid;
	void *map;

	if (argc > 1 && !strcmp(argv[1], "reader"))
		return reader();

	dev = check(morsel_device_open(), MORSEL_DEVICE);
	fd = check(morsel_create(dev, 1, 0600, 0, &id), "create");
	check(morsel_map(fd, NULL, PROT_READ | PROT_WRITE, 0, &map), "map");
	strcpy(map, text);
	printf("writer %d: sends 0x%016llx\n", getpid(),
	       (unsigned long long)id);
	fflush(stdout);

	if (pipe(pipes))
		err(EXIT_FAILURE, "pipe");
	pid = fork();
	if (pid < 0)
		err(EXIT_FAILURE, "fork");
	if (pid == 0) {
		dup2(pipes[0], STDIN_FILENO);
		close(pipes[0]);
		close(pipes[1]);
		execl("/proc/self/exe", argv[0], "reader", NULL);
		err(EXIT_FAILURE, "exec");
	}
	if (write(pipes[1], &id, sizeof(id)) != sizeof(id))
		err(EXIT_FAILURE, "write");
	if (waitpid(pid, &status, 0) < 0)
		err(EXIT_FAILURE, "waitpid");

	/* Only what nobody maps, and nobody else has open, can be destroyed. */
	check(morsel_unmap(map, 1), "unmap");
	check(morsel_destroy(fd), "destroy");
	if (status)
		errx(EXIT_FAILURE, "the reader saw something else");
	printf("writer %d: the reader saw the text\n", getpid());
	return EXIT_SUCCESS;
}

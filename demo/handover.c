// SPDX-License-Identifier: GPL-2.0-only
/*
 * The main job: one process puts a file into a morsel and sends the ID down a
 * pipe; another program selects it, maps it read-only and checks what it got.
 */
#include "demo.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int put(int fd, const struct input *in)
{
	size_t at = 0;
	void *map;
	ssize_t n = 0;
	int err;

	err = morsel_map(fd, NULL, PROT_READ | PROT_WRITE, 0, &map);
	if (err)
		return fail("map for writing: %s", strerror(-err));
	for (; at < in->size; at += n) {
		n = pread(in->fd, (char *)map + at, in->size - at, at);
		if (n <= 0)
			break;
	}
	morsel_unmap(map, 2);
	if (at < in->size)
		return fail("%s: read: %s", in->name,
			    n < 0 ? strerror(errno) : "shorter than it was");
	return 0;
}

/* Starts this program anew, with a fresh address space, and tells it the ID. */
static int send_to_reader(uint64_t id, const char *file)
{
	int pipe_fds[2], status;
	pid_t pid;

	if (pipe(pipe_fds))
		return fail("pipe: %s", strerror(errno));
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return fail("fork: %s", strerror(errno));
	if (!pid) {
		dup2(pipe_fds[0], STDIN_FILENO);
		close(pipe_fds[0]);
		close(pipe_fds[1]);
		execl("/proc/self/exe", "morsel-demo", "--reader", file, NULL);
		die("exec: %s", strerror(errno));
	}
	close(pipe_fds[0]);
	if (write(pipe_fds[1], &id, sizeof(id)) != sizeof(id))
		(void)fail("pipe: %s", strerror(errno));
	close(pipe_fds[1]);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 1;
	return WEXITSTATUS(status);
}

int handover(int dev, const char *file)
{
	struct morsel_info info;
	struct input in;
	double start;
	uint64_t id;
	int fd, failed, err;

	signal(SIGPIPE, SIG_IGN);
	input_open(&in, file);
	fd = morsel_create(dev, 2, 0600, 0, &id);
	if (fd < 0)
		die("create: %s", strerror(-fd));
	printf("file    %s, %.1f MiB%s\n", file, (double)in.size / MIB,
	       in.size < 64 * MIB ?
		       " (small: 64 MiB or more shows better what is shown here)" :
		       "");
	start = seconds();
	failed = put(fd, &in);
	if (!failed) {
		printf("writer  pid %d put it into a 1-GiB morsel in %.2f s",
		       getpid(), seconds() - start);
		if (!morsel_info(fd, &info))
			printf(": %llu frames of data, %llu of tables",
			       info.data_frames, info.table_frames);
		printf("\n        and sends the ID %#llx down a pipe\n",
		       (unsigned long long)id);
		failed = send_to_reader(id, file);
	}
	err = morsel_destroy(fd);
	if (err)
		failed = fail("destroy: %s", strerror(-err));
	close(fd);
	close(in.fd);
	return failed;
}

static void print_digest(const char *of, const unsigned char *digest)
{
	printf("        SHA-256 of the %-8s", of);
	for (int i = 0; i < DIGEST_BYTES; i++)
		printf("%02x", digest[i]);
	printf("\n");
}

/* A process with the same mapping writes to it, and must not survive that. */
static int show_that_writing_kills(volatile char *map)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid) {
		prctl(PR_SET_DUMPABLE, 0);
		map[0] = 'x';
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid: %s", strerror(errno));
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSEGV)
		return fail("a write through the read-only mapping went on");
	printf("        its child pid %d wrote to the mapping and died: %s\n",
	       pid, strsignal(WTERMSIG(status)));
	return 0;
}

int handover_reader(int dev, const char *file)
{
	unsigned char mapped[DIGEST_BYTES], original[DIGEST_BYTES];
	struct input in;
	uint64_t id;
	void *map;
	int fd, err;

	if (read(STDIN_FILENO, &id, sizeof(id)) != sizeof(id))
		die("no ID on standard input");
	fd = morsel_open(dev, id, MORSEL_OPEN_RDONLY);
	if (fd < 0)
		die("open %#llx: %s", (unsigned long long)id, strerror(-fd));
	err = morsel_map(fd, NULL, PROT_READ, 0, &map);
	if (err)
		die("map for reading: %s", strerror(-err));
	printf("reader  pid %d selected it, mapped read-only at %p\n", getpid(),
	       map);

	input_open(&in, file);
	sha256(map, in.size, mapped);
	sha256_file(&in, original);
	print_digest("mapping", mapped);
	print_digest("file", original);
	if (memcmp(mapped, original, DIGEST_BYTES))
		die("the mapping is not the file");
	printf("        which are equal\n");
	return show_that_writing_kills(map);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Data from one process to another (thesis, figures 5.6 and 5.7): the sender maps
 * a packet, fills it, unmaps it and sends a reference; the receiver maps it, reads
 * a word of every page, unmaps it and sends it back for reuse.  A sample is the
 * time between two packets as the receiver sees them.
 *
 * Packets are filled by a loop of words.  libc's memset() takes "rep stosb" for
 * that, which an emulator does a byte at a time, far slower than it does anything
 * else: next to it what mapping costs would not show.  That is measured too, apart.
 */
#include "memory.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define PACKETS 5 /* that circulate */
#define PIPE_BYTES (1 << 20)
#define MOST_BYTES (32 * MIB)

struct way;

/* One end of a transfer. */
struct end {
	const struct way *way;
	void (*fill)(char *p, size_t size, int i);
	size_t size;
	int packets; /* to send */
	int in, out; /* of references */
	int fds[PACKETS]; /* the sender's */
	uint64_t ids[PACKETS];
	char *buffer; /* where nothing is shared */
	struct series *to;
};

/* How a packet gets from here to there. */
struct way {
	const char *name;
	bool socket; /* rather than a pipe */
	void (*prepare)(struct end *);
	/* Fills packet @i and sends it; then takes one: a value, to be checked. */
	void (*send)(struct end *, int i);
	int (*receive)(struct end *);
};

static void put(int to, const void *data, size_t n)
{
	if (write(to, data, n) != (ssize_t)n)
		die("pipe: %s", strerror(errno));
}

static bool get(int from, void *data, size_t n)
{
	ssize_t got = read(from, data, n);

	if (got && got != (ssize_t)n)
		die("pipe: %s", got < 0 ? strerror(errno) : "cut short");
	return got;
}

static void fill_words(char *p, size_t size, int i)
{
	uint64_t word = (i + 1) * 0x0101010101010101;

	for (size_t at = 0; at < size; at += sizeof(word))
		*(volatile uint64_t *)(p + at) = word;
}

static void fill_memset(char *p, size_t size, int i)
{
	memset(p, i + 1, size);
	/* Or the compiler sees that nobody reads it. */
	__asm__ volatile("" : : "r"(p) : "memory");
}

static void check(const char *p, size_t size, int i)
{
	for (size_t at = 0; at < size; at += PAGE)
		if (*(volatile const char *)(p + at) != i + 1)
			die("packet %d has a wrong byte at %zu", i, at);
}

static void fill_mapped(const struct end *e, const struct memory *m, int i)
{
	char *p = memory_map(m, e->fds[i], e->size, RW, 0);

	e->fill(p, e->size, i);
	memory_unmap(m, p, e->size);
}

static void check_mapped(const struct memory *m, int fd, size_t size, int i)
{
	char *p = memory_map(m, fd, size, PROT_READ, 0);

	check(p, size, i);
	memory_unmap(m, p, size);
}

/* Morsels, by their IDs. */

struct reference {
	int i;
	uint64_t id;
};

static void prepare_morsels(struct end *e)
{
	for (int i = 0; i < PACKETS; i++) {
		e->fds[i] = morsel_create(device(), 2, 0600,
					  MORSEL_CREATE_EPHEMERAL, &e->ids[i]);
		if (e->fds[i] < 0)
			die("create: %s", strerror(-e->fds[i]));
		fill_mapped(e, &memory_morsel, i);
	}
}

static void send_morsel(struct end *e, int i)
{
	struct reference r = { i, e->ids[i] };

	fill_mapped(e, &memory_morsel, i);
	put(e->out, &r, sizeof(r));
}

static int receive_morsel(struct end *e)
{
	struct reference r;
	int fd;

	if (!get(e->in, &r, sizeof(r)))
		return -1;
	fd = morsel_open(device(), r.id, MORSEL_OPEN_RDONLY);
	if (fd < 0)
		die("open: %s", strerror(-fd));
	check_mapped(&memory_morsel, fd, e->size, r.i);
	close(fd);
	return r.i;
}

/* POSIX shared memory, by its names. */

static void shm_name(char *name, size_t n, int i, pid_t pid)
{
	snprintf(name, n, "/morsel-bench-%d-%d", pid, i);
}

static void prepare_shm(struct end *e)
{
	char name[40];

	for (int i = 0; i < PACKETS; i++) {
		shm_name(name, sizeof(name), i, getppid());
		e->fds[i] = shm_open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (e->fds[i] < 0 || ftruncate(e->fds[i], e->size))
			die("shm_open: %s", strerror(errno));
		fill_mapped(e, &memory_shm, i);
	}
}

static void send_shm(struct end *e, int i)
{
	fill_mapped(e, &memory_shm, i);
	put(e->out, &i, sizeof(i));
}

static int receive_shm(struct end *e)
{
	char name[40];
	int i, fd;

	if (!get(e->in, &i, sizeof(i))) {
		for (i = 0; i < PACKETS; i++) {
			shm_name(name, sizeof(name), i, getpid());
			shm_unlink(name);
		}
		return -1;
	}
	shm_name(name, sizeof(name), i, getpid());
	fd = shm_open(name, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		die("shm_open: %s", strerror(errno));
	check_mapped(&memory_shm, fd, e->size, i);
	close(fd);
	return i;
}

/* memfds, each sent as a descriptor. */

static void prepare_memfds(struct end *e)
{
	for (int i = 0; i < PACKETS; i++) {
		e->fds[i] = memory_open(&memory_memfd, e->size);
		fill_mapped(e, &memory_memfd, i);
	}
}

static void send_memfd(struct end *e, int i)
{
	int err;

	fill_mapped(e, &memory_memfd, i);
	err = morsel_fd_send(e->out, e->fds[i]);
	if (err)
		die("sendmsg: %s", strerror(-err));
	put(e->out, &i, sizeof(i));
}

static int receive_memfd(struct end *e)
{
	int fd = morsel_fd_recv(e->in), i;

	if (fd == -ECONNRESET)
		return -1;
	if (fd < 0 || !get(e->in, &i, sizeof(i)))
		die("recvmsg: %s", strerror(-fd));
	check_mapped(&memory_memfd, fd, e->size, i);
	close(fd);
	return i;
}

/* The data itself, through the pipe. */

static void prepare_pipe(struct end *e)
{
	e->buffer = memory_map(&memory_private, -1, PACKETS * e->size, RW,
			       MAP_POPULATE);
	fcntl(e->out, F_SETPIPE_SZ, PIPE_BYTES);
}

static void send_write(struct end *e, int i)
{
	char *p = e->buffer + i * e->size;

	e->fill(p, e->size, i);
	put(e->out, &i, sizeof(i));
	for (size_t at = 0; at < e->size;) {
		ssize_t n = write(e->out, p + at, e->size - at);

		if (n <= 0)
			die("pipe: %s", strerror(errno));
		at += n;
	}
}

static void send_vmsplice(struct end *e, int i)
{
	struct iovec v = { e->buffer + i * e->size, e->size };

	e->fill(v.iov_base, e->size, i);
	put(e->out, &i, sizeof(i));
	while (v.iov_len) {
		ssize_t n = vmsplice(e->out, &v, 1, 0);

		if (n <= 0)
			die("vmsplice: %s", strerror(errno));
		v.iov_base = (char *)v.iov_base + n;
		v.iov_len -= n;
	}
}

static int receive_pipe(struct end *e)
{
	int i;

	if (!e->buffer)
		e->buffer = memory_map(&memory_private, -1, e->size, RW,
				       MAP_POPULATE);
	if (!get(e->in, &i, sizeof(i)))
		return -1;
	for (size_t at = 0; at < e->size;) {
		ssize_t n = read(e->in, e->buffer + at, e->size - at);

		if (n <= 0)
			die("pipe: %s", strerror(errno));
		at += n;
	}
	check(e->buffer, e->size, i);
	return i;
}

/* The limit: packets that are filled, mapped all the time, and go nowhere. */

static void prepare_alone(struct end *e)
{
	e->buffer = memory_map(&memory_private, -1, PACKETS * e->size, RW,
			       MAP_POPULATE);
}

static void send_nothing(struct end *e, int i)
{
	e->fill(e->buffer + i * e->size, e->size, i);
	put(e->out, &i, sizeof(i));
}

static int receive_nothing(struct end *e)
{
	int i;

	return get(e->in, &i, sizeof(i)) ? i : -1;
}

static const struct way ways[] = {
	{ "morsel", false, prepare_morsels, send_morsel, receive_morsel },
	{ "POSIX shm", false, prepare_shm, send_shm, receive_shm },
	{ "memfd by SCM_RIGHTS", true, prepare_memfds, send_memfd,
	  receive_memfd },
	{ "pipe, write", false, prepare_pipe, send_write, receive_pipe },
	{ "pipe, vmsplice", false, prepare_pipe, send_vmsplice, receive_pipe },
	{ "filling alone", false, prepare_alone, send_nothing,
	  receive_nothing },
};

static int sender(void *with)
{
	struct end *e = with;
	int packet;

	e->way->prepare(e);
	for (int i = 0; i < e->packets; i++) {
		packet = i;
		if (i >= PACKETS && !get(e->in, &packet, sizeof(packet)))
			die("the receiver is gone");
		e->way->send(e, packet);
	}
	close(e->out);
	/* Objects live until the last one has been taken. */
	while (get(e->in, &packet, sizeof(packet)))
		;
	return 0;
}

static double transfer(void *with)
{
	struct end e = *(struct end *)with, there = e;
	int forth[2], back[2], i, n = 0, err;
	double before = 0, now;
	pid_t pid;

	if (e.way->socket)
		err = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, forth);
	else
		err = pipe2(forth, O_CLOEXEC);
	if (err || pipe2(back, O_CLOEXEC))
		die("pipe: %s", strerror(errno));
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid) {
		close(forth[0]);
		close(back[1]);
		there.in = back[0];
		there.out = forth[1];
		_exit(sender(&there));
	}
	close(forth[1]);
	close(back[0]);
	e.in = forth[0];
	while ((i = e.way->receive(&e)) >= 0) {
		now = seconds();
		/* The first ones find the sender with packets to spare. */
		if (n++ > PACKETS)
			series_add(e.to, now - before);
		before = now;
		put(back[1], &i, sizeof(i));
	}
	close(back[1]);
	close(forth[0]);
	child_wait(pid);
	if (e.buffer)
		memory_unmap(&memory_private, e.buffer, e.size);
	return -1;
}

static void by_turns(const struct options *o, int rounds, const char *metric,
		     void (*fill)(char *p, size_t size, int i))
{
	struct end ends[ARRAY_SIZE(ways)];
	struct step steps[ARRAY_SIZE(ways)];

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		ends[i] = (struct end){
			.way = &ways[i],
			.fill = fill,
			.size = o->quick ? MIB : MOST_BYTES,
			.packets = o->quick ? 2 * PACKETS : 40,
			.to = series(metric, "s", ways[i].name, NULL, 0),
		};
		steps[i] = (struct step){ transfer, &ends[i], ends[i].to };
	}
	rounds_run(steps, ARRAY_SIZE(ways), rounds);
}

static void run(const struct options *o)
{
	by_turns(o, o->rounds, "time per 32-MiB packet", fill_words);
	by_turns(o, (o->rounds + 1) / 2, "time per 32-MiB packet, by memset()",
		 fill_memset);
}

const struct benchmark benchmark_transfer = {
	.name = "transfer",
	.what = "32-MiB packets from one process to another",
	.run = run,
	.rounds = 7,
};

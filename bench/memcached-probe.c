// SPDX-License-Identifier: GPL-2.0-only
/*
 * memcached-probe PORT ITEMS SIZE - fill a memcached with ITEMS values of SIZE bytes
 * memcached-probe PORT ITEMS SIZE THREADS CLIENTS REQUESTS - measure latencies
 *
 * Each of THREADS has CLIENTS connections, and on each of these REQUESTS, one
 * after the other: ten gets of random items to a set, as memtier_benchmark has
 * it.  Prints a percentile and the seconds that belong to it on each line.
 *
 * It is there because no client that Debian packages says more of the latencies
 * than their power of two.  Throughput is for those to say.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/epoll.h>
#include <sys/socket.h>

#define SETS 11 /* one request of so many is a set */
#define BATCH 64 /* sets that a fill sends at a time */

static int port, items, size, threads, clients, requests;
static char *value;

struct client {
	int fd;
	int left; /* requests, with the current one */
	int got, wanted; /* bytes of the answer */
	uint64_t start; /* of the current request */
};

/* Its own latencies, its own source of random numbers: threads share nothing. */
struct thread {
	pthread_t id;
	struct client *clients;
	uint32_t *latencies; /* nanoseconds */
	char *answer;
	int done;
	unsigned int random;
};

static void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("memcached-probe: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	exit(1);
}

static void *allocate(size_t n, size_t bytes)
{
	void *p = calloc(n, bytes);

	if (!p)
		die("out of memory");
	return p;
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static int connect_to_server(void)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
		die("port %d: %s", port, strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void send_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);

		if (sent < 0)
			die("send: %s", strerror(errno));
		p += sent;
		n -= sent;
	}
}

static int put_set(char *to, int item, const char *options)
{
	int n = sprintf(to, "set item-%09d 0 0 %d%s\r\n", item, size, options);

	memcpy(to + n, value, size);
	memcpy(to + n + size, "\r\n", 2);
	return n + size + 2;
}

/* An answer to the last set alone: memcached has seen the others before it. */
static void fill(void)
{
	char *batch = allocate(BATCH, size + 64), answer[8];
	int fd = connect_to_server(), n = 0;

	for (int i = 0; i < items; i++) {
		bool last = i == items - 1;

		n += put_set(batch + n, i, last ? "" : " noreply");
		if (last || i % BATCH == BATCH - 1) {
			send_all(fd, batch, n);
			n = 0;
		}
	}
	if (recv(fd, answer, 8, MSG_WAITALL) != 8 ||
	    memcmp(answer, "STORED\r\n", 8))
		die("the last item was not stored");
	close(fd);
	free(batch);
}

static void request(struct thread *t, struct client *c)
{
	int item = rand_r(&t->random) % items, n;

	if (rand_r(&t->random) % SETS) {
		n = sprintf(t->answer, "get item-%09d\r\n", item);
		/* VALUE KEY FLAGS SIZE, the value, END */
		c->wanted = snprintf(NULL, 0, "VALUE item-%09d 0 %d\r\n", item,
				     size) +
			    size + strlen("\r\nEND\r\n");
	} else {
		n = put_set(t->answer, item, "");
		c->wanted = strlen("STORED\r\n");
	}
	c->got = 0;
	c->start = now();
	send_all(c->fd, t->answer, n);
}

/* The answer, or a part of it; what is no answer shows by how it begins. */
static void receive(struct thread *t, struct client *c)
{
	ssize_t n = recv(c->fd, t->answer, c->wanted - c->got, 0);

	if (n <= 0)
		die("recv: %s", n ? strerror(errno) : "connection closed");
	if (!c->got && *t->answer != (c->wanted == 8 ? 'S' : 'V'))
		die("an item was not there, or not stored: %.*s", (int)n,
		    t->answer);
	c->got += n;
	if (c->got < c->wanted)
		return;
	t->latencies[t->done++] = now() - c->start;
	if (--c->left)
		request(t, c);
}

static void *run(void *arg)
{
	struct thread *t = arg;
	struct epoll_event events[64];
	int epoll = epoll_create1(EPOLL_CLOEXEC), n;

	if (epoll < 0)
		die("epoll: %s", strerror(errno));
	for (int i = 0; i < clients; i++) {
		struct epoll_event e = { .events = EPOLLIN,
					 .data.ptr = &t->clients[i] };

		if (epoll_ctl(epoll, EPOLL_CTL_ADD, t->clients[i].fd, &e))
			die("epoll: %s", strerror(errno));
		request(t, &t->clients[i]);
	}
	while (t->done < clients * requests) {
		n = epoll_wait(epoll, events, 64, -1);
		if (n < 0 && errno != EINTR)
			die("epoll: %s", strerror(errno));
		for (int i = 0; i < n; i++)
			receive(t, events[i].data.ptr);
	}
	close(epoll);
	return NULL;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void print(uint32_t *latencies, size_t n)
{
	static const double percentiles[] = {
		0,    10,    25,   50,	  75,	  90,	 95,	 97.5,	 99,
		99.5, 99.75, 99.9, 99.95, 99.975, 99.99, 99.995, 99.999, 100,
	};

	qsort(latencies, n, sizeof(*latencies), compare);
	for (size_t i = 0; i < sizeof(percentiles) / sizeof(double); i++) {
		double p = percentiles[i];

		printf("%g %.9f\n", p,
		       latencies[(size_t)(p / 100 * (n - 1) + 0.5)] * 1e-9);
	}
}

static void measure(void)
{
	size_t each = (size_t)clients * requests;
	uint32_t *latencies = allocate(threads * each, sizeof(*latencies));
	struct thread *all = allocate(threads, sizeof(*all));

	for (int i = 0; i < threads; i++) {
		struct thread *t = &all[i];

		*t = (struct thread){
			.clients = allocate(clients, sizeof(*t->clients)),
			.latencies = latencies + i * each,
			.answer = allocate(1, size + 64),
			.random = i + 1,
		};
		for (int j = 0; j < clients; j++)
			t->clients[j] = (struct client){
				.fd = connect_to_server(),
				.left = requests,
			};
	}
	for (int i = 0; i < threads; i++)
		if (pthread_create(&all[i].id, NULL, run, &all[i]))
			die("cannot start a thread");
	for (int i = 0; i < threads; i++)
		pthread_join(all[i].id, NULL);
	print(latencies, threads * each);
}

static int number(const char *arg)
{
	char *end;
	long n = strtol(arg, &end, 10);

	if (*end || n < 1 || n > 1000000000)
		die("%s is no number from 1 to 10^9", arg);
	return n;
}

int main(int argc, char **argv)
{
	if (argc != 4 && argc != 7)
		die("usage: memcached-probe PORT ITEMS SIZE [THREADS CLIENTS REQUESTS]");
	port = number(argv[1]);
	items = number(argv[2]);
	size = number(argv[3]);
	value = allocate(1, size);
	memset(value, 'v', size);
	if (argc == 4) {
		fill();
		return 0;
	}
	threads = number(argv[4]);
	clients = number(argv[5]);
	requests = number(argv[6]);
	measure();
	return 0;
}

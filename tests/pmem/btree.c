// SPDX-License-Identifier: GPL-2.0-only
/*
 * btree insert FILE | check FILE AT_LEAST - a B-tree of raw pointers, in a file that is
 * mapped at the same address in every process and after every start of the machine
 *
 * Key N is a function of N.  An insertion copies the nodes on its way and then stores
 * one pointer: to the new root, which says how many keys there are.  Nothing else is
 * ever changed, and nothing says which nodes are free: whoever starts looks which the
 * root leads to.  check wants exactly the keys up to the number that the root says, of
 * which at least AT_LEAST had been said to be there.
 */
#include <argp.h>
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ADDRESS 0x200000000000
#define BYTES (64ul << 20)
#define KEYS 30 /* with as many a node is halved */
#define DEPTH 12 /* of the deepest tree there is room for, and more */
#define NODES (BYTES / sizeof(struct node) - 1)
#define EACH 500 /* insertions, after which their number is said */

struct node {
	uint64_t keys; /* in it */
	uint64_t all; /* of the root: in the tree */
	uint64_t key[KEYS];
	struct node *child[KEYS + 1]; /* NULL in a leaf */
};

/* The first node of the file is not one. */
struct file {
	struct node *_Atomic root;
};

static struct file *const file = (void *)ADDRESS;
static struct node *const nodes = (void *)ADDRESS;
static struct node *idle[NODES];
static uint64_t idles;
static bool in_use[NODES + 1];

static uint64_t key_of(uint64_t n)
{
	n += 0x9e3779b97f4a7c15;
	n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9;
	n = (n ^ n >> 27) * 0x94d049bb133111eb;
	return n ^ n >> 31;
}

static void map(const char *path, bool make)
{
	int fd = open(path, O_RDWR | (make ? O_CREAT : 0), 0600);
	char address[32];
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st))
		error(1, errno, "%s", path);
	if (!st.st_size && make) {
		snprintf(address, sizeof(address), "%#lx", ADDRESS);
		if (ftruncate(fd, BYTES) || fsetxattr(fd, "user.morsel.address", address,
						      strlen(address), 0))
			error(1, errno, "%s", path);
	}
	/* Nobody asks for the address: the file has it. */
	p = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		error(1, errno, "%s", path);
	if (p != file)
		error(1, 0, "%s is mapped at %p", path, p);
	close(fd);
}

/* Of a node and all below it: keys between the two, in their order; returns how many. */
static uint64_t look(struct node *n, uint64_t above, uint64_t below, int depth, int *leaves)
{
	uint64_t index = n - nodes, keys;

	if (index < 1 || index > NODES || &nodes[index] != n)
		error(1, 0, "a pointer leads to %p", (void *)n);
	if (in_use[index])
		error(1, 0, "a node has two parents");
	in_use[index] = true;
	keys = n->keys;
	if (keys < 1 || keys >= KEYS)
		error(1, 0, "a node has %llu keys", (unsigned long long)keys);
	for (uint64_t i = 0; i < n->keys; i++) {
		if (n->key[i] <= (i ? n->key[i - 1] : above) || n->key[i] >= below)
			error(1, 0, "keys are not in their order");
	}
	if (!n->child[0]) {
		if (*leaves && *leaves != depth)
			error(1, 0, "leaves are not of the same depth");
		*leaves = depth;
		return keys;
	}
	for (uint64_t i = 0; i <= n->keys; i++)
		keys += look(n->child[i], i ? n->key[i - 1] : above,
			     i < n->keys ? n->key[i] : below, depth + 1, leaves);
	return keys;
}

static bool find(const struct node *n, uint64_t key)
{
	while (n) {
		uint64_t i = 0;

		while (i < n->keys && n->key[i] < key)
			i++;
		if (i < n->keys && n->key[i] == key)
			return true;
		n = n->child[i];
	}
	return false;
}

/* How many keys there are, of which all must be there. */
static uint64_t start(void)
{
	struct node *root = file->root;
	uint64_t all = root ? root->all : 0, keys;
	int leaves = 0;

	keys = root ? look(root, 0, UINT64_MAX, 1, &leaves) : 0;
	if (keys != all)
		error(1, 0, "there are %llu keys, not %llu", (unsigned long long)keys,
		      (unsigned long long)all);
	for (uint64_t n = 1; n <= all; n++)
		if (!find(root, key_of(n)))
			error(1, 0, "key %llu is not there", (unsigned long long)n);
	for (uint64_t i = NODES; i; i--)
		if (!in_use[i])
			idle[idles++] = &nodes[i];
	return all;
}

/* What an insertion takes the place of; free as soon as it counts. */
static struct node *replaced[DEPTH];
static unsigned int n_replaced;

static struct node *copy(const struct node *n)
{
	struct node *new;

	if (!idles)
		exit(0);
	new = idle[--idles];
	memcpy(new, n, sizeof(*n));
	return new;
}

static void put(struct node *n, uint64_t at, uint64_t key, struct node *right)
{
	memmove(n->key + at + 1, n->key + at, (n->keys - at) * sizeof(*n->key));
	memmove(n->child + at + 2, n->child + at + 1, (n->keys - at) * sizeof(*n->child));
	n->key[at] = key;
	n->child[at + 1] = right;
	n->keys++;
}

/* Halves a node that is ours; its middle key goes up. */
static struct node *split(struct node *n, uint64_t *middle)
{
	struct node *right = copy(n);
	uint64_t half = KEYS / 2;

	*middle = n->key[half];
	right->keys = KEYS - half - 1;
	memcpy(right->key, n->key + half + 1, right->keys * sizeof(*n->key));
	memcpy(right->child, n->child + half + 1, (right->keys + 1) * sizeof(*n->child));
	n->keys = half;
	return right;
}

/* A copy of a node and its way to the key, with the key; one that is full is halved. */
static struct node *with(struct node *old, uint64_t key, uint64_t *middle, struct node **right)
{
	struct node *n = copy(old), *r;
	uint64_t i = 0, m;

	replaced[n_replaced++] = old;
	while (i < n->keys && n->key[i] < key)
		i++;
	if (!n->child[0]) {
		put(n, i, key, NULL);
	} else {
		n->child[i] = with(n->child[i], key, &m, &r);
		if (r)
			put(n, i, m, r);
	}
	*right = n->keys == KEYS ? split(n, middle) : NULL;
	return n;
}

static void insert(uint64_t n)
{
	static const struct node empty;
	struct node *old = file->root, *root, *right;
	uint64_t key = key_of(n), middle;

	if (old) {
		root = with(old, key, &middle, &right);
		if (right) {
			struct node *top = copy(&empty);

			top->child[0] = root;
			put(top, 0, middle, right);
			root = top;
		}
	} else {
		root = copy(&empty);
		put(root, 0, key, NULL);
	}
	root->all = n;
	/* Here it is inserted: all before it is there for who sees this, also after a crash. */
	atomic_store_explicit(&file->root, root, memory_order_release);
	while (n_replaced)
		idle[idles++] = replaced[--n_replaced];
}

static const char *verb, *path;
static uint64_t least;

static error_t option(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_ARG:
		if (state->arg_num == 0)
			verb = arg;
		else if (state->arg_num == 1)
			path = arg;
		else if (state->arg_num == 2)
			least = strtoull(arg, NULL, 0);
		else
			argp_usage(state);
		return 0;
	case ARGP_KEY_END:
		if (state->arg_num < 2 || (strcmp(verb, "insert") && strcmp(verb, "check")))
			argp_usage(state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		NULL, option, "insert|check FILE [AT_LEAST]",
		"A B-tree of raw pointers in a file that is mapped where it says.",
		NULL, NULL, NULL,
	};
	uint64_t n;

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	map(path, !strcmp(verb, "insert"));
	n = start();
	if (n < least)
		error(1, 0, "there are %llu keys of %llu", (unsigned long long)n,
		      (unsigned long long)least);
	printf("btree: %llu keys\n", (unsigned long long)n);
	while (!strcmp(verb, "insert")) {
		insert(++n);
		if (n % EACH)
			continue;
		printf("btree: %llu keys\n", (unsigned long long)n);
		fflush(stdout);
	}
	return 0;
}

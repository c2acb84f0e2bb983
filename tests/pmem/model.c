// SPDX-License-Identifier: GPL-2.0-only
/* What a directory holds after N operations, and which one is next; see model.h. */
#include "model.h"

#include <stdio.h>
#include <string.h>

#define NEAR 128u /* blocks of most files: 64 KiB */

const char *const what_name[OPERATIONS] = {
	"create", "write", "store",   "truncate", "punch",   "rename", "exchange",    "link",
	"unlink", "mkdir", "rmdir",   "symlink",  "chmod",   "setxattr", "removexattr",
};

/* How often of a hundred each is tried. */
static const unsigned char weight[OPERATIONS] = {
	[CREATE] = 11, [WRITE] = 18, [STORE] = 9, [TRUNCATE] = 8, [PUNCH] = 7,
	[RENAME] = 11, [EXCHANGE] = 4, [LINK] = 5, [UNLINK] = 8, [MAKEDIR] = 3,
	[REMOVEDIR] = 2, [MAKELINK] = 2, [CHMOD] = 3, [SETXATTR] = 6, [REMOVEXATTR] = 3,
};

/* The finaliser of splitmix64. */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

/* A draw below n. */
static unsigned int below(uint64_t *random, unsigned int n)
{
	*random = mix(*random);
	return (*random >> 16) % n;
}

void model_block(const struct state *s, uint32_t tag, uint32_t block, uint64_t *bytes)
{
	uint64_t x = mix(s->seed ^ mix((uint64_t)tag << 32 | block));

	for (int i = 0; i < BLOCK / 8; i++)
		bytes[i] = tag ? x * (2 * i + 1) : 0;
}

size_t model_string(const struct state *s, uint32_t tag, char *text)
{
	uint64_t random = s->seed ^ tag;
	size_t len = 1 + below(&random, STRING_MAX - 1);

	for (size_t i = 0; i < len; i++)
		text[i] = 'a' + below(&random, 26);
	text[len] = 0;
	return len;
}

void model_start(struct state *s, uint64_t seed, unsigned int worker)
{
	memset(s, 0, sizeof(*s));
	s->seed = mix(seed ^ mix(worker));
	s->node[TOP].kind = DIRECTORY;
	s->node[TOP].mode = 0755;
	memset(s->node[TOP].name, 0xff, sizeof(s->node[TOP].name));
}

bool model_atomic(const struct operation *o)
{
	return o->what != WRITE && o->what != STORE && o->what != PUNCH;
}

/* Places that hold something of one of the kinds, or nothing: a bit each, 1 << FREE. */
struct places {
	int count;
	struct place place[NAMES * NAMES + NAMES];
};

static int at(const struct state *s, struct place p)
{
	return s->node[p.dir].name[p.name];
}

static void find_in(const struct state *s, int dir, unsigned int kinds, struct places *found)
{
	for (int i = 0; i < NAMES; i++) {
		int n = s->node[dir].name[i];

		if (kinds & 1u << (n == NONE ? FREE : s->node[n].kind))
			found->place[found->count++] = (struct place){ dir, i };
	}
}

static void find(const struct state *s, unsigned int kinds, struct places *found)
{
	found->count = 0;
	find_in(s, TOP, kinds, found);
	for (int i = 0; i < NAMES; i++) {
		int n = s->node[TOP].name[i];

		if (n != NONE && s->node[n].kind == DIRECTORY)
			find_in(s, n, kinds, found);
	}
}

static bool any(const struct state *s, unsigned int kinds, uint64_t *random, struct place *p)
{
	struct places found;

	find(s, kinds, &found);
	if (!found.count)
		return false;
	*p = found.place[below(random, found.count)];
	return true;
}

static bool empty(const struct state *s, int dir)
{
	for (int i = 0; i < NAMES; i++)
		if (s->node[dir].name[i] != NONE)
			return false;
	return true;
}

static int unused(const struct state *s)
{
	for (int i = 1; i < NODES; i++)
		if (s->node[i].kind == FREE)
			return i;
	return NONE;
}

/* Directories stay in the top, and take the place of empty ones only. */
static bool may_move(const struct state *s, const struct operation *o)
{
	int node = at(s, o->from), over = at(s, o->to);
	bool dir = s->node[node].kind == DIRECTORY;

	if (node == over)
		return false;
	if (dir && o->to.dir != TOP)
		return false;
	if (over == NONE)
		return true;
	if (o->what == EXCHANGE)
		return o->from.dir == o->to.dir || (!dir && s->node[over].kind != DIRECTORY);
	return dir == (s->node[over].kind == DIRECTORY) && (!dir || empty(s, over));
}

/* A range, of which the first is below limit; few are far away or long. */
static void range(struct operation *o, uint64_t *random, uint32_t limit, uint32_t end)
{
	o->first = below(random, limit);
	o->count = 1 + below(random, below(random, 8) ? 32 : 256);
	if (o->count > end - o->first)
		o->count = end - o->first;
}

static bool choose(const struct state *s, uint64_t *random, struct operation *o)
{
	const unsigned int inode = 1u << REGULAR | 1u << DIRECTORY, all = inode | 1u << SYMLINK;
	const struct node *n;

	switch (o->what) {
	case CREATE:
	case MAKELINK:
	case MAKEDIR:
		o->node = unused(s);
		o->mode = 0600 | below(random, 0200);
		return o->node != NONE && any(s, 1u << FREE, random, &o->to) &&
		       (o->what != MAKEDIR || o->to.dir == TOP);
	case WRITE:
	case STORE:
	case TRUNCATE:
	case PUNCH:
		if (!any(s, 1u << REGULAR, random, &o->from))
			return false;
		o->node = at(s, o->from);
		n = &s->node[o->node];
		if (o->what == STORE || o->what == PUNCH) {
			if (n->blocks)
				range(o, random, n->blocks, n->blocks);
			return n->blocks;
		}
		/* One in 32 may be far away. */
		range(o, random, below(random, 32) ? NEAR : BLOCKS, BLOCKS);
		if (o->what == WRITE && n->blocks < NEAR && below(random, 2))
			o->first = n->blocks;
		return true;
	case RENAME:
	case EXCHANGE:
		return any(s, all, random, &o->from) &&
		       any(s, o->what == EXCHANGE || below(random, 2) ? all : 1u << FREE,
			   random, &o->to) &&
		       may_move(s, o);
	case LINK:
		return any(s, 1u << REGULAR, random, &o->from) &&
		       any(s, 1u << FREE, random, &o->to);
	case UNLINK:
		o->keep = !below(random, 4);
		return any(s, all & ~(1u << DIRECTORY), random, &o->from);
	case REMOVEDIR:
		return any(s, 1u << DIRECTORY, random, &o->from) && empty(s, at(s, o->from));
	case CHMOD:
		o->mode = 0600 | below(random, 0200);
		return any(s, inode, random, &o->from);
	case SETXATTR:
	case REMOVEXATTR:
		o->xattr = below(random, XATTRS);
		return any(s, inode, random, &o->from) &&
		       (o->what == SETXATTR || s->node[at(s, o->from)].xattr[o->xattr]);
	case OPERATIONS:
		break;
	}
	return false;
}

void model_choose(const struct state *s, uint32_t tag, struct operation *o)
{
	uint64_t random = s->seed + tag;
	int draw, what;

	/* At worst an empty directory is left, in which a file can be made. */
	do {
		memset(o, 0, sizeof(*o));
		o->tag = tag;
		draw = below(&random, 100);
		for (what = 0; draw >= weight[what]; what++)
			draw -= weight[what];
		o->what = what;
	} while (!choose(s, &random, o));
}

static void drop(struct state *s, int node)
{
	if (s->node[node].kind == REGULAR && --s->node[node].links)
		return;
	s->node[node].kind = FREE;
}

static void make(struct state *s, const struct operation *o, enum kind kind)
{
	struct node *n = &s->node[o->node];

	memset(n, 0, sizeof(*n));
	memset(n->name, 0xff, sizeof(n->name));
	n->kind = kind;
	n->mode = o->mode;
	n->links = 1;
	n->target = o->tag;
	s->node[o->to.dir].name[o->to.name] = o->node;
}

static void resize(struct node *n, uint32_t blocks)
{
	if (blocks < n->blocks)
		memset(n->block + blocks, 0, (n->blocks - blocks) * sizeof(*n->block));
	n->blocks = blocks;
}

static void fill(struct node *n, const struct operation *o, uint32_t tag)
{
	if (n->blocks < o->first + o->count)
		n->blocks = o->first + o->count;
	for (uint32_t i = 0; i < o->count; i++)
		n->block[o->first + i] = tag;
}

void model_apply(struct state *s, const struct operation *o)
{
	int *from = &s->node[o->from.dir].name[o->from.name];
	int *to = &s->node[o->to.dir].name[o->to.name], node = *from;

	switch (o->what) {
	case CREATE:
		make(s, o, REGULAR);
		break;
	case MAKEDIR:
		make(s, o, DIRECTORY);
		break;
	case MAKELINK:
		make(s, o, SYMLINK);
		break;
	case WRITE:
	case STORE:
		fill(&s->node[o->node], o, o->tag);
		break;
	case PUNCH:
		fill(&s->node[o->node], o, 0);
		break;
	case TRUNCATE:
		resize(&s->node[o->node], o->first);
		break;
	case RENAME:
		if (*to != NONE)
			drop(s, *to);
		*to = node;
		*from = NONE;
		break;
	case EXCHANGE:
		*from = *to;
		*to = node;
		break;
	case LINK:
		*to = node;
		s->node[node].links++;
		break;
	case UNLINK:
	case REMOVEDIR:
		drop(s, node);
		*from = NONE;
		break;
	case CHMOD:
		s->node[node].mode = o->mode;
		break;
	case SETXATTR:
		s->node[node].xattr[o->xattr] = o->tag;
		break;
	case REMOVEXATTR:
		s->node[node].xattr[o->xattr] = 0;
		break;
	case OPERATIONS:
		break;
	}
}

/* Every fourth is long. */
int model_name(int name, char *text)
{
	return sprintf(text, "n%d%.*s", name, name % 4 == 3 ? 200 : 0,
		       "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff"
		       "gggggggggghhhhhhhhhhiiiiiiiiiijjjjjjjjjjkkkkkkkkkkllllllllll"
		       "mmmmmmmmmmnnnnnnnnnnooooooooooppppppppppqqqqqqqqqqrrrrrrrrrr"
		       "sssssssssstttttttttt");
}

void model_path(const struct state *s, struct place place, char *text)
{
	if (place.dir != TOP) {
		int name = 0;

		while (s->node[TOP].name[name] != place.dir)
			name++;
		text += model_name(name, text);
		*text++ = '/';
	}
	model_name(place.name, text);
}

void model_any_path(const struct state *s, int node, char *text)
{
	struct places found;

	find(s, 1u << REGULAR | 1u << DIRECTORY | 1u << SYMLINK, &found);
	for (int i = 0; i < found.count; i++)
		if (at(s, found.place[i]) == node)
			model_path(s, found.place[i], text);
}

void model_text(const struct state *s, const struct operation *o, char *text, size_t room)
{
	char from[1024] = "", to[1024] = "";

	if (o->what != CREATE && o->what != MAKEDIR && o->what != MAKELINK)
		model_path(s, o->from, from);
	if (o->what >= RENAME || o->what == CREATE)
		model_path(s, o->to, to);
	snprintf(text, room, "operation %u: %s %.40s %.40s, blocks %u+%u, mode %o, xattr %u",
		 o->tag, what_name[o->what], from, to, o->first, o->count, o->mode, o->xattr);
}

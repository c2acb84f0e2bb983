/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a directory of one worker holds after its first N operations, by a model.  The
 * N-th operation follows from a seed, N and the state before it alone, so whoever
 * knows N knows all that has to be there: every name, size, mode, extended attribute
 * and byte.
 */
#ifndef MODEL_H
#define MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAMES 12 /* in a directory; directories are in the top only */
#define NODES 80
#define XATTRS 4
#define BLOCK 512 /* bytes; sizes and ranges are multiples of it */
#define BLOCKS (4096u << 10 >> 9) /* of the longest file, of 4 MiB: it needs order 2 */
#define NONE (-1)
#define TOP 0 /* the node of the worker's directory */

enum kind { FREE, REGULAR, DIRECTORY, SYMLINK };

/*
 * Content has a tag for each block: the operation that wrote it, or 0 for zeros.  So
 * do values of extended attributes (0: there is none) and targets of symbolic links.
 */
struct node {
	enum kind kind;
	unsigned int mode, links; /* of a regular file */
	uint32_t target, xattr[XATTRS];
	int name[NAMES]; /* of a directory: nodes */
	uint32_t blocks; /* its size */
	uint32_t block[BLOCKS];
};

struct state {
	uint64_t seed; /* of this worker */
	struct node node[NODES];
};

enum what {
	CREATE,
	WRITE, /* at the end, behind it, or over what is there */
	STORE, /* through a shared mapping */
	TRUNCATE,
	PUNCH,
	RENAME, /* maybe over another name */
	EXCHANGE,
	LINK,
	UNLINK, /* maybe of a file that stays open */
	MAKEDIR,
	REMOVEDIR,
	MAKELINK, /* symbolic */
	CHMOD,
	SETXATTR,
	REMOVEXATTR,
	OPERATIONS
};

struct place {
	int dir, name; /* a node, and an index */
};

struct operation {
	enum what what;
	uint32_t tag; /* the number of the operation, from 1 */
	int node; /* what it is done to; a new one of CREATE and the like */
	struct place from, to;
	uint32_t first, count; /* blocks */
	unsigned int mode, xattr;
	bool keep; /* the file stays open */
};

extern const char *const what_name[OPERATIONS];

void model_start(struct state *s, uint64_t seed, unsigned int worker);
/* The operation that follows; tag is its number. */
void model_choose(const struct state *s, uint32_t tag, struct operation *o);
void model_apply(struct state *s, const struct operation *o);

/* Is it done by one store?  Else a crash may leave any part of it, see compare.c. */
bool model_atomic(const struct operation *o);

/* All of these want room for PATH_MAX bytes. */
int model_name(int name, char *text);
void model_path(const struct state *s, struct place place, char *text);
/* A path of that node, which has one. */
void model_any_path(const struct state *s, int node, char *text);
void model_text(const struct state *s, const struct operation *o, char *text, size_t room);
/* What a tag stands for: the bytes of that block of the file, a target, a value. */
void model_block(const struct state *s, uint32_t tag, uint32_t block, uint64_t *bytes);
size_t model_string(const struct state *s, uint32_t tag, char *text);
#define STRING_MAX 300 /* bytes of a target or value */

/* perform.c: in the working directory; 0 or -errno. */
int perform(const struct state *s, const struct operation *o);

/*
 * compare.c: is the working directory as in s; or, with after, as it may be between s
 * and after, which differ by operation o?  Says what differs into text, with that
 * much room.
 */
bool compare(const struct state *s, const struct state *after, const struct operation *o,
	     char *text, size_t room);

#endif

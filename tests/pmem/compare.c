// SPDX-License-Identifier: GPL-2.0-only
/*
 * The working directory beside the model.
 *
 * What an operation that was begun, and of which nobody has said that it is done, may
 * have left: operations on names, the size, the mode and extended attributes have
 * happened as a whole or not at all, so all is as before or as after.  write(), stores
 * and punching are not: each byte in the range that they change is as before or as
 * after, in any mixture.  A file that a write makes longer has its old or its new
 * size, or one between them that ends a page, and what it has gained is what was
 * written: the size never runs ahead.  Nothing else may differ.
 */
#include "model.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PAGE 4096

struct comparison {
	const struct state *s, *after;
	const struct operation *o;
	ino_t ino[NODES];
	char *text;
	size_t room;
};

__attribute__((format(printf, 3, 4))) static bool
differs(struct comparison *c, const char *path, const char *fmt, ...)
{
	int len = snprintf(c->text, c->room, "%.60s: ", path);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->text + len, c->room - len, fmt, ap);
	va_end(ap);
	return false;
}

static bool same_block(struct comparison *c, const char *path, int node, uint32_t block,
		       const uint64_t *got)
{
	const struct node *n = &c->s->node[node], *m = c->after ? &c->after->node[node] : n;
	uint64_t before[BLOCK / 8], after[BLOCK / 8];
	const unsigned char *g = (void *)got, *b = (void *)before, *a = (void *)after;
	bool gained = block >= n->blocks;

	model_block(c->s, n->block[block], block, before);
	if (!gained && !memcmp(got, before, BLOCK))
		return true;
	model_block(c->s, m->block[block], block, after);
	for (int i = 0; i < BLOCK; i++) {
		if (g[i] == a[i] || (!gained && g[i] == b[i]))
			continue;
		return differs(c, path, "byte %d of block %u is %#x, not %#x of operation %u%s",
			       i, block, g[i], b[i], n->block[block],
			       c->after ? ", nor as the one that was begun leaves it" : "");
	}
	return true;
}

/* Every other file is read through a mapping: by the tables that were left. */
static bool same_bytes(struct comparison *c, const char *path, int node, size_t size)
{
	int fd = open(path, O_RDONLY);
	bool mapped = node % 2, same = true;
	char *bytes = NULL;
	ssize_t n = 0;

	if (fd < 0)
		return differs(c, path, "cannot be opened: %s", strerror(errno));
	if (size && mapped) {
		bytes = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
		if (bytes == MAP_FAILED)
			same = differs(c, path, "cannot be mapped: %s", strerror(errno));
	} else if (size) {
		bytes = malloc(size);
		for (size_t done = 0; bytes && done < size; done += n) {
			n = read(fd, bytes + done, size - done);
			if (n <= 0) {
				same = differs(c, path, "cannot be read at %zu: %s", done,
					       strerror(errno));
				break;
			}
		}
	}
	for (uint32_t i = 0; same && i < size / BLOCK; i++)
		same = same_block(c, path, node, i, (uint64_t *)(bytes + (size_t)i * BLOCK));
	if (!mapped)
		free(bytes);
	else if (size && bytes != MAP_FAILED)
		munmap(bytes, size);
	close(fd);
	return same;
}

static bool same_size(struct comparison *c, const char *path, int node, size_t size)
{
	size_t before = (size_t)c->s->node[node].blocks * BLOCK, after = before;

	if (c->after)
		after = (size_t)c->after->node[node].blocks * BLOCK;
	if (size == before || size == after)
		return true;
	if (size > before && size < after && size % PAGE == 0)
		return true;
	return differs(c, path, "has %zu bytes, not %zu%s", size, before,
		       after != before ? ", nor any number the write may leave" : "");
}

static bool same_attributes(struct comparison *c, const char *path, int node)
{
	char name[16], list[256], want[STRING_MAX + 1], got[STRING_MAX + 1];
	const struct node *n = &c->s->node[node];
	ssize_t names = 0, len;

	for (unsigned int i = 0; i < XATTRS; i++) {
		ssize_t wanted = -1;

		snprintf(name, sizeof(name), "user.x%u", i);
		len = getxattr(path, name, got, sizeof(got));
		if (n->xattr[i]) {
			names += strlen(name) + 1;
			wanted = model_string(c->s, n->xattr[i], want);
		} else if (len < 0 && errno != ENODATA) {
			return differs(c, path, "%s: %s", name, strerror(errno));
		}
		if (len != wanted || (len > 0 && memcmp(got, want, len)))
			return differs(c, path, "%s has %zd bytes, not the %zd of operation %u",
				       name, len, wanted, n->xattr[i]);
	}
	len = listxattr(path, list, sizeof(list));
	if (len != names)
		return differs(c, path, "has %zd bytes of extended attributes' names, not %zd",
			       len, names);
	return true;
}

static bool same_target(struct comparison *c, const char *path, int node)
{
	char want[STRING_MAX + 1], got[STRING_MAX + 2];
	ssize_t len = readlink(path, got, sizeof(got) - 1);

	got[len < 0 ? 0 : len] = 0;
	model_string(c->s, c->s->node[node].target, want);
	if (strcmp(got, want))
		return differs(c, path, "leads to %.20s..., not %.20s...", got, want);
	return true;
}

static bool same_directory(struct comparison *c, const char *path, int node);

static bool same_node(struct comparison *c, const char *path, int node)
{
	static const mode_t type[] = {
		[REGULAR] = S_IFREG, [DIRECTORY] = S_IFDIR, [SYMLINK] = S_IFLNK,
	};
	const struct node *n = &c->s->node[node];
	struct stat st;

	if (lstat(path, &st))
		return differs(c, path, "is not there: %s", strerror(errno));
	if ((st.st_mode & S_IFMT) != type[n->kind])
		return differs(c, path, "has mode %o, should have type %o", st.st_mode,
			       type[n->kind]);
	if (c->ino[node] && c->ino[node] != st.st_ino)
		return differs(c, path, "is another file than under its other name");
	if (c->ino[node])
		return true;
	for (int i = 0; i < NODES; i++)
		if (c->ino[i] == st.st_ino)
			return differs(c, path, "is a file that should have other names only");
	c->ino[node] = st.st_ino;
	if (n->kind == SYMLINK)
		return same_target(c, path, node);
	if ((st.st_mode & 07777) != n->mode)
		return differs(c, path, "has mode %o, not %o", st.st_mode & 07777, n->mode);
	if (!same_attributes(c, path, node))
		return false;
	if (n->kind == DIRECTORY)
		return same_directory(c, path, node);
	if (st.st_nlink != n->links)
		return differs(c, path, "has %ju names, not %u", (uintmax_t)st.st_nlink,
			       n->links);
	return same_size(c, path, node, st.st_size) && same_bytes(c, path, node, st.st_size);
}

static bool same_directory(struct comparison *c, const char *path, int node)
{
	char text[PATH_MAX], below[PATH_MAX];
	DIR *dir = opendir(path);
	bool same = true;
	int there = 0, names = 0;

	if (!dir)
		return differs(c, path, "cannot be read: %s", strerror(errno));
	for (struct dirent *d; same && (d = readdir(dir));) {
		int name = 0;

		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		for (; name < NAMES; name++) {
			model_name(name, text);
			if (!strcmp(text, d->d_name) && c->s->node[node].name[name] != NONE)
				break;
		}
		if (name == NAMES)
			same = differs(c, path, "has %.60s, which it should not", d->d_name);
		there++;
	}
	closedir(dir);
	for (int name = 0; same && name < NAMES; name++) {
		if (c->s->node[node].name[name] == NONE)
			continue;
		names++;
		model_name(name, text);
		if (node == TOP)
			strcpy(below, text);
		else
			snprintf(below, sizeof(below), "%.255s/%.255s", path, text);
		same = same_node(c, below, c->s->node[node].name[name]);
	}
	if (same && there != names)
		return differs(c, path, "is read as %d names, of which there are %d", there,
			       names);
	return same;
}

bool compare(const struct state *s, const struct state *after, const struct operation *o,
	     char *text, size_t room)
{
	struct comparison c = { .s = s, .after = after, .o = o, .text = text, .room = room };

	return same_directory(&c, ".", TOP);
}

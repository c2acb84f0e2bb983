// SPDX-License-Identifier: GPL-2.0-only
/* The operations of the model, by system calls in the working directory. */
#include "model.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PAGE 4096

static char *content(const struct state *s, const struct operation *o)
{
	char *bytes = malloc((size_t)o->count * BLOCK);

	for (uint32_t i = 0; bytes && i < o->count; i++)
		model_block(s, o->tag, o->first + i, (uint64_t *)(bytes + (size_t)i * BLOCK));
	return bytes;
}

static int put(int fd, const struct state *s, const struct operation *o)
{
	size_t done = 0, len = (size_t)o->count * BLOCK;
	char *bytes = content(s, o);
	ssize_t n = 0;

	while (bytes && done < len) {
		n = pwrite(fd, bytes + done, len - done, (off_t)o->first * BLOCK + done);
		if (n <= 0)
			break;
		done += n;
	}
	free(bytes);
	return done == len ? 0 : -1;
}

static int store(int fd, const struct state *s, const struct operation *o)
{
	off_t from = (off_t)o->first * BLOCK, start = from & -(off_t)PAGE;
	size_t len = (size_t)o->count * BLOCK;
	char *bytes = content(s, o);
	char *p = bytes ? mmap(NULL, from + len - start, PROT_READ | PROT_WRITE, MAP_SHARED,
			       fd, start) :
			  MAP_FAILED;

	if (p != MAP_FAILED) {
		memcpy(p + (from - start), bytes, len);
		munmap(p, from + len - start);
	}
	free(bytes);
	return p == MAP_FAILED ? -1 : 0;
}

static int change(const char *path, const struct state *s, const struct operation *o)
{
	int fd = open(path, O_RDWR), err;

	if (fd < 0)
		return -1;
	switch (o->what) {
	case WRITE:
		err = put(fd, s, o);
		break;
	case STORE:
		err = store(fd, s, o);
		break;
	case PUNCH:
		err = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				(off_t)o->first * BLOCK, (off_t)o->count * BLOCK);
		break;
	default:
		err = ftruncate(fd, (off_t)o->first * BLOCK);
	}
	close(fd);
	return err;
}

/* Some files go when they have no name any more, others when nobody has them open. */
static int remove_name(const char *path, bool keep)
{
	static int kept[8];
	static unsigned int next;
	int *fd = &kept[next % 8];

	if (keep) {
		if (*fd > 0)
			close(*fd);
		*fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		next++;
	}
	return unlink(path);
}

static int create(const char *path, unsigned int mode)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, mode);

	return fd < 0 ? -1 : close(fd);
}

static int call(const struct state *s, const struct operation *o)
{
	char from[PATH_MAX] = "", to[PATH_MAX] = "", text[STRING_MAX + 1], name[16];
	bool makes = o->what == CREATE || o->what == MAKEDIR || o->what == MAKELINK;

	if (!makes)
		model_path(s, o->from, from);
	if (makes || o->what == RENAME || o->what == EXCHANGE || o->what == LINK)
		model_path(s, o->to, to);
	switch (o->what) {
	case CREATE:
		return create(to, o->mode);
	case WRITE:
	case STORE:
	case TRUNCATE:
	case PUNCH:
		return change(from, s, o);
	case RENAME:
		return rename(from, to);
	case EXCHANGE:
		return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE);
	case LINK:
		return link(from, to);
	case UNLINK:
		return remove_name(from, o->keep);
	case MAKEDIR:
		return mkdir(to, o->mode);
	case REMOVEDIR:
		return rmdir(from);
	case MAKELINK:
		model_string(s, o->tag, text);
		return symlink(text, to);
	case CHMOD:
		return chmod(from, o->mode);
	case SETXATTR:
		snprintf(name, sizeof(name), "user.x%u", o->xattr);
		return setxattr(from, name, text, model_string(s, o->tag, text), 0);
	case REMOVEXATTR:
		snprintf(name, sizeof(name), "user.x%u", o->xattr);
		return removexattr(from, name);
	case OPERATIONS:
		break;
	}
	errno = EINVAL;
	return -1;
}

int perform(const struct state *s, const struct operation *o)
{
	errno = 0;
	if (!call(s, o))
		return 0;
	return errno ? -errno : -EIO;
}

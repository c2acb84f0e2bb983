// SPDX-License-Identifier: GPL-2.0-only
/* failnth: what there is before an operation, and after it. */
#include "failnth.h"

#include <ftw.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

#define LINES 32
#define LINE 256

off_t window(unsigned int n)
{
	static const off_t start[WINDOWS] = { 0, 2 * MIB - 2 * PAGE,
					      GIB - 2 * PAGE };

	return start[n];
}

static void put(int fd, off_t at, size_t len, unsigned int seed)
{
	static char bytes[WINDOW];

	fill(bytes, at, len, seed);
	if (pwrite(fd, bytes, len, at) != (ssize_t)len)
		bail("write: %s", strerror(errno));
}

static void make_data(enum base base)
{
	int fd = file("data", 0, 0);

	if (base == PAGE_ONE)
		put(fd, 0, PAGE, 1);
	for (unsigned int n = 0; base == FULL && n < WINDOWS; n++)
		put(fd, window(n), WINDOW, 1);
	close(fd);
}

/* user::rwx, user:USER:rwx, group::r-x, mask::rwx, other::--- */
static void make_list(const char *name, const char *which)
{
	struct {
		struct posix_acl_xattr_header header;
		struct posix_acl_xattr_entry entries[5];
	} list = { { POSIX_ACL_XATTR_VERSION },
		   { { ACL_USER_OBJ, 7, ACL_UNDEFINED_ID },
		     { ACL_USER, 7, USER },
		     { ACL_GROUP_OBJ, 5, ACL_UNDEFINED_ID },
		     { ACL_MASK, 7, ACL_UNDEFINED_ID },
		     { ACL_OTHER, 0, ACL_UNDEFINED_ID } } };

	if (setxattr(name, which, &list, sizeof(list), 0))
		bail("%s of %s: %s", which, name, strerror(errno));
}

/* An attribute and a list of 1000 users, together more than the limit of the first. */
static void make_crowded(void)
{
	static struct {
		struct posix_acl_xattr_header header;
		struct posix_acl_xattr_entry entries[1004];
	} list = { { POSIX_ACL_XATTR_VERSION }, { { ACL_USER_OBJ, 6, ACL_UNDEFINED_ID } } };
	static const char value[60000];
	const unsigned int users = 1000;

	for (unsigned int i = 1; i <= users; i++)
		list.entries[i] = (struct posix_acl_xattr_entry){ ACL_USER, 6, 1000 + i };
	list.entries[users + 1] =
		(struct posix_acl_xattr_entry){ ACL_GROUP_OBJ, 4, ACL_UNDEFINED_ID };
	list.entries[users + 2] =
		(struct posix_acl_xattr_entry){ ACL_MASK, 6, ACL_UNDEFINED_ID };
	list.entries[users + 3] =
		(struct posix_acl_xattr_entry){ ACL_OTHER, 0, ACL_UNDEFINED_ID };
	close(file("crowded", 0, 0));
	if (setxattr("crowded", "user.large", value, sizeof(value), 0) ||
	    setxattr("crowded", "system.posix_acl_access", &list, sizeof(list), 0))
		bail("crowded: %s", strerror(errno));
}

void state_make_names(void)
{
	make_crowded();
	close(file("listed", 0, 0));
	if (mkdir("dir", 0755) || mkdir("many", 0755) || mkdir("lists", 0755) ||
	    symlink("other", "symbolic") || link("other", "second") ||
	    setxattr("other", "trusted.t", "t", 1, 0) ||
	    setxattr("other", "user.u", "u", 1, 0))
		bail("cannot make what operations find: %s", strerror(errno));
	close(file("many/a", 0, 0));
	close(file("many/b", 0, 0));
	close(file("many/c", 0, 0));
	make_list("listed", "system.posix_acl_access");
	make_list("lists", "system.posix_acl_default");
}

void state_make(enum base base)
{
	int fd = file("other", 0, 0);

	put(fd, 0, WINDOW, 2);
	close(fd);
	make_data(base);
}

/*
 * Names
 */
static char lines[LINES][LINE];
static unsigned int n_lines;

static unsigned int sum(const char *p, ssize_t len)
{
	unsigned int hash = 2166136261u;

	while (len-- > 0)
		hash = (hash ^ (unsigned char)*p++) * 16777619u;
	return hash;
}

static int add_attributes(const char *path, char *line, int len)
{
	static char value[64 * KIB];
	char names[KIB];
	ssize_t n = llistxattr(path, names, sizeof(names));

	if (n < 0)
		bail("attributes of %s: %s", path, strerror(errno));
	for (char *name = names; name < names + n; name += strlen(name) + 1) {
		ssize_t size = lgetxattr(path, name, value, sizeof(value));

		len += snprintf(line + len, LINE - len, " %s=%zd:%x", name,
				size, sum(value, size));
		if (len >= LINE)
			bail("%s: too many attributes", path);
	}
	return len;
}

static int add_name(const char *path, const struct stat *st, int flag,
		    struct FTW *ftw)
{
	char *line = lines[n_lines++], target[PAGE];
	struct statfs room = { 0 };
	int len;

	(void)ftw;
	if (n_lines == LINES)
		bail("too many names");
	if (flag == FTW_D && statfs(path, &room))
		bail("statfs %s: %s", path, strerror(errno));
	/* That of "data" is looked at apart, and directories say what they like. */
	len = snprintf(line, LINE, "%s %o %u:%u %ju links %jd bytes %ju blocks",
		       path, st->st_mode, st->st_uid, st->st_gid,
		       (uintmax_t)st->st_nlink,
		       S_ISDIR(st->st_mode) || !strcmp(path, "./data") ?
			       0 :
			       (intmax_t)st->st_size,
		       (uintmax_t)room.f_blocks);
	len = add_attributes(path, line, len);
	if (flag == FTW_SL)
		snprintf(line + len, LINE - len, " to %x",
			 sum(target, readlink(path, target, sizeof(target))));
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void take_names(struct state *s)
{
	size_t used = 0;

	n_lines = 0;
	if (nftw(".", add_name, 16, FTW_PHYS))
		bail("cannot list: %s", strerror(errno));
	qsort(lines, n_lines, LINE, by_text);
	for (unsigned int i = 0; i < n_lines; i++)
		used += snprintf(s->names + used, sizeof(s->names) - used,
				 "%s\n", lines[i]);
	if (used >= sizeof(s->names))
		bail("too much to be said of names");
}

void state_take(struct state *s)
{
	int fd = open("data", O_RDONLY | O_CLOEXEC);

	memset(s, 0, sizeof(*s));
	take_names(s);
	if (fd < 0)
		return;
	s->size = status(fd).st_size;
	for (unsigned int n = 0; n < WINDOWS; n++)
		if (pread(fd, s->data[n], WINDOW, window(n)) < 0)
			bail("read: %s", strerror(errno));
	close(fd);
}

static bool same_names(const struct state *a, const struct state *b)
{
	if (!strcmp(a->names, b->names))
		return true;
	note("there is\n%snot\n%s", a->names, b->names);
	return false;
}

bool state_same(const struct state *a, const struct state *b)
{
	if (!same_names(a, b))
		return false;
	if (a->size == b->size && !memcmp(a->data, b->data, sizeof(a->data)))
		return true;
	note("other content, or %jd bytes, not %jd", (intmax_t)a->size,
	     (intmax_t)b->size);
	return false;
}

static bool size_between(off_t size, off_t from, off_t to)
{
	return from < to ? size >= from && size <= to :
			   size >= to && size <= from;
}

bool state_between(const struct state *s, const struct state *from,
		   const struct state *to)
{
	const char *got = s->data[0], *a = from->data[0], *b = to->data[0];

	if (!same_names(s, from))
		return false;
	if (!size_between(s->size, from->size, to->size)) {
		note("%jd bytes", (intmax_t)s->size);
		return false;
	}
	for (size_t i = 0; i < sizeof(s->data); i++)
		if (got[i] != a[i] && got[i] != b[i]) {
			note("byte %zu of window %zu is neither as before nor as after",
			     i % WINDOW, i / WINDOW);
			return false;
		}
	return true;
}

/* By tables of their own, for the right to execute. */
bool state_mapped(const struct state *s)
{
	int fd = open("data", O_RDONLY | O_CLOEXEC);
	bool same = true;
	char *p;

	if (fd < 0 || !s->size)
		return true;
	p = map_file(fd, SPAN, R | X, MAP_SHARED);
	for (unsigned int n = 0; n < WINDOWS; n++) {
		off_t left = s->size - window(n);

		if (left > 0 && memcmp(p + window(n), s->data[n],
				       left < WINDOW ? left : WINDOW))
			same = false;
	}
	munmap(p, SPAN);
	close(fd);
	if (!same)
		note("a mapping has other content");
	return same;
}

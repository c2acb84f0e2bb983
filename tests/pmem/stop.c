// SPDX-License-Identifier: GPL-2.0-only
/*
 * stop names | make DIR | list DIR | run DIR NAME [AFTER FILE] - operations for a
 * machine that is stopped in one of them, see tests/pmem/stop
 *
 * make fills a directory, run does one operation there, list prints what is there, a
 * line for each name and each page that is not all zero, in the same order and words
 * whenever it is the same.  AFTER is written to FILE (crash_after of the module) just
 * before the operation, and 0 after it.
 */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PAGE 4096
#define MIB (1ull << 20)
#define GIB (1ull << 30)
#define HOLES 16 /* pages of the file of that name, of which each second is there */

static int need(const char *what, int ret)
{
	if (ret < 0)
		err(1, "%s", what);
	return ret;
}

static void page(const char *name, off_t at, int with)
{
	int fd = need(name, open(name, O_WRONLY | O_CREAT, 0644));
	char text[PAGE];

	memset(text, with, sizeof(text));
	need(name, pwrite(fd, text, sizeof(text), at));
	close(fd);
}

/* A user more, who may read and write; the owner, the group and others as in 0640. */
static int add_user(const char *name)
{
	struct {
		struct posix_acl_xattr_header header;
		struct posix_acl_xattr_entry entries[5];
	} list = { { POSIX_ACL_XATTR_VERSION },
		   { { ACL_USER_OBJ, 6, ACL_UNDEFINED_ID },
		     { ACL_USER, 6, 9 },
		     { ACL_GROUP_OBJ, 4, ACL_UNDEFINED_ID },
		     { ACL_MASK, 6, ACL_UNDEFINED_ID },
		     { ACL_OTHER, 0, ACL_UNDEFINED_ID } } };

	return setxattr(name, "system.posix_acl_access", &list, sizeof(list), 0);
}

static void make(void)
{
	page("file", 0, 'f');
	page("file", PAGE, 'g');
	need("file", setxattr("file", "user.one", "1", 1, 0));
	page("other", 0, 'o');
	page("wide", 0, 'w');
	page("wide", 2 * GIB, 'x');
	for (int i = 0; i < HOLES; i += 2)
		page("holes", i * PAGE, 'a' + i);
	need("holes", truncate("holes", HOLES * PAGE));
	need("none", open("none", O_CREAT | O_WRONLY, 0600));
	need("dir", mkdir("dir", 0755));
	page("dir/inner", 0, 'i');
	need("dir/hard", link("other", "dir/hard"));
	need("empty", mkdir("empty", 0700));
	need("shared", mkdir("shared", 0700));
	need("shared", add_user("shared"));
	/* The copy of the attributes that does not count is not like the one that does. */
	need("dir", chmod("dir", 0700));
	need("dir", chmod("dir", 0755));
}

static int op_create(void) { return open("new", O_CREAT | O_EXCL | O_WRONLY, 0640); }
static int op_mkdir(void) { return mkdir("dir/new", 0750); }
static int op_symlink(void) { return symlink("dir/inner", "new"); }
static int op_link(void) { return link("file", "dir/link"); }
static int op_unlink(void) { return unlink("wide"); }
static int op_rmdir(void) { return rmdir("empty"); }
static int op_rename(void) { return rename("file", "dir/new"); }
static int op_over(void) { return rename("file", "dir/inner"); }
static int op_rename_dir(void) { return rename("dir", "empty"); }
static int op_truncate(void) { return truncate("holes", 5 * PAGE / 2); }
static int op_chmod(void) { return chmod("dir", 02711); }
static int op_setfacl(void) { return add_user("other"); }
static int op_chmod_acl(void) { return chmod("shared", 01777); }
static int op_remove(void) { return removexattr("file", "user.one"); }

static int op_write(void)
{
	page("none", 0, 'n');
	return 0;
}

static int op_fill(void)
{
	page("wide", 1 * GIB, 'y');
	return 0;
}

static int op_grow_2(void)
{
	page("file", 4 * MIB, 'h');
	return 0;
}

static int op_grow_3(void)
{
	page("file", 3 * GIB, 'h');
	return 0;
}

static int op_punch(void)
{
	int fd = need("holes", open("holes", O_RDWR));

	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2 * PAGE, 7 * PAGE);
}

static int op_allocate(void)
{
	int fd = need("holes", open("holes", O_RDWR));

	return fallocate(fd, 0, 0, (HOLES + 2) * PAGE);
}

static int op_exchange(void)
{
	return renameat2(AT_FDCWD, "file", AT_FDCWD, "dir", RENAME_EXCHANGE);
}

static int op_whiteout(void)
{
	return renameat2(AT_FDCWD, "file", AT_FDCWD, "dir/new", RENAME_WHITEOUT);
}

static int op_setxattr(void)
{
	char value[5000];

	memset(value, 'v', sizeof(value));
	return setxattr("file", "user.two", value, sizeof(value), 0);
}

static const struct {
	const char *name;
	int (*run)(void);
} ops[] = {
	{ "over", op_over },	     { "create", op_create },	{ "mkdir", op_mkdir },
	{ "symlink", op_symlink },   { "link", op_link },	{ "unlink", op_unlink },
	{ "rmdir", op_rmdir },	     { "rename", op_rename },	{ "rename-dir", op_rename_dir },
	{ "exchange", op_exchange }, { "whiteout", op_whiteout }, { "truncate", op_truncate },
	{ "punch", op_punch },	     { "allocate", op_allocate }, { "write", op_write },
	{ "fill", op_fill },	     { "grow-2", op_grow_2 },	{ "grow-3", op_grow_3 },
	{ "chmod", op_chmod },	     { "setxattr", op_setxattr }, { "remove", op_remove },
	{ "setfacl", op_setfacl },   { "chmod-acl", op_chmod_acl },
};

#define OPS (sizeof(ops) / sizeof(*ops))

static unsigned int sum(const char *p, size_t bytes)
{
	unsigned int hash = 2166136261u;

	while (bytes--)
		hash = (hash ^ (unsigned char)*p++) * 16777619u;
	return hash;
}

static void list_pages(const char *path, off_t size)
{
	static const char zero[PAGE];
	int fd = need(path, open(path, O_RDONLY | O_NOATIME));
	off_t at = 0;

	while ((at = lseek(fd, at, SEEK_DATA)) >= 0 && at < size) {
		char text[PAGE] = "";

		need(path, pread(fd, text, sizeof(text), at));
		if (memcmp(text, zero, PAGE))
			printf("%s page %lld %08x\n", path, (long long)at / PAGE,
			       sum(text, sizeof(text)));
		at += PAGE;
	}
	close(fd);
}

static void list_xattrs(const char *path)
{
	char names[1024], value[65536];
	ssize_t all = need(path, llistxattr(path, names, sizeof(names)));

	for (char *name = names; name < names + all; name += strlen(name) + 1) {
		ssize_t bytes = need(name, lgetxattr(path, name, value, sizeof(value)));

		printf("%s has %s %zd %08x\n", path, name, bytes, sum(value, bytes));
	}
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void list(const char *path)
{
	char target[PAGE] = "";
	struct dirent **names;
	struct stat st;
	int count;

	need(path, lstat(path, &st));
	if (S_ISLNK(st.st_mode))
		need(path, readlink(path, target, sizeof(target) - 1));
	printf("%s mode %o of %u:%u, %lu names, %lld bytes, device %lx %s\n", path, st.st_mode,
	       st.st_uid, st.st_gid, (unsigned long)st.st_nlink,
	       S_ISDIR(st.st_mode) ? 0LL : (long long)st.st_size, (unsigned long)st.st_rdev,
	       target);
	list_xattrs(path);
	if (S_ISREG(st.st_mode))
		list_pages(path, st.st_size);
	if (!S_ISDIR(st.st_mode))
		return;
	count = need(path, scandir(path, &names, NULL, by_name));
	for (int i = 0; i < count; i++) {
		char below[PAGE];

		snprintf(below, sizeof(below), "%s/%s", path, names[i]->d_name);
		if (strcmp(names[i]->d_name, ".") && strcmp(names[i]->d_name, ".."))
			list(below);
	}
}

static void run(const char *name, const char *after, const char *file)
{
	int fd = after ? need(file, open(file, O_WRONLY)) : -1, ret;
	size_t i = 0;

	while (i < OPS && strcmp(ops[i].name, name))
		i++;
	if (i == OPS)
		errx(2, "no operation %s", name);
	if (after)
		need(file, write(fd, after, strlen(after)));
	ret = ops[i].run();
	if (after)
		need(file, write(fd, "0", 1));
	need(name, ret);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "names")) {
		for (size_t i = 0; i < OPS; i++)
			puts(ops[i].name);
		return 0;
	}
	if (argc < 3)
		errx(2, "names | make DIR | list DIR | run DIR NAME [AFTER FILE]");
	need(argv[2], chdir(argv[2]));
	if (!strcmp(what, "make"))
		make();
	else if (!strcmp(what, "list"))
		list(".");
	else if (!strcmp(what, "run") && argc >= 4)
		run(argv[3], argc >= 6 ? argv[4] : NULL, argv[5]);
	else
		errx(2, "what is %s?", what);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/* Extended attributes, and access control lists, which are some. */
#include "fs.h"

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/xattr.h>

#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"

static char value[4096], got[65536];

/* What every kind of attribute must do. */
static void attribute(const char *name)
{
	int fd = file("x", 0, 0), n, found = 0;

	memset(value, 'v', sizeof(value));
	is_errno(fgetxattr(fd, name, got, 10), ENODATA, "%s: none", name);
	is_errno(fsetxattr(fd, name, value, 5, XATTR_REPLACE), ENODATA,
		 "REPLACE of none");
	is(fsetxattr(fd, name, value, 5, XATTR_CREATE), 0, "CREATE");
	is_errno(fsetxattr(fd, name, value, 5, XATTR_CREATE), EEXIST,
		 "CREATE again");
	is(fgetxattr(fd, name, NULL, 0), 5, "its size");
	is(getxattr("x", name, got, sizeof(got)), 5, "it is read");
	is(memcmp(got, value, 5), 0, "as it was written");
	is_errno(fgetxattr(fd, name, got, 4), ERANGE, "too little room");
	is(setxattr("x", name, value, sizeof(value), XATTR_REPLACE), 0,
	   "REPLACE by a page");
	is(fgetxattr(fd, name, got, sizeof(got)), sizeof(value), "its size");
	is(fsetxattr(fd, name, "", 0, 0), 0, "an empty value");
	is(fgetxattr(fd, name, got, sizeof(got)), 0, "is one");
	n = flistxattr(fd, got, sizeof(got));
	for (char *p = got; p < got + n; p += strlen(p) + 1)
		found += !strcmp(p, name);
	is(found, 1, "it is in the list");
	is(flistxattr(fd, NULL, 0), n, "which has that size");
	is(fremovexattr(fd, name), 0, "removed");
	is_errno(fremovexattr(fd, name), ENODATA, "removed again");
	close(fd);
	mkdir("dir", 0755);
	is(setxattr("dir", name, "d", 1, 0), 0, "on a directory");
	is(rename("dir", "dir2"), 0, "renamed");
	is(getxattr("dir2", name, got, 1), 1, "it stays");
	rmdir("dir2");
	unlink("x");
}

static int as_user(void *arg)
{
	become(USER, USER);
	need(getxattr("hidden", "trusted.t", got, 1) == -1 && errno == ENODATA);
	need(setxattr("hidden", "trusted.t", "x", 1, 0) == -1 &&
	     errno == EPERM);
	for (char *p = got, *end = got + listxattr("hidden", got, sizeof(got));
	     p < end; p += strlen(p) + 1)
		need(strncmp(p, "trusted.", 8));
	(void)arg;
	return 0;
}

static void trusted(void)
{
	close(file("hidden", 0, 0));
	chmod("hidden", 0666);
	setxattr("hidden", "trusted.t", "t", 1, 0);
	is(reap(spawn(as_user, NULL)), 0, "users see nothing of trusted.*");
	symlink("hidden", "link");
	is(lsetxattr("link", "trusted.l", "l", 1, 0), 0, "on a link");
	is_errno(getxattr("link", "trusted.l", got, 1), ENODATA,
		 "and not on what it leads to");
}

static int user_attributes(void *arg)
{
	int fd;

	become(USER, USER);
	fd = open("users", O_RDONLY);
	need(fd >= 0);
	need(fgetxattr(fd, "user.u", got, 1) == 1);
	need(fsetxattr(fd, "user.u", "x", 1, 0) == -1 && errno == EACCES);
	(void)arg;
	return 0;
}

static void users(void)
{
	int fd = file("users", 0, 0);

	if (opt_old) {
		is_errno(fsetxattr(fd, "user.u", "u", 1, 0), EOPNOTSUPP,
			 "no user.* attributes");
		close(fd);
		return;
	}
	attribute("user.u");
	fsetxattr(fd, "user.u", "u", 1, 0);
	is(reap(spawn(user_attributes, NULL)), 0,
	   "who may read may read user.*, and not write");
	symlink("users", "symbolic");
	is_errno(lsetxattr("symbolic", "user.u", "u", 1, 0), EPERM,
		 "not on a symbolic link");
	mkfifo("fifo", 0644);
	is_errno(setxattr("fifo", "user.u", "u", 1, 0), EPERM, "nor on a fifo");
	close(fd);
}

/*
 * Lists
 */
struct list {
	struct posix_acl_xattr_header header;
	struct posix_acl_xattr_entry entries[5];
};

/* user::rw-, user:USER:rights, group::r--, mask::mask, other::--- */
static struct list list(unsigned int rights, unsigned int mask)
{
	return (struct list){ { POSIX_ACL_XATTR_VERSION },
			      { { ACL_USER_OBJ, 6, ACL_UNDEFINED_ID },
				{ ACL_USER, rights, USER },
				{ ACL_GROUP_OBJ, 4, ACL_UNDEFINED_ID },
				{ ACL_MASK, mask, ACL_UNDEFINED_ID },
				{ ACL_OTHER, 0, ACL_UNDEFINED_ID } } };
}

struct
try {
	const char *name;
	uid_t uid;
	int flags;
};

static int try_open(void *arg)
{
	struct try *try = arg;

	become(try->uid, try->uid);
	return open(try->name, try->flags) < 0 ? errno : 0;
}

/* What a user gets: 0 or an errno. */
static int opens(const char *name, uid_t uid, int flags)
{
	struct try try = { name, uid, flags };

	return reap(spawn(try_open, &try));
}

static int try_acl(void *arg)
{
	struct list l = list(7, 7);

	become(USER, USER);
	(void)arg;
	return setxattr("acl", ACCESS, &l, sizeof(l), 0) ? errno : 0;
}

static void access_lists(void)
{
	int fd = file("acl", 0, 0);
	struct list l = list(6, 6), back;

	fchmod(fd, 0640);
	is_errno(fgetxattr(fd, ACCESS, got, sizeof(got)), ENODATA, "no list");
	is(opens("acl", USER, O_RDWR), EACCES, "no access");
	is(fsetxattr(fd, ACCESS, &l, sizeof(l), 0), 0, "a list");
	is(fgetxattr(fd, ACCESS, &back, sizeof(back)), sizeof(l), "is read");
	is(memcmp(&l, &back, sizeof(l)), 0, "as it was written");
	is(opens("acl", USER, O_RDWR), 0, "who is on it gets in");
	is(opens("acl", OTHER, O_RDONLY), EACCES, "who is not does not");
	is(status(fd).st_mode & 0777, 0660, "the mask is the group's mode");
	is(fchmod(fd, 0640), 0, "chmod");
	is(opens("acl", USER, O_RDWR), EACCES, "takes it from the mask");
	is(opens("acl", USER, O_RDONLY), 0, "as far as it goes");
	is(fgetxattr(fd, ACCESS, &back, sizeof(back)), sizeof(l), "the list");
	is(back.entries[3].e_perm, 4, "has that mask");
	is(reap(spawn(try_acl, NULL)), EPERM, "only the owner sets one");
	l.entries[4].e_tag = ACL_MASK;
	is_errno(fsetxattr(fd, ACCESS, &l, sizeof(l), 0), EINVAL,
		 "one that is none");
	is(fremovexattr(fd, ACCESS), 0, "removed");
	is(opens("acl", USER, O_RDONLY), EACCES, "no access again");
	is_errno(fsetxattr(fd, DEFAULT, &back, sizeof(back), 0), EACCES,
		 "a file has no default list");
	close(fd);
}

/* A list that says no more than a mode is none. */
static void short_list(void)
{
	struct {
		struct posix_acl_xattr_header header;
		struct posix_acl_xattr_entry entries[3];
	} l = { { POSIX_ACL_XATTR_VERSION },
		{ { ACL_USER_OBJ, 7, ACL_UNDEFINED_ID },
		  { ACL_GROUP_OBJ, 5, ACL_UNDEFINED_ID },
		  { ACL_OTHER, 1, ACL_UNDEFINED_ID } } };
	int fd = file("short", 0, 0);

	is(fsetxattr(fd, ACCESS, &l, sizeof(l), 0), 0, "a list like a mode");
	is(status(fd).st_mode & 0777, 0751, "is one");
	is_errno(fgetxattr(fd, ACCESS, got, sizeof(got)), ENODATA, "only");
	close(fd);
}

static void default_lists(void)
{
	struct list l = list(7, 7);
	int fd;

	mkdir("home", 0755);
	is(setxattr("home", DEFAULT, &l, sizeof(l), 0), 0, "a default list");
	umask(077);
	fd = file("home/file", 0, 0);
	mkdir("home/dir", 0777);
	umask(0);
	is(fgetxattr(fd, ACCESS, got, sizeof(got)), sizeof(l),
	   "a file gets it");
	is(opens("home/file", USER, O_RDONLY), 0, "and who is on it");
	is(opens("home/file", OTHER, O_RDONLY), EACCES, "nobody else");
	is(opens("home/file", USER, O_WRONLY), EACCES,
	   "as far as the mode of creation goes");
	is(getxattr("home/dir", DEFAULT, got, sizeof(got)), sizeof(l),
	   "a directory hands it on");
	close(fd);
	is(removexattr("home", DEFAULT), 0, "removed");
	fd = file("home/plain", 0, 0);
	is_errno(fgetxattr(fd, ACCESS, got, sizeof(got)), ENODATA,
		 "the next file gets none");
	close(fd);
}

int main(int argc, char **argv)
{
	fs_init(argc, argv);
	attribute("trusted.t");
	attribute("security.s");
	trusted();
	users();
	is_errno(setxattr(".", "unknown.u", "u", 1, 0), EOPNOTSUPP,
		 "no other attributes");
	access_lists();
	short_list();
	default_lists();
	return fs_done();
}

// SPDX-License-Identifier: GPL-2.0-only
/* The matrix of permissions: operations, and the rules about them. */
#include "permissions.h"

#include <linux/fs.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

/* Capabilities of a namespace are good for what has both IDs in it. */
static bool capable(const struct subject *s, const struct object *o)
{
	return s->root &&
	       (!s->ns || ((o->uid == s->uid || o->uid == s->mapped_uid) &&
			   (o->gid == s->gid || o->gid == s->mapped_gid)));
}

static bool in_group(const struct subject *s, gid_t gid)
{
	return s->gid == gid || s->group == gid;
}

/* The first class that fits is the one that counts; 0 or EACCES. */
static int may(const struct subject *s, const struct object *o, mode_t want)
{
	unsigned int shift = o->uid == s->uid ? 6 : in_group(s, o->gid) ? 3 : 0;

	if ((o->mode >> shift & want) == want)
		return 0;
	/* Only what is executable for somebody is for root. */
	if (capable(s, o) &&
	    (S_ISDIR(o->mode) || !(want & MAY_X) || o->mode & 0111))
		return 0;
	return EACCES;
}

/* To act for an owner takes that owner's ID in the namespace, and no more. */
static bool owns(const struct subject *s, const struct object *o)
{
	return s->uid == o->uid ||
	       (s->root && (!s->ns || o->uid == s->mapped_uid));
}

static int owner_only(const struct subject *s, const struct object *o)
{
	return owns(s, o) ? 0 : EPERM;
}

static int may_enter(const struct subject *s, const struct scene *c)
{
	return may(s, &c->dir, MAY_X);
}

static int may_add(const struct subject *s, const struct scene *c)
{
	return may(s, &c->dir, MAY_W | MAY_X);
}

/* From a sticky directory only one's own, or whatever is in one's own. */
static int may_remove(const struct subject *s, const struct scene *c)
{
	int err = may_add(s, c);

	if (err || !(c->dir.mode & S_ISVTX) || s->uid == c->dir.uid ||
	    s->uid == c->file.uid)
		return err;
	return capable(s, &c->file) ? 0 : EPERM;
}

/*
 * Operations, each followed by its rule where that is not one of the above.
 */
static int do_read(void)
{
	return failed(open("d/f", O_RDONLY));
}

static int rule_read(const struct subject *s, const struct scene *c)
{
	return may(s, &c->file, MAY_R);
}

static int do_write(void)
{
	return failed(open("d/f", O_WRONLY));
}

static int rule_write(const struct subject *s, const struct scene *c)
{
	return may(s, &c->file, MAY_W);
}

static int do_map(void)
{
	int fd = open("d/f", O_RDWR);
	char *p;

	if (fd < 0)
		return errno;
	p = map_file(fd, PAGE, RW, MAP_SHARED);
	p[0] = 'x';
	munmap(p, PAGE);
	close(fd);
	return 0;
}

static int rule_map(const struct subject *s, const struct scene *c)
{
	return may(s, &c->file, MAY_R | MAY_W);
}

static int do_truncate(void)
{
	return failed(truncate("d/f", 1));
}

/* Not a program: whether it is tried as one is the question. */
static int do_execute(void)
{
	char *const argv[] = { "f", NULL };

	execve("d/f", argv, NULL);
	return errno == ENOEXEC ? 0 : errno;
}

static int rule_execute(const struct subject *s, const struct scene *c)
{
	return may(s, &c->file, MAY_X);
}

static int do_access(void)
{
	return failed(faccessat(AT_FDCWD, "d/f", R_OK | W_OK | X_OK, 0));
}

static int rule_access(const struct subject *s, const struct scene *c)
{
	return may(s, &c->file, MAY_R | MAY_W | MAY_X);
}

static int do_noatime(void)
{
	return failed(open("d/f", O_RDONLY | O_NOATIME));
}

static int rule_noatime(const struct subject *s, const struct scene *c)
{
	int err = may(s, &c->file, MAY_R);

	return err ? err : owner_only(s, &c->file);
}

static int do_chmod(void)
{
	return failed(chmod("d/f", 0));
}

static int rule_own(const struct subject *s, const struct scene *c)
{
	return owner_only(s, &c->file);
}

static int rule_give(const struct subject *s, const struct scene *c)
{
	return s->uid == c->file.uid || capable(s, &c->file) ? 0 : EPERM;
}

static int do_chown(void)
{
	return failed(chown("d/f", getuid(), -1));
}

static int do_chgrp(void)
{
	return failed(chown("d/f", -1, getgid()));
}

static int do_set_times(void)
{
	struct timespec times[2] = { { 1, 1 }, { 1, 1 } };

	return failed(utimensat(AT_FDCWD, "d/f", times, 0));
}

static int do_touch(void)
{
	return failed(utimensat(AT_FDCWD, "d/f", NULL, 0));
}

static int rule_touch(const struct subject *s, const struct scene *c)
{
	return owns(s, &c->file) ? 0 : may(s, &c->file, MAY_W);
}

static int do_list_set(void)
{
	struct {
		struct posix_acl_xattr_header header;
		struct posix_acl_xattr_entry entries[3];
	} list = { { POSIX_ACL_XATTR_VERSION },
		   { { ACL_USER_OBJ, 7, ACL_UNDEFINED_ID },
		     { ACL_GROUP_OBJ, 5, ACL_UNDEFINED_ID },
		     { ACL_OTHER, 1, ACL_UNDEFINED_ID } } };

	return failed(setxattr("d/f", "system.posix_acl_access", &list,
			       sizeof(list), 0));
}

static int do_user_attribute(void)
{
	return failed(setxattr("d/f", "user.u", "u", 1, 0));
}

static int rule_user_attribute(const struct subject *s, const struct scene *c)
{
	int err = may(s, &c->file, MAY_W);

	return err ? err : opt_old ? EOPNOTSUPP : 0;
}

static int do_trusted(void)
{
	return failed(setxattr("d/f", "trusted.t", "t", 1, 0));
}

/* The root of a namespace is none here. */
static int rule_real_root(const struct subject *s, const struct scene *c)
{
	(void)c;
	return s->root && !s->ns ? 0 : EPERM;
}

static int do_enter(void)
{
	int here = open(".", O_PATH), err = failed(chdir("d"));

	if (!err && fchdir(here))
		bail("fchdir: %s", strerror(errno));
	close(here);
	return err;
}

static int do_stat(void)
{
	struct stat st;

	return failed(stat("d/f", &st));
}

static int do_list(void)
{
	return failed(open("d", O_RDONLY | O_DIRECTORY));
}

static int rule_list(const struct subject *s, const struct scene *c)
{
	return may(s, &c->dir, MAY_R);
}

static int do_create(void)
{
	return failed(open("d/new", O_CREAT | O_EXCL | O_RDWR, 0));
}

static int do_mkdir(void)
{
	return failed(mkdir("d/new", 0));
}

static int do_symlink(void)
{
	return failed(symlink("f", "d/new"));
}

static int do_fifo(void)
{
	return failed(mkfifo("d/new", 0));
}

static int do_device(void)
{
	return failed(mknod("d/new", S_IFCHR, makedev(1, 3)));
}

static int rule_device(const struct subject *s, const struct scene *c)
{
	int err = may_add(s, c);

	return err ? err : rule_real_root(s, c);
}

static int do_tmpfile(void)
{
	return failed(open("d", O_TMPFILE | O_RDWR, 0));
}

static int do_link(void)
{
	return failed(link("d/f", "d/new"));
}

static int do_unlink(void)
{
	return failed(unlink("d/f"));
}

static int do_rmdir(void)
{
	return failed(rmdir("d/s"));
}

static int do_rename(void)
{
	return failed(rename("d/f", "d/new"));
}

static int do_exchange(void)
{
	return failed(
		renameat2(AT_FDCWD, "d/f", AT_FDCWD, "d/g", RENAME_EXCHANGE));
}

const struct op on_files[] = {
	{ "read", do_read, rule_read },
	{ "write", do_write, rule_write },
	{ "map and write", do_map, rule_map },
	{ "truncate", do_truncate, rule_write },
	{ "execute", do_execute, rule_execute },
	{ "access", do_access, rule_access },
	{ "read with O_NOATIME", do_noatime, rule_noatime },
	{ "chmod", do_chmod, rule_own },
	{ "chown to oneself", do_chown, rule_give },
	{ "chgrp to one's own", do_chgrp, rule_give },
	{ "set times", do_set_times, rule_own },
	{ "touch", do_touch, rule_touch },
	{ "set a list", do_list_set, rule_own },
	{ "set user.*", do_user_attribute, rule_user_attribute },
	{ "set trusted.*", do_trusted, rule_real_root },
};

const size_t n_on_files = sizeof(on_files) / sizeof(*on_files);

const struct op on_directories[] = {
	{ "enter", do_enter, may_enter },
	{ "stat", do_stat, may_enter },
	{ "list", do_list, rule_list },
	{ "create", do_create, may_add },
	{ "mkdir", do_mkdir, may_add },
	{ "symlink", do_symlink, may_add },
	{ "mkfifo", do_fifo, may_add },
	{ "mknod", do_device, rule_device },
	{ "O_TMPFILE", do_tmpfile, may_add },
	{ "link", do_link, may_add },
	{ "unlink", do_unlink, may_remove },
	{ "rmdir", do_rmdir, may_remove },
	{ "rename", do_rename, may_remove },
	{ "exchange", do_exchange, may_remove },
};

const size_t n_on_directories =
	sizeof(on_directories) / sizeof(*on_directories);

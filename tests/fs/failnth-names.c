// SPDX-License-Identifier: GPL-2.0-only
/* failnth: operations on names and attributes, handles, mounts. */
#include "failnth.h"

#include <linux/fs.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

/*
 * New names
 */
static int create(void)
{
	return failed(open("new", O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0640));
}

static int create_in_lists(void)
{
	return failed(
		open("lists/new", O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0666));
}

static int make_dir(void)
{
	return failed(mkdir("new", 0750));
}

static int make_dir_in_lists(void)
{
	return failed(mkdir("lists/new", 0777));
}

static int make_fifo(void)
{
	return failed(mkfifo("new", 0600));
}

static int make_device(void)
{
	return failed(mknod("new", S_IFCHR | 0600, makedev(1, 3)));
}

static int make_symbolic(void)
{
	return failed(symlink("dir", "new"));
}

/* For which there is an allocation of its own, and a charge. */
static int make_long_symbolic(void)
{
	static char target[PAGE];

	memset(target, 'x', PAGE - 1);
	return failed(symlink(target, "new"));
}

static int make_link(void)
{
	return failed(link("other", "new"));
}

static int temporary(void)
{
	return failed(open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
}

static int fd = -1;

static int open_temporary(void)
{
	fd = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return fd < 0;
}

static int name_temporary(void)
{
	return failed(linkat(fd, "", AT_FDCWD, "new", AT_EMPTY_PATH));
}

/*
 * Names that were there
 */
static int move(void)
{
	return failed(rename("other", "dir/new"));
}

static int replace(void)
{
	return failed(rename("other", "listed"));
}

static int exchange(void)
{
	return failed(
		renameat2(AT_FDCWD, "other", AT_FDCWD, "dir", RENAME_EXCHANGE));
}

static int whiteout(void)
{
	return failed(
		renameat2(AT_FDCWD, "other", AT_FDCWD, "new", RENAME_WHITEOUT));
}

static int remove_file(void)
{
	return failed(unlink("data"));
}

static int remove_link(void)
{
	return failed(unlink("second"));
}

static int remove_dir(void)
{
	return failed(rmdir("dir"));
}

static int open_it(void)
{
	return failed(open("many/a", O_RDWR | O_CLOEXEC));
}

static int open_symbolic(void)
{
	return failed(open("symbolic", O_RDWR | O_CLOEXEC));
}

/* The kernel's call: opendir() has allocations of its own. */
static int list(void)
{
	char names[KIB];
	int dir = open("many", O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;
	long n = 1;

	if (dir < 0)
		return errno;
	while (n > 0)
		n = syscall(SYS_getdents64, dir, names, 48);
	if (n < 0)
		err = errno;
	close(dir);
	return err;
}

/*
 * Attributes
 */
static int change_mode(void)
{
	return failed(chmod("other", 0600));
}

static int change_listed_mode(void)
{
	return failed(chmod("listed", 0600));
}

static int change_owner(void)
{
	return failed(chown("other", USER, USER));
}

static int set_times(void)
{
	return failed(utimensat(AT_FDCWD, "other", NULL, 0));
}

static int set_flags(void)
{
	int file = open("other", O_RDONLY | O_CLOEXEC), flags = FS_NODUMP_FL,
	    err;

	if (file < 0)
		return errno;
	err = failed(ioctl(file, FS_IOC_SETFLAGS, &flags));
	close(file);
	return err;
}

static char value[32 * KIB];

static int set_attribute(void)
{
	return failed(setxattr("other", "user.new", "new", 3, 0));
}

static int set_large_attribute(void)
{
	return failed(setxattr("other", "user.new", value, sizeof(value), 0));
}

static int replace_attribute(void)
{
	return failed(setxattr("other", "trusted.t", "other", 5, 0));
}

static int remove_attribute(void)
{
	return failed(removexattr("other", "user.u"));
}

/* Of a file with more than all attributes may have, with its list. */
static int replace_of_crowded(void)
{
	return failed(setxattr("crowded", "user.large", "x", 1, 0));
}

static int remove_of_crowded(void)
{
	return failed(removexattr("crowded", "user.large"));
}

static int get_attribute(void)
{
	return failed(
		getxattr("other", "user.u", value, sizeof(value)) < 0 ? -1 : 0);
}

static int list_attributes(void)
{
	return failed(listxattr("other", value, sizeof(value)) < 0 ? -1 : 0);
}

static int set_list(const char *name, const char *which)
{
	struct {
		struct posix_acl_xattr_header header;
		struct posix_acl_xattr_entry entries[5];
	} l = { { POSIX_ACL_XATTR_VERSION },
		{ { ACL_USER_OBJ, 6, ACL_UNDEFINED_ID },
		  { ACL_USER, 4, OTHER },
		  { ACL_GROUP_OBJ, 4, ACL_UNDEFINED_ID },
		  { ACL_MASK, 6, ACL_UNDEFINED_ID },
		  { ACL_OTHER, 4, ACL_UNDEFINED_ID } } };

	return failed(setxattr(name, which, &l, sizeof(l), 0));
}

static int set_access_list(void)
{
	return set_list("other", "system.posix_acl_access");
}

static int replace_access_list(void)
{
	return set_list("listed", "system.posix_acl_access");
}

static int set_default_list(void)
{
	return set_list("dir", "system.posix_acl_default");
}

static int remove_list(void)
{
	return failed(removexattr("lists", "system.posix_acl_default"));
}

/*
 * Handles
 */
static struct {
	struct file_handle head;
	unsigned char bytes[MAX_HANDLE_SZ];
} handle;

static int make_handle(void)
{
	int mount;

	handle.head.handle_bytes = MAX_HANDLE_SZ;
	return failed(
		name_to_handle_at(AT_FDCWD, "other", &handle.head, &mount, 0));
}

static int open_handle(void)
{
	int dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;

	if (dir < 0)
		return errno;
	err = failed(
		open_by_handle_at(dir, &handle.head, O_RDONLY | O_CLOEXEC));
	close(dir);
	return err;
}

/*
 * Mounts; one that is left is unmounted by who looks for what is left
 */
static int mount_it(void)
{
	return fs_mount("dir", "size=1m,nr_inodes=100,mode=700");
}

static int mounted(void)
{
	int err = fs_mount("dir", "size=1m,nr_inodes=100");

	if (!err)
		close(file("dir/in", 0, GIB));
	return err;
}

static int remount(void)
{
	return fs_remount("dir", "size=2m,nr_inodes=50");
}

static int unmount(void)
{
	return failed(umount("dir"));
}

const struct op on_names[] = {
	{ "create", EMPTY, NULL, create, false },
	{ "create under a default list", EMPTY, NULL, create_in_lists, false },
	{ "mkdir", EMPTY, NULL, make_dir, false },
	{ "mkdir under a default list", EMPTY, NULL, make_dir_in_lists, false },
	{ "mkfifo", EMPTY, NULL, make_fifo, false },
	{ "mknod", EMPTY, NULL, make_device, false },
	{ "symlink", EMPTY, NULL, make_symbolic, false },
	{ "symlink, long", EMPTY, NULL, make_long_symbolic, false },
	{ "link", EMPTY, NULL, make_link, false },
	{ "O_TMPFILE", EMPTY, NULL, temporary, false },
	{ "name for an O_TMPFILE", EMPTY, open_temporary, name_temporary,
	  false },
	{ "rename", EMPTY, NULL, move, false },
	{ "rename, in place of another", EMPTY, NULL, replace, false },
	{ "RENAME_EXCHANGE", EMPTY, NULL, exchange, false },
	{ "RENAME_WHITEOUT", EMPTY, NULL, whiteout, false },
	{ "unlink", FULL, NULL, remove_file, false },
	{ "unlink of one of two names", EMPTY, NULL, remove_link, false },
	{ "rmdir", EMPTY, NULL, remove_dir, false },
	{ "open", EMPTY, NULL, open_it, false },
	{ "open by a symbolic link", EMPTY, NULL, open_symbolic, false },
	{ "readdir", EMPTY, NULL, list, false },
	{ "chmod", EMPTY, NULL, change_mode, false },
	{ "chmod of what has a list", EMPTY, NULL, change_listed_mode, false },
	{ "chown", EMPTY, NULL, change_owner, false },
	{ "utimes", EMPTY, NULL, set_times, false },
	{ "chattr", EMPTY, NULL, set_flags, false },
	{ "setxattr", EMPTY, NULL, set_attribute, false },
	{ "setxattr, 32 KiB", EMPTY, NULL, set_large_attribute, false },
	{ "setxattr, another value", EMPTY, NULL, replace_attribute, false },
	{ "removexattr", EMPTY, NULL, remove_attribute, false },
	{ "setxattr, too many with the list", EMPTY, NULL, replace_of_crowded, false },
	{ "removexattr, too many with the list", EMPTY, NULL, remove_of_crowded, false },
	{ "getxattr", EMPTY, NULL, get_attribute, false },
	{ "listxattr", EMPTY, NULL, list_attributes, false },
	{ "access list", EMPTY, NULL, set_access_list, false },
	{ "another access list", EMPTY, NULL, replace_access_list, false },
	{ "default list", EMPTY, NULL, set_default_list, false },
	{ "no default list", EMPTY, NULL, remove_list, false },
	{ "name_to_handle_at", EMPTY, NULL, make_handle, false },
	{ "open_by_handle_at", EMPTY, make_handle, open_handle, false },
	{ "mount", EMPTY, NULL, mount_it, false },
	{ "remount", EMPTY, mounted, remount, false },
	{ "umount", EMPTY, mounted, unmount, false },
};
const size_t n_on_names = sizeof(on_names) / sizeof(*on_names);

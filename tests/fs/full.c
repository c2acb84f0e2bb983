// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device that is full: nobody gets data in any more, and what does not need more than
 * there is goes on.  Fills all of the file system, so it runs only by its name.
 */
#include "fs.h"

#include <linux/falloc.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <sys/xattr.h>

#define ACL "system.posix_acl_access"
#define NAMES 14 /* of a directory, in a page */
#define DIRS 80  /* more than there are frames for names that change */
#define KEPT 128 /* frames, at most, of which names get half */

static char value[8 * PAGE];

static struct statfs space(void)
{
	struct statfs s;

	if (statfs(".", &s))
		bail("statfs: %s", strerror(errno));
	return s;
}

static const char *name_of(int dir, int i)
{
	static char names[2][32];
	static int which;

	which ^= 1;
	snprintf(names[which], sizeof(names[which]), "dir%d/%d", dir, i);
	return names[which];
}

/* The least list, or one with two more entries. */
static int set_list(const char *name, bool more)
{
	struct {
		struct posix_acl_xattr_header header;
		struct posix_acl_xattr_entry entries[6];
	} list = {
		{ POSIX_ACL_XATTR_VERSION },
		{ { ACL_USER_OBJ, 6, ACL_UNDEFINED_ID } },
	};
	struct posix_acl_xattr_entry *entry = list.entries + 1;

	*entry++ = (struct posix_acl_xattr_entry){ ACL_USER, 6, USER };
	if (more)
		*entry++ = (struct posix_acl_xattr_entry){ ACL_USER, 4, OTHER };
	*entry++ = (struct posix_acl_xattr_entry){ ACL_GROUP_OBJ, 4, ACL_UNDEFINED_ID };
	*entry++ = (struct posix_acl_xattr_entry){ ACL_MASK, 6, ACL_UNDEFINED_ID };
	*entry++ = (struct posix_acl_xattr_entry){ ACL_OTHER, 4, ACL_UNDEFINED_ID };
	return setxattr(name, ACL, &list, (char *)entry - (char *)&list, 0);
}

static void prepare(void)
{
	int fd = file("data", 0, 8 * PAGE);

	fill(value, 0, sizeof(value), 1);
	is(pwrite(fd, value, 4 * PAGE, 0), 4 * PAGE, "a file with a hole");
	close(fd);
	close(file("list", 0, 0));
	close(file("attributes", 0, 0));
	close(file("without", 0, 0));
	mkdir("empty", 0755);
	is(set_list("list", true), 0, "one with an access control list");
	is(setxattr("attributes", "user.small", "x", 1, 0), 0, "one with attributes");
	is(setxattr("attributes", "user.large", value, 2 * PAGE, 0), 0, "large, too");
	for (int d = 0; d < DIRS; d++) {
		char dir[32];

		snprintf(dir, sizeof(dir), "dir%d", d);
		if (mkdir(dir, 0755))
			bail("%s: %s", dir, strerror(errno));
		for (int i = 0; i < NAMES; i++)
			if (link("without", name_of(d, i)))
				bail("link: %s", strerror(errno));
	}
}

/* A page that a pipe has, of a file that is gone. */
static void pin(const int ends[2])
{
	int fd = file("pinned", 0, PAGE);
	char *p = map_file(fd, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
	struct iovec page = { p, PAGE };

	fill(p, 0, PAGE, 7);
	is(vmsplice(ends[1], &page, 1, 0), PAGE, "a page in a pipe");
	munmap(p, PAGE);
	close(fd);
	is(unlink("pinned"), 0, "its file goes");
}

static void pinned(int pipe)
{
	char got[PAGE];

	is(read(pipe, got, PAGE), PAGE, "what is in the pipe");
	is(differ(got, 0, PAGE, 7), 0, "is nobody else's, though all frames are taken");
}

static void fill_all(void)
{
	off_t size = 0, step = GIB;
	int fd = file("fill", 0, 0);

	while (step >= PAGE) {
		if (fallocate(fd, 0, size, step))
			step /= 2;
		else
			size += step;
	}
	close(fd);
	/* A table may have been the last. */
	for (int i = 0; i < 1000 && space().f_bavail; i++) {
		char name[32];

		snprintf(name, sizeof(name), "fill%d", i);
		fd = file(name, 0, 0);
		if (fallocate(fd, 0, 0, PAGE))
			i = 1000;
		close(fd);
	}
	is(space().f_bavail, 0, "full");
	ok(space().f_bfree > 0 && space().f_bfree <= KEPT, "but for what is kept back: %lu",
	   (unsigned long)space().f_bfree);
}

/* What is kept back is not for this. */
static void refused(void)
{
	unsigned long kept = space().f_bfree;
	int fd = file("data", 0, 0), made = 0;

	is_errno(pwrite(fd, "x", 1, 5 * PAGE), ENOSPC, "write to a hole");
	is_errno(fallocate(fd, 0, 0, 8 * PAGE), ENOSPC, "allocate it");
	is_errno(setxattr("without", "user.name", "x", 1, 0), ENOSPC, "a first attribute");
	is_errno(setxattr("attributes", "user.more", value, PAGE, 0), ENOSPC, "more of them");
	is_errno(setxattr("attributes", "user.large", value, 3 * PAGE, 0), ENOSPC,
		 "one gets longer");
	is_errno(set_list("without", false), ENOSPC, "a first list");
	/* While pages of inodes and names have room. */
	while (made < 100) {
		char name[32];

		snprintf(name, sizeof(name), "new%d", made);
		if (mkdir(name, 0755))
			break;
		made++;
	}
	is(errno, ENOSPC, "directories, after %d", made);
	made = 0;
	while (made < 100) {
		char name[32];

		snprintf(name, sizeof(name), "link%d", made);
		if (link("without", name))
			break;
		made++;
	}
	is(errno, ENOSPC, "names, after %d", made);
	is_errno(symlink("x", "symbolic"), ENOSPC, "a symbolic link");
	is_errno(rename("list", "dir0/list"), ENOSPC, "a name that moves to a full directory");
	is(space().f_bfree, kept, "none of this took what is kept back");
	close(fd);
}

static void attributes(const char *when)
{
	unsigned long kept = space().f_bfree;
	char got[3 * PAGE];

	is(set_list("list", false), 0, "%s: a list gets shorter", when);
	is(chmod("list", 0640), 0, "chmod of a file with a list");
	is(set_list("list", true), 0, "longer, in the same page");
	is(setxattr("attributes", "user.small", "y", 1, 0), 0, "an attribute is replaced");
	is(setxattr("attributes", "user.large", value + PAGE, 2 * PAGE, 0), 0, "a large one");
	is(getxattr("attributes", "user.large", got, sizeof(got)), 2 * PAGE, "it is there");
	is(memcmp(got, value + PAGE, 2 * PAGE), 0, "as it was set");
	is(space().f_bfree, kept, "what was lent is given back");
}

/* Names may have half of what is kept back. */
static void renamed(void)
{
	unsigned long kept = space().f_bfree;
	int done = 0;

	is(rename(name_of(0, 0), name_of(0, 100)), 0, "rename in a directory without room");
	is(rename(name_of(0, 100), name_of(0, 101)), 0, "again");
	while (done < DIRS && !rename(name_of(done, 2), name_of(done, 100)))
		done++;
	is(errno, ENOSPC, "in as many directories: %d", done);
	ok(space().f_bfree >= kept / 2, "half of what was kept is left");
}

static void goes(void)
{
	int fd = file("data", 0, 0);

	is(pwrite(fd, "x", 1, PAGE), 1, "write to a page that is there");
	is(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 10, 20), 0,
	   "punch a part of one");
	is(ftruncate(fd, 100 * PAGE), 0, "longer, by a hole");
	is(chmod("data", 0600), 0, "chmod");
	is(utimensat(AT_FDCWD, "data", NULL, 0), 0, "times");
	is(rmdir("empty"), 0, "rmdir");
	is(removexattr("attributes", "user.small"), 0, "an attribute goes");
	is(removexattr("attributes", "user.large"), 0, "the last one");
	is(removexattr("list", ACL), 0, "a list goes");
	is(ftruncate(fd, 3 * PAGE / 2), 0, "truncate");
	is(unlink("without"), 0, "unlink");
	close(fd);
}

int main(int argc, char **argv)
{
	int ends[2], fd;

	fs_init(argc, argv);
	if (pipe(ends))
		bail("pipe: %s", strerror(errno));
	prepare();
	pin(ends);
	fill_all();
	refused();
	attributes("full");
	renamed();
	attributes("and names took what they get");
	goes();
	pinned(ends[0]);
	is(unlink("fill"), 0, "what filled it goes");
	fd = file("again", 0, 0);
	is(pwrite(fd, value, sizeof(value), 0), sizeof(value), "and there is room");
	close(fd);
	return fs_done();
}

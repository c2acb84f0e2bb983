// SPDX-License-Identifier: GPL-2.0-only
/* What a file says of itself: mode, owner, times, identity; what changes them. */
#include "fs.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

/* All times are set to this, and an event changes those that it should. */
#define LONG_AGO 1000

enum { ACCESSED = 1, MODIFIED = 2, CHANGED = 4 };

static void modes(void)
{
	int fd = file("mode", 0, 0), wrong = 0;

	for (mode_t mode = 0; mode <= 07777; mode += 0111)
		wrong += fchmod(fd, mode) ||
			 status(fd).st_mode != (S_IFREG | mode);
	is(wrong, 0, "chmod: all modes");
	close(fd);
	umask(027);
	close(open("masked", O_CREAT | O_WRONLY, 0666));
	mkdir("masked-dir", 0777);
	umask(0);
	fd = open("masked", O_RDONLY);
	is(status(fd).st_mode, S_IFREG | 0640, "umask: of a file");
	close(fd);
	fd = open("masked-dir", O_RDONLY);
	is(status(fd).st_mode, S_IFDIR | 0750, "of a directory");
	close(fd);
	is(chmod("mode", 0604), 0, "chmod by name");
	is(chown("mode", USER, OTHER), 0, "chown");
	fd = open("mode", O_RDWR);
	ok(status(fd).st_uid == USER && status(fd).st_gid == OTHER,
	   "the owners");
	is(fchown(fd, -1, 5), 0, "only the group");
	ok(status(fd).st_uid == USER && status(fd).st_gid == 5, "and not more");
	close(fd);
	symlink("mode", "symbolic");
	is(lchown("symbolic", 7, 7), 0, "chown of a symbolic link");
	fd = open("mode", O_RDWR);
	is(status(fd).st_uid, USER, "leaves the file alone");
	close(fd);
}

static int write_one(void *name)
{
	int fd;

	become(OTHER, OTHER);
	fd = open(name, O_WRONLY);
	need(fd >= 0 && write(fd, "x", 1) == 1);
	return 0;
}

static int map_one(void *name)
{
	int fd;

	become(OTHER, OTHER);
	fd = open(name, O_RDWR);
	need(fd >= 0 && ftruncate(fd, 100) == 0);
	return 0;
}

static int allocate_one(void *name)
{
	int fd;

	become(OTHER, OTHER);
	fd = open(name, O_WRONLY);
	need(fd >= 0 && fallocate(fd, 0, 0, PAGE) == 0);
	return 0;
}

/* Set-ID bits do not survive another's hand. */
static void set_id(void)
{
	int fd = file("set-id", 0, 0);

	fchmod(fd, 06777);
	is(reap(spawn(write_one, "set-id")), 0, "written by somebody else");
	is(status(fd).st_mode, S_IFREG | 0777, "set-ID bits are gone");
	fchmod(fd, 06777);
	is(reap(spawn(map_one, "set-id")), 0, "truncated by somebody else");
	is(status(fd).st_mode, S_IFREG | 0777, "set-ID bits are gone");
	if (fs_morsels) {
		fchmod(fd, 06777);
		is(reap(spawn(allocate_one, "set-id")), 0,
		   "allocated by somebody else");
		is(status(fd).st_mode, S_IFREG | 0777, "set-ID bits are gone");
	}
	fchmod(fd, 06777);
	is(fchown(fd, USER, USER), 0, "given away");
	is(status(fd).st_mode, S_IFREG | 0777, "set-ID bits are gone");
	fchmod(fd, 06777);
	is(write(fd, "x", 1), 1, "written by root");
	is(status(fd).st_mode, S_IFREG | 06777, "they stay");
	close(fd);
	mkdir("set-gid", 0777);
	if (chown("set-gid", 0, OTHER) || chmod("set-gid", 02777))
		bail("set-gid: %s", strerror(errno));
	fd = file("set-gid/file", 0, 0);
	is(status(fd).st_gid, OTHER, "set-GID directory: group of a file");
	close(fd);
	mkdir("set-gid/dir", 0755);
	fd = open("set-gid/dir", O_RDONLY);
	is(status(fd).st_gid, OTHER, "of a directory");
	is(status(fd).st_mode, S_IFDIR | 02755, "which hands it on");
	close(fd);
}

static void set_times(void)
{
	struct timespec times[2] = { { -5, 999999999 },
				     { 1ll << 33, 123456789 } };
	int fd = file("times", 0, 0);
	struct stat st;

	is(futimens(fd, times), 0, "times before 1970 and after 2038");
	st = status(fd);
	ok(st.st_atim.tv_sec == -5 && st.st_atim.tv_nsec == 999999999,
	   "atime to the nanosecond");
	ok(st.st_mtim.tv_sec == 1ll << 33 && st.st_mtim.tv_nsec == 123456789,
	   "mtime");
	times[0].tv_nsec = UTIME_OMIT;
	times[1].tv_nsec = UTIME_NOW;
	is(futimens(fd, times), 0, "OMIT and NOW");
	st = status(fd);
	is(st.st_atim.tv_sec, -5, "one is left alone");
	ok(st.st_mtim.tv_sec > LONG_AGO && st.st_mtim.tv_sec < 1ll << 33,
	   "the other is now");
	close(fd);
}

/* Which times an event changes.  ctime cannot be set: it is waited for. */
static int changed(const char *name, void (*event)(void))
{
	struct timespec times[2] = { { LONG_AGO, 0 }, { LONG_AGO, 0 } };
	struct stat before, after;

	if (utimensat(AT_FDCWD, name, times, 0) || stat(name, &before))
		bail("%s: %s", name, strerror(errno));
	/* More than any tick of the kernel's clock. */
	usleep(20000);
	event();
	if (stat(name, &after))
		bail("%s: %s", name, strerror(errno));
	return (after.st_atim.tv_sec != LONG_AGO ? ACCESSED : 0) |
	       (after.st_mtim.tv_sec != LONG_AGO ? MODIFIED : 0) |
	       (memcmp(&after.st_ctim, &before.st_ctim, sizeof(after.st_ctim)) ?
			CHANGED :
			0);
}

static int fd;

static void ev_read(void)
{
	char c;

	if (pread(fd, &c, 1, 0) != 1)
		bail("pread: %s", strerror(errno));
}

static void ev_write(void)
{
	if (pwrite(fd, "x", 1, 0) != 1)
		bail("pwrite: %s", strerror(errno));
}

static void ev_truncate(void)
{
	if (ftruncate(fd, 5))
		bail("ftruncate: %s", strerror(errno));
}

static void ev_punch(void)
{
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE))
		bail("punch: %s", strerror(errno));
}

static void ev_allocate(void)
{
	if (fallocate(fd, 0, 0, 2 * PAGE))
		bail("fallocate: %s", strerror(errno));
}

static void ev_chmod(void)
{
	fchmod(fd, 0600);
}

static void ev_link(void)
{
	link("d/event", "d/link");
}

static void ev_unlink(void)
{
	unlink("d/link");
}

static void ev_rename(void)
{
	rename("d/event", "d/renamed");
	rename("d/renamed", "d/event");
}

static void ev_mkdir(void)
{
	mkdir("d/dir", 0755);
}

static void ev_rmdir(void)
{
	rmdir("d/dir");
}

static void ev_list(void)
{
	if (system("ls d >/dev/null"))
		bail("ls: %s", strerror(errno));
}

static void ev_nothing(void)
{
	close(open("d/event", O_RDWR));
	access("d/event", R_OK);
}

static void times(void)
{
	mkdir("d", 0755);
	fd = file("d/event", 0, 100);
	is(changed("d/event", ev_nothing), 0, "open: no time of the file");
	is(changed("d/event", ev_read), ACCESSED, "read: atime");
	is(changed("d/event", ev_write), MODIFIED | CHANGED,
	   "write: mtime, ctime");
	is(changed("d/event", ev_truncate), MODIFIED | CHANGED, "truncate");
	is(changed("d/event", ev_allocate) & CHANGED, CHANGED,
	   "fallocate: ctime");
	is(changed("d/event", ev_punch) & CHANGED, CHANGED, "punch: ctime");
	is(changed("d/event", ev_chmod), CHANGED, "chmod: ctime");
	is(changed("d/event", ev_link), CHANGED, "link: ctime");
	is(changed("d/event", ev_unlink), CHANGED, "unlink: ctime");
	is(changed("d/event", ev_rename), CHANGED, "rename: ctime");
	is(changed("d", ev_link), MODIFIED | CHANGED, "link: the directory's");
	is(changed("d", ev_rename), MODIFIED | CHANGED, "rename");
	is(changed("d", ev_unlink), MODIFIED | CHANGED, "unlink");
	is(changed("d", ev_mkdir), MODIFIED | CHANGED, "mkdir");
	is(changed("d", ev_rmdir), MODIFIED | CHANGED, "rmdir");
	is(changed("d", ev_list), ACCESSED, "ls: atime");
	is(changed("d", ev_write), 0, "a write to a file in it: none");
	close(fd);
}

static void identity(void)
{
	struct statx a, b;
	struct stat st;
	int other;

	close(file("id", 0, 0));
	if (statx(AT_FDCWD, "id", 0, STATX_ALL | STATX_BTIME, &a) ||
	    stat("id", &st))
		bail("id: %s", strerror(errno));
	ok(a.stx_mask & STATX_BTIME && a.stx_btime.tv_sec > LONG_AGO,
	   "a file knows when it was made");
	is(makedev(a.stx_dev_major, a.stx_dev_minor), st.st_dev,
	   "stat and statx: device");
	ok(a.stx_ino == st.st_ino && st.st_ino, "inode");
	is(st.st_blksize % PAGE, 0, "whole pages are best");
	is(st.st_size + st.st_blocks, 0, "empty");
	other = file("id2", 0, 0);
	ok(status(other).st_ino != st.st_ino, "another file is another inode");
	is(status(other).st_dev, st.st_dev, "of the same device");
	usleep(20000);
	ok(pwrite(other, "x", 1, 0) == 1 && fchmod(other, 0600) == 0,
	   "a file changes");
	if (statx(other, "", AT_EMPTY_PATH, STATX_BTIME | STATX_CTIME, &b))
		bail("statx: %s", strerror(errno));
	ok(b.stx_btime.tv_sec < b.stx_ctime.tv_sec ||
		   b.stx_btime.tv_nsec < b.stx_ctime.tv_nsec,
	   "but was made when it was made");
	close(other);
}

/* chattr +a, +i */
static void flags(void)
{
	int flag, other = file("flags", 0, 0);

	flag = FS_APPEND_FL;
	is(ioctl(other, FS_IOC_SETFLAGS, &flag), 0, "append only");
	is_errno(open("flags", O_WRONLY), EPERM, "no write");
	is_errno(truncate("flags", 0), EPERM, "no truncation");
	is_errno(unlink("flags"), EPERM, "no unlink");
	close(open("flags", O_WRONLY | O_APPEND));
	flag = FS_IMMUTABLE_FL;
	is(ioctl(other, FS_IOC_SETFLAGS, &flag), 0, "immutable");
	is_errno(open("flags", O_WRONLY | O_APPEND), EPERM, "no append");
	is_errno(fchmod(other, 0600), EPERM, "no chmod");
	flag = 0;
	is(ioctl(other, FS_IOC_GETFLAGS, &flag), 0, "it says so");
	is(flag & FS_IMMUTABLE_FL, FS_IMMUTABLE_FL, "that it is");
	flag = 0;
	is(ioctl(other, FS_IOC_SETFLAGS, &flag), 0, "as before");
	is(unlink("flags"), 0, "unlink");
	close(other);
}

int main(int argc, char **argv)
{
	fs_init(argc, argv);
	modes();
	set_id();
	set_times();
	times();
	identity();
	flags();
	return fs_done();
}

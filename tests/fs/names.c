// SPDX-License-Identifier: GPL-2.0-only
/* Names: directories, links, renaming, special files, files without a name. */
#include "fs.h"

#include <dirent.h>
#include <limits.h>
#include <linux/fs.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

static struct stat look(const char *name)
{
	struct stat st;

	if (lstat(name, &st))
		bail("%s: %s", name, strerror(errno));
	return st;
}

static void touch(const char *name)
{
	close(file(name, 0, 0));
}

static void directories(void)
{
	is(mkdir("dir", 0755), 0, "mkdir");
	is(look("dir").st_nlink, 2, "an empty directory has two links");
	mkdir("dir/a", 0755);
	mkdir("dir/b", 0755);
	is(look("dir").st_nlink, 4, "and one more for each in it");
	is(look("dir/a/..").st_ino, look("dir").st_ino, "dot dot");
	is_errno(mkdir("dir", 0755), EEXIST, "mkdir: there is one");
	is_errno(rmdir("dir"), ENOTEMPTY, "rmdir: not empty");
	is_errno(unlink("dir"), EISDIR, "unlink: a directory");
	is_errno(link("dir", "link"), EPERM, "link: a directory");
	rmdir("dir/a");
	is(look("dir").st_nlink, 3, "rmdir takes a link");
	is(rename("dir/b", "b"), 0, "moved out");
	is(look("dir").st_nlink, 2, "that takes a link, too");
	touch("dir/file");
	is_errno(rmdir("dir/file"), ENOTDIR, "rmdir: a file");
	is_errno(open("dir/file/x", O_RDONLY), ENOTDIR, "a file has no names");
	unlink("dir/file");
	is(rmdir("dir") | rmdir("b"), 0, "empty: rmdir");
	is_errno(open("dir", O_RDONLY), ENOENT, "gone");
}

/* A directory that is gone, and is somebody's working directory. */
static void removed(void)
{
	int here = open(".", O_RDONLY | O_DIRECTORY);

	mkdir("gone", 0755);
	if (chdir("gone"))
		bail("chdir: %s", strerror(errno));
	is(rmdir("../gone"), 0, "the working directory is removed");
	is_errno(open("x", O_CREAT | O_RDWR, 0644), ENOENT, "no file in it");
	is_errno(mkdir("x", 0755), ENOENT, "no directory in it");
	is(look(".").st_nlink, 0, "no link is left");
	if (fchdir(here))
		bail("fchdir: %s", strerror(errno));
	close(here);
}

#define ENTRIES 1000

/* Each name once, also from a position that was noted. */
static void reading(void)
{
	static unsigned char seen[ENTRIES];
	int wrong = 0, n = 0, dots = 0;
	struct dirent *entry;
	char name[32], half[256];
	long position;
	DIR *dir;

	mkdir("many", 0755);
	for (int i = 0; i < ENTRIES; i++) {
		snprintf(name, sizeof(name), "many/%d", i);
		touch(name);
	}
	dir = opendir("many");
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			dots++;
		else
			seen[atoi(entry->d_name)]++;
		wrong += entry->d_type !=
			 (entry->d_name[0] == '.' ? DT_DIR : DT_REG);
	}
	is(dots, 2, "dot and dot dot");
	for (int i = 0; i < ENTRIES; i++)
		n += seen[i] == 1;
	is(n, ENTRIES, "each of %d names once", ENTRIES);
	is(wrong, 0, "each with its type");

	rewinddir(dir);
	for (int i = 0; i < ENTRIES / 2; i++)
		readdir(dir);
	position = telldir(dir);
	strcpy(half, readdir(dir)->d_name);
	while (readdir(dir))
		;
	seekdir(dir, position);
	ok(!strcmp(readdir(dir)->d_name, half), "back to a position");

	/* Removed as they are read, as rm -r does. */
	rewinddir(dir);
	n = 0;
	while ((entry = readdir(dir)))
		n += !unlinkat(dirfd(dir), entry->d_name, 0);
	is(n, ENTRIES, "all removed while they are read");
	closedir(dir);
	is(rmdir("many"), 0, "nothing is left");
}

static void lengths(void)
{
	char name[NAME_MAX + 2];

	memset(name, 'n', sizeof(name));
	name[NAME_MAX] = 0;
	is(mkdir(name, 0755), 0, "a name of %d bytes", NAME_MAX);
	is(rmdir(name), 0, "and gone");
	name[NAME_MAX] = 'n';
	name[NAME_MAX + 1] = 0;
	is_errno(mkdir(name, 0755), ENAMETOOLONG, "one more");
	is(mkdir("\xff\x01 \n", 0755), 0, "any bytes are a name");
	is(rmdir("\xff\x01 \n"), 0, "that is found");
	touch("case");
	is_errno(open("CASE", O_RDONLY), ENOENT, "and case matters");
}

static void hard_links(void)
{
	int fd = file("one", 0, 0);

	is(link("one", "two"), 0, "link");
	is(look("two").st_ino, look("one").st_ino, "the same file");
	is(status(fd).st_nlink, 2, "two links");
	is_errno(link("one", "two"), EEXIST, "link: there is one");
	is(rename("one", "two"), 0, "a name over its own file");
	is(look("one").st_nlink, 2, "does nothing");
	unlink("one");
	is(status(fd).st_nlink, 1, "one link");
	unlink("two");
	is(status(fd).st_nlink, 0, "none");
	is(write(fd, "x", 1), 1, "but the file lives");
	is_errno(linkat(fd, "", AT_FDCWD, "one", AT_EMPTY_PATH), ENOENT,
		 "and gets no name again");
	close(fd);
}

static void symbolic_links(void)
{
	static char target[PATH_MAX + 1], got[PATH_MAX + 1];

	for (int len = 1; len < PATH_MAX; len = len * 3 + 1) {
		memset(target, 't', len);
		target[len] = 0;
		ok(!symlink(target, "symbolic") &&
			   readlink("symbolic", got, sizeof(got)) == len &&
			   !memcmp(got, target, len) &&
			   look("symbolic").st_size == len,
		   "a symbolic link of %d bytes", len);
		unlink("symbolic");
	}
	memset(target, 't', PATH_MAX);
	is_errno(symlink(target, "symbolic"), ENAMETOOLONG, "too long");
	symlink("file", "symbolic");
	ok(S_ISLNK(look("symbolic").st_mode), "its type");
	is_errno(open("symbolic", O_RDONLY), ENOENT, "it leads nowhere");
	is_errno(open("symbolic", O_CREAT | O_EXCL | O_RDWR, 0644), EEXIST,
		 "O_EXCL");
	is_errno(open("symbolic", O_RDONLY | O_NOFOLLOW), ELOOP, "O_NOFOLLOW");
	touch("symbolic");
	ok(S_ISREG(look("file").st_mode), "O_CREAT follows it");
	is(link("symbolic", "second"), 0, "a link to the link");
	ok(S_ISLNK(look("second").st_mode), "is one, too");
	unlink("second");
	symlink("loop", "loop");
	is_errno(open("loop", O_RDONLY), ELOOP, "a loop");
}

static int rename2(const char *from, const char *to, unsigned int flags)
{
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void renaming(void)
{
	ino_t a, b;

	mkdir("r", 0755);
	mkdir("r/dir", 0755);
	mkdir("r/full", 0755);
	touch("r/full/x");
	touch("r/a");
	touch("r/b");
	a = look("r/a").st_ino;
	b = look("r/b").st_ino;
	is_errno(rename2("r/a", "r/b", RENAME_NOREPLACE), EEXIST, "NOREPLACE");
	is(rename2("r/a", "r/c", RENAME_NOREPLACE), 0, "where there is none");
	is(look("r/c").st_ino, a, "it moved");
	is(rename2("r/c", "r/b", RENAME_EXCHANGE), 0, "EXCHANGE");
	ok(look("r/b").st_ino == a && look("r/c").st_ino == b, "they did");
	is_errno(rename2("r/b", "r/none", RENAME_EXCHANGE), ENOENT,
		 "EXCHANGE with none");
	is(rename2("r/b", "r/full/x", RENAME_EXCHANGE), 0,
	   "EXCHANGE across directories");
	is(rename2("r/dir", "r/full/x", RENAME_EXCHANGE), 0,
	   "of a file and a directory");
	is(look("r").st_nlink, 3, "links of the one that lost it");
	is(look("r/full").st_nlink, 3, "and of the one that got it");
	is(rename2("r/dir", "r/full/x", RENAME_EXCHANGE), 0, "and back");
	is(rename("r/c", "r/b"), 0, "over a file");
	is(look("r/b").st_ino, b, "which it replaces");
	is_errno(rename("r/b", "r/dir"), EISDIR, "a file over a directory");
	is_errno(rename("r/dir", "r/b"), ENOTDIR, "a directory over a file");
	is_errno(rename("r/dir", "r/full"), ENOTEMPTY, "over a full one");
	is(rename("r/full", "r/dir"), 0, "over an empty one");
	ok(look("r/dir/x").st_ino, "with what is in it");
	is(look("r").st_nlink, 3, "which takes its link");
	is_errno(rename("r", "r/dir/r"), EINVAL, "into itself");
	is(rename2("r/b", "r/white", RENAME_WHITEOUT), 0, "WHITEOUT");
	ok(S_ISCHR(look("r/b").st_mode) && look("r/b").st_rdev == 0,
	   "leaves one");
	is_errno(rename2("r/white", "r/x", RENAME_NOREPLACE | RENAME_EXCHANGE),
		 EINVAL, "not both");
	fs_remove("r");
}

static void special(void)
{
	struct sockaddr_un address = { AF_UNIX, "socket" };
	int sock = socket(AF_UNIX, SOCK_STREAM, 0), peer, reader, writer;
	char c;

	is(mkfifo("fifo", 0644), 0, "a fifo");
	reader = open("fifo", O_RDONLY | O_NONBLOCK);
	writer = open("fifo", O_WRONLY);
	ok(write(writer, "f", 1) == 1 && read(reader, &c, 1) == 1 && c == 'f',
	   "carries a byte");
	close(reader);
	close(writer);
	ok(S_ISFIFO(look("fifo").st_mode), "its type");
	is(bind(sock, (void *)&address, sizeof(address)) | listen(sock, 1), 0,
	   "a socket");
	ok(S_ISSOCK(look("socket").st_mode), "its type");
	peer = socket(AF_UNIX, SOCK_STREAM, 0);
	is(connect(peer, (void *)&address, sizeof(address)), 0, "is found");
	is_errno(open("socket", O_RDWR), ENXIO, "but not opened");
	close(peer);
	close(sock);
	is(mknod("null", S_IFCHR | 0666, makedev(1, 3)), 0, "a device");
	is(look("null").st_rdev, makedev(1, 3), "its number");
	writer = open("null", O_RDWR);
	ok(write(writer, "x", 1) == 1 && read(writer, &c, 1) == 0,
	   "is that device");
	close(writer);
	is(mknod("block", S_IFBLK | 0600, makedev(7, 77)), 0, "a block device");
	ok(S_ISBLK(look("block").st_mode), "its type");
	is(mknod("regular", S_IFREG | 0640, 0), 0, "mknod of a file");
	is(look("regular").st_mode, S_IFREG | 0640, "makes one");
}

static void nameless(void)
{
	int fd = open(".", O_TMPFILE | O_RDWR, 0640);
	char path[64];
	ino_t ino;

	ok(fd >= 0, "O_TMPFILE");
	is(status(fd).st_nlink, 0, "no link");
	is(status(fd).st_mode, S_IFREG | 0640, "mode");
	is(write(fd, "nameless", 8), 8, "written");
	ino = status(fd).st_ino;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	is(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW), 0,
	   "gets a name");
	is(look("named").st_ino, ino, "is that file");
	is(look("named").st_size, 8, "with its content");
	is(look("named").st_nlink, 1, "and one link");
	close(fd);
	fd = open(".", O_TMPFILE | O_RDWR, 0644);
	is(linkat(fd, "", AT_FDCWD, "second", AT_EMPTY_PATH), 0,
	   "by its descriptor");
	close(fd);
	fd = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0644);
	is_errno(linkat(fd, "", AT_FDCWD, "third", AT_EMPTY_PATH), ENOENT,
		 "never with O_EXCL");
	close(fd);
}

int main(int argc, char **argv)
{
	fs_init(argc, argv);
	directories();
	removed();
	reading();
	lengths();
	hard_links();
	symbolic_links();
	renaming();
	special();
	nameless();
	return fs_done();
}

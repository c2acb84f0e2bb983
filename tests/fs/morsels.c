// SPDX-License-Identifier: GPL-2.0-only
/*
 * What files of morselfs have that those of tmpfs have not: the ioctls of a morsel,
 * tables that are shared, and budgets for what tmpfs does not count.
 */
#include "fs.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/morsel.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>

static struct morsel_info info(int fd)
{
	struct morsel_info i;

	if (ioctl(fd, MORSEL_IOC_INFO, &i))
		bail("MORSEL_IOC_INFO: %s", strerror(errno));
	return i;
}

static int range(int fd, unsigned long request, off_t from, off_t length, off_t *done)
{
	struct morsel_range r = { .offset = from, .length = length };
	int err = ioctl(fd, request, &r) ? errno : 0;

	*done = r.done;
	return err;
}

static void ioctls(void)
{
	int fd = file("ioctls", 0, 3 * MIB), reader;
	int flag = FS_IMMUTABLE_FL;
	struct morsel_info i;
	off_t done;

	i = info(fd);
	is(i.size, 3 * MIB, "size");
	is(i.id, status(fd).st_ino, "the ID is the inode number");
	is(i.data_frames + i.table_frames, 0, "an empty file has no frame");
	is(range(fd, MORSEL_IOC_POPULATE, MIB, MIB, &done), 0, "populated");
	is(done, MIB, "all of it");
	is(info(fd).data_frames, 256, "so many frames");
	is(range(fd, MORSEL_IOC_POPULATE, 2 * MIB, 2 * MIB, &done), EINVAL,
	   "nothing behind the end");
	is(range(fd, MORSEL_IOC_PUNCH, MIB, PAGE, &done), 0, "punched");
	is(info(fd).data_frames, 255, "one less");
	is_errno(ioctl(fd, MORSEL_IOC_DESTROY), EOPNOTSUPP, "files are unlinked");

	reader = open("ioctls", O_RDONLY);
	is(range(reader, MORSEL_IOC_PUNCH, 0, PAGE, &done), EBADF,
	   "who may only read punches nothing");
	is(ioctl(reader, FS_IOC_SETFLAGS, &flag), 0, "immutable");
	is(range(fd, MORSEL_IOC_PUNCH, MIB, MIB, &done), EPERM, "no hole");
	is(info(fd).data_frames, 255, "nothing was taken out");
	flag = 0;
	is(ioctl(reader, FS_IOC_SETFLAGS, &flag), 0, "as before");
	close(reader);
	close(fd);
}

/* A file gets larger by orders while it is mapped; what is attached stays. */
static void growth(void)
{
	int fd = file("growth", 0, PAGE);
	char *p = map_file(fd, 2 * MIB, RW, MAP_SHARED), *q;
	unsigned int wrong = 0;

	p[0] = 'a';
	is(info(fd).order, 1, "a page: order 1");
	is(info(fd).attachments, 1, "one table is attached");
	is(probe(p + PAGE, READ), SIGBUS, "behind the end: SIGBUS");
	is(ftruncate(fd, GIB + PAGE), 0, "longer");
	is(p[PAGE], 0, "what was behind the end");
	is(pwrite(fd, "z", 1, GIB), 1, "written at the new one");
	is(info(fd).order, 3, "order 3");
	p[PAGE] = 'b';
	q = map_file(fd, GIB, RW, MAP_SHARED);
	ok(q[0] == 'a' && q[PAGE] == 'b', "what the old mapping wrote");
	for (size_t i = 0; i < 512; i++)
		wrong += (q[i * PAGE] != 0) != (i < 2);
	is(wrong, 0, "and nothing else");
	q[2 * PAGE] = 'c';
	is(p[2 * PAGE], 'c', "and the other way round");
	is(ftruncate(fd, PAGE), 0, "shorter");
	is(probe(p + PAGE, READ), SIGBUS, "SIGBUS in the one");
	is(probe(q + 2 * PAGE, READ), SIGBUS, "and in the other");
	is(info(fd).data_frames, 1, "one page is left");
	munmap(p, 2 * MIB);
	munmap(q, GIB);
	close(fd);
}

static int child(void *p)
{
	need(*(char *)p == 'x');
	return 0;
}

/* One set of tables for all processes, however many there are. */
static void shared_tables(void)
{
	int fd = file("shared", 0, GIB);
	char *p = map_file(fd, GIB, RW, MAP_SHARED);
	pid_t pids[8];
	long before;
	int failed = 0;

	for (off_t at = 0; at < (off_t)GIB; at += 64 * MIB)
		p[at] = 'x';
	before = info(fd).table_frames;
	for (int i = 0; i < 8; i++)
		pids[i] = spawn(child, p + i * 64 * MIB);
	for (int i = 0; i < 8; i++)
		failed += reap(pids[i]) != 0;
	is(failed, 0, "eight processes read what one has written");
	is(info(fd).table_frames, before, "by the same tables");
	munmap(p, GIB);
	close(fd);
}

static long inodes_used(void)
{
	struct statfs s;

	if (statfs("small", &s))
		bail("statfs: %s", strerror(errno));
	return s.f_files - s.f_ffree;
}

/* What does not end: names, attributes, targets of symbolic links. */
static void budgets(void)
{
	static char value[32 * KIB], name[64];
	int fd, n = 0;

	mkdir("small", 0755);
	is(fs_mount("small", "size=1m,nr_inodes=10"), 0, "ten inodes");
	close(file("small/a", 0, 0));
	is(inodes_used(), 2, "two are used");
	while (n < 20 && !link("small/a", (snprintf(name, sizeof(name), "small/%d", n), name)))
		n++;
	is(n, 8, "further names take as much as inodes");
	is(errno, ENOSPC, "ENOSPC");
	is(rename("small/7", "small/6") || unlink("small/7"), 0,
	   "renamed to another of its names");
	is(inodes_used(), 9, "one is free");
	fd = open("small", O_TMPFILE | O_RDWR, 0600);
	ok(fd >= 0, "for a file without a name");
	is(linkat(AT_FDCWD, (snprintf(name, sizeof(name), "/proc/self/fd/%d", fd), name),
		  AT_FDCWD, "small/b", AT_SYMLINK_FOLLOW), 0, "whose first one is free");
	is(inodes_used(), 10, "all are used");
	is(rename("small/b", "small/0"), 0, "in the place of one of several names");
	is(inodes_used(), 9, "which is free then");
	close(fd);
	for (n = 0; n < 7; n++)
		unlink((snprintf(name, sizeof(name), "small/%d", n), name));
	is(unlink("small/a"), 0, "all names are gone");
	is(inodes_used(), 1, "and all inodes");

	is(fs_remount("small", "size=256k"), 0, "64 pages");
	n = 0;
	while (n < 16 && (fd = open((snprintf(name, sizeof(name), "small/x%d", n % 8), name),
				    O_CREAT | O_RDWR, 0600)) >= 0 &&
	       !fsetxattr(fd, n < 8 ? "trusted.a" : "trusted.b", value,
			  sizeof(value) - 100, 0)) {
		close(fd);
		n++;
	}
	is(n, 8, "attributes of 32 KiB fill it");
	is(umount("small") ? errno : 0, EBUSY, "busy");
	close(fd);
	is(umount("small"), 0, "unmounted");
}

/* What is there can be read, whatever it is that could be had along with it. */
static int sequential(void *arg)
{
	char *p = map_file(open(arg, O_RDWR), 2 * PAGE, RW, MAP_SHARED);

	need(!madvise(p, 2 * PAGE, MADV_SEQUENTIAL));
	need(p[0] == 'h');
	need(probe(p + PAGE, READ) == SIGBUS);
	return 0;
}

static int read_only(void *arg)
{
	const char *name = arg;
	int fd = open(name, O_RDONLY);
	char *p = mmap(NULL, 2 * MIB, PROT_READ, MAP_SHARED, fd, 0);

	need(p != MAP_FAILED && p[0] == 'f');
	p = mmap(NULL, GIB, PROT_READ, MAP_SHARED, fd, 0);
	need(p != MAP_FAILED && p[0] == 'f');
	return 0;
}

/* What is there can be mapped when there is no room for anything more. */
static void full(void)
{
	static char page[PAGE] = "f";
	int fd, n = 0;

	is(fs_mount("small", "size=1m"), 0, "a small one");
	fd = file("small/hole", 0, 2 * PAGE);
	is(write(fd, "h", 1), 1, "a page and a hole");
	close(fd);
	fd = file("small/full", 0, 0);
	while (write(fd, page, PAGE) == PAGE)
		n++;
	is(errno, ENOSPC, "%d pages fill it", n);
	is(reap(spawn(read_only, "small/full")), 0,
	   "mapped with other rights, and with larger tables");
	is(reap(spawn(sequential, "small/hole")), 0, "and with pages that are not there");
	close(fd);
	is(umount("small"), 0, "unmounted");
}

/* By a union of file systems, whose way into a pipe is the kernel's own. */
static void overlay(void)
{
	static char in[3 * PAGE], out[3 * PAGE];
	int ends[2], fd;

	for (const char *const *d = (const char *const[]){ "low", "up", "work", "all", NULL };
	     *d; d++)
		mkdir(*d, 0755);
	fd = file("low/a", 0, 0);
	fill(in, 0, sizeof(in), 7);
	is(write(fd, in, sizeof(in)), sizeof(in), "written below");
	close(fd);
	if (mount("overlay", "all", "overlay", 0, "lowerdir=low,upperdir=up,workdir=work"))
		bail("overlay: %s", strerror(errno));
	fd = open("all/a", O_RDONLY);
	is(pipe(ends), 0, "a pipe");
	is(sendfile(ends[1], fd, NULL, sizeof(in)), sizeof(in), "sent");
	is(read(ends[0], out, sizeof(out)), sizeof(out), "received");
	is(differ(out, 0, sizeof(out), 7), 0, "content");
	close(fd);
	close(ends[0]);
	close(ends[1]);
	fd = open("all/a", O_RDWR);
	is(pwrite(fd, "upper", 5, 0), 5, "copied up by a write");
	close(fd);
	is(rename("all/a", "all/b"), 0, "renamed, which leaves a whiteout");
	is_errno(open("all/a", O_RDONLY), ENOENT, "gone");
	is(umount("all"), 0, "unmounted");
}

#define ADDRESS "user.morsel.address"

static int set_address(int fd, const char *text)
{
	return fsetxattr(fd, ADDRESS, text, strlen(text), 0) ? errno : 0;
}

static int at_address(void *arg)
{
	int fd = open(arg, O_RDWR);
	char *p = mmap(NULL, 2 * MIB, RW, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return errno;
	need(p == (char *)0x200000000000 && p[0] == 'x');
	return 0;
}

/* A file whose pointers hold in every process: it is mapped where it says. */
static void address(void)
{
	static const char *const wrong[] = { "", "0", "here", "0x200000000001", "-4096",
					     "0x1000", "0xfffff000", "0x7ffffffff000",
					     "0x800000000000000", "0xfffffffffffff000",
					     "0x2000000000000000000000", NULL };
	char *const want = (char *)0x200000000000;
	char *p, *q, value[32];
	int fd = file("address", 0, 2 * MIB);
	ssize_t n;

	for (int i = 0; wrong[i]; i++)
		is(set_address(fd, wrong[i]), EINVAL, "\"%s\" is no address", wrong[i]);
	is_errno(fsetxattr(fd, ADDRESS, "0x200000000000\0x", 16, 0), EINVAL,
		 "nor is what has a zero in it");
	is_errno(getxattr("address", ADDRESS, value, sizeof(value)), ENODATA, "it has none");
	is(info(fd).address, 0, "nor for the ioctl");
	q = map_file(fd, 2 * MIB, RW, MAP_SHARED);
	is(set_address(fd, "0x200000000000"), 0, "one is set");
	is(info(fd).address, (uintptr_t)want, "the ioctl says so");
	n = getxattr("address", ADDRESS, value, sizeof(value));
	ok(n == 14 && !memcmp(value, "0x200000000000", n), "the attribute reads as it was set");

	p = mmap(NULL, 2 * MIB, RW, MAP_SHARED, fd, 0);
	ok(p == want, "mapped there");
	p[0] = 'x';
	is(q[0], 'x', "what was mapped before stays");
	is(reap(spawn(at_address, "address")), EEXIST, "a child has it mapped already");
	munmap(p, 2 * MIB);
	is(reap(spawn(at_address, "address")), 0, "another process has it there, too");
	p = mmap(NULL, MIB, RW, MAP_SHARED, fd, MIB);
	ok(p == want + MIB, "a part is where it is in the whole");
	munmap(p, MIB);
	is_errno((long)mmap(NULL, 2 * MIB, RW, MAP_SHARED | MAP_FIXED, fd, 0), EINVAL,
		 "nowhere else");
	p = mmap(NULL, 2 * MIB, RW, MAP_PRIVATE, fd, 0);
	ok(p != MAP_FAILED && p != want && p[0] == 'x', "a private copy is anywhere");
	munmap(p, 2 * MIB);
	ok(mmap(want, 2 * MIB, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == want,
	   "something is in the way");
	is_errno((long)mmap(NULL, 2 * MIB, RW, MAP_SHARED, fd, 0), EEXIST, "which stays");
	munmap(want, 2 * MIB);
	is(ftruncate(fd, GIB), 0, "longer");
	p = map_file(fd, GIB, RW, MAP_SHARED);
	ok(p == want && p[0] == 'x', "still there");
	munmap(p, GIB);

	is(set_address(fd, "1"), EINVAL, "a wrong one changes nothing");
	is(info(fd).address, (uintptr_t)want, "it is as before");
	is_errno(fsetxattr(fd, ADDRESS, "0x100000000000", 14, XATTR_CREATE), EEXIST,
		 "nor does one that is not set");
	is(info(fd).address, (uintptr_t)want, "as before");
	is(fremovexattr(fd, ADDRESS), 0, "removed");
	is(info(fd).address, 0, "anywhere");
	mkdir("directory", 0755);
	is_errno(setxattr("directory", ADDRESS, "0x200000000000", 14, 0), EOPNOTSUPP,
		 "a directory is mapped nowhere");
	munmap(q, 2 * MIB);
	close(fd);
}

static int next_table(int fd, struct morsel_table *t)
{
	return ioctl(fd, MORSEL_IOC_NEXT_TABLE, t) ? errno : 0;
}

static void tables_of_a_file(void)
{
	int fd = file("walked", 0, GIB + 4 * MIB), small = file("small", 0, PAGE);
	struct morsel_table t = { 0 };
	char *p;

	is(next_table(fd, &t), ENOENT, "an empty file has no table");
	is(pwrite(fd, "a", 1, 0), 1, "a page");
	is(pwrite(fd, "b", 1, GIB + 2 * MIB), 1, "and one far from it");
	p = map_file(fd, 2 * MIB, PROT_READ, MAP_SHARED);
	is(p[0], 'a', "mapped to be read");

	t = (struct morsel_table){ 0 };
	static const struct { uint32_t rights, level, used; uint64_t first; } want[] = {
		{ MORSEL_TABLE_RW, 3, 2, 0 },
		{ MORSEL_TABLE_RW, 2, 1, 0 },
		{ MORSEL_TABLE_RW, 1, 1, 0 },
		{ MORSEL_TABLE_RW, 2, 1, GIB / PAGE },
		{ MORSEL_TABLE_RW, 1, 1, (GIB + 2 * MIB) / PAGE },
		{ MORSEL_TABLE_R, 3, 1, 0 },
		{ MORSEL_TABLE_R, 2, 1, 0 },
		{ MORSEL_TABLE_R, 1, 1, 0 },
	};
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		is(next_table(fd, &t), 0, "table %zu", i);
		ok(t.rights == want[i].rights && t.level == want[i].level &&
		   t.used == want[i].used && t.first == want[i].first,
		   "rights %u, level %u, %u used, from page %llu", t.rights, t.level,
		   t.used, (unsigned long long)t.first);
	}
	is(next_table(fd, &t), ENOENT, "no more");

	static const struct morsel_table bad[] = {
		{ .rights = 4 }, { .level = 5 }, { .first = 1 }, { .pad = 1 },
		{ .level = 1, .first = 1 }, { .level = 1, .first = ~511ull },
		{ .reserved = { 1 } }, { .reserved = { 0, 1 } },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		t = bad[i];
		is(next_table(fd, &t), EINVAL, "refused: %zu", i);
	}
	is(ftruncate(fd, 0) || pwrite(small, "a", 1, 0) != 1, 0, "a file of one page");
	for (uint32_t rights = 0; rights < 4; rights++)
		for (uint32_t level = 2; level < 4; level++) {
			t = (struct morsel_table){ .rights = rights, .level = level };
			is(next_table(small, &t), ENOENT, "has none of level %u", level);
		}
	is(ftruncate(fd, GIB + 4 * MIB) || pwrite(fd, "b", 1, GIB) != 1, 0, "as before");
	t = (struct morsel_table){ .level = 1, .first = 512 * 100 };
	is(next_table(fd, &t), 0, "from where there is none");
	is(t.first, GIB / PAGE, "the next one");
	munmap(p, 2 * MIB);
	close(small);
	unlink("small");
	close(fd);
}

static unsigned long blocks_left(const char *dir)
{
	struct statfs s;

	if (statfs(dir, &s))
		bail("statfs: %s", strerror(errno));
	return s.f_bfree;
}

/* An access control list with a great many entries is charged, too. */
static void access_lists(void)
{
	enum { ENTRIES = 8000 };
	static struct {
		uint32_t version;
		struct { uint16_t tag, perm; uint32_t id; } e[ENTRIES];
	} acl = { .version = 2 };
	int n = 0, err = 0, i;
	unsigned long before;
	char name[32];

	acl.e[n].tag = 1, acl.e[n++].id = ~0u;
	while (n < ENTRIES - 3)
		acl.e[n].tag = 2, acl.e[n].id = n, n++;
	acl.e[n].tag = 4, acl.e[n++].id = ~0u;
	acl.e[n].tag = 0x10, acl.e[n++].id = ~0u;
	acl.e[n].tag = 0x20, acl.e[n++].id = ~0u;
	mkdir("small", 0755);
	is(fs_mount("small", "size=256k"), 0, "64 pages");
	mkdir("small/d", 0755);
	before = blocks_left("small");
	is(setxattr("small/d", "system.posix_acl_default", &acl, sizeof(acl), 0), 0,
	   "%d entries for all that is created", ENTRIES);
	ok(before - blocks_left("small") >= 15, "they take %lu pages",
	   before - blocks_left("small"));
	for (i = 0; i < 10 && !err; i++) {
		int fd = open((snprintf(name, sizeof(name), "small/d/%d", i), name),
			      O_CREAT | O_RDWR, 0600);

		err = fd < 0 ? errno : 0;
		if (fd >= 0)
			close(fd);
	}
	is(err, ENOSPC, "files that inherit them fill it");
	ok(i <= 4, "the %dth of them", i);
	while (i--)
		unlink((snprintf(name, sizeof(name), "small/d/%d", i), name));
	is(removexattr("small/d", "system.posix_acl_default"), 0, "removed");
	is(blocks_left("small"), before, "all is given back");
	is(umount("small"), 0, "unmounted");
	rmdir("small");
}

/* All or nothing, and no number that wraps around. */
static void remounts(void)
{
	mkdir("small", 0755);
	is(fs_mount("small", "size=17179869184g"), EINVAL, "2^64 bytes");
	is(fs_mount("small", "size=16e"), EINVAL, "nor so");
	is(fs_mount("small", "size=1m,nr_inodes=10"), 0, "a small one");
	close(file("small/a", 0, 0));
	is(fs_remount("small", "size=2m,nr_inodes=1"), EINVAL, "fewer than there are");
	ok(strstr(fs_options("small"), "size=1024k") &&
	   strstr(fs_options("small"), "nr_inodes=10"), "it is as before: %s",
	   fs_options("small"));
	is(umount("small"), 0, "unmounted");
	rmdir("small");
}

int main(int argc, char **argv)
{
	fs_init(argc, argv);
	ioctls();
	address();
	tables_of_a_file();
	access_lists();
	remounts();
	growth();
	shared_tables();
	budgets();
	full();
	overlay();
	return fs_done();
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Space: what a file takes is what it says, what all take is what the file system
 * says, and neither is ever more than the size of that.  On a small one of its own.
 */
#include "fs.h"

#include <signal.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>

#define ROOM 256 /* pages of the small one */
#define PART (ROOM / 4)

static char buffer[ROOM * PAGE];

static struct statfs space(void)
{
	struct statfs s;

	if (statfs("small", &s))
		bail("statfs: %s", strerror(errno));
	return s;
}

/* Pages of data: what tables take is left out. */
static long used(void)
{
	return space().f_blocks - space().f_bfree - tables(-1);
}

static long pages(int fd)
{
	return status(fd).st_blocks * 512 / PAGE - tables(fd);
}

/* Tables that so many files take, each of which fits in one. */
static long tables_of(int files)
{
	return fs_morsels ? files : 0;
}

static void small(const char *options)
{
	int err;

	mkdir("small", 0755);
	err = fs_mount("small", options);
	if (err)
		bail("mount -o %s: %s", options, strerror(err));
}

static void gone(void)
{
	is(umount("small"), 0, "unmounted");
}

/* Writes until that fails; the number of whole pages. */
static long write_all(int fd, long n, unsigned int seed)
{
	size_t done = 0, len = n * PAGE;

	fill(buffer, 0, len, seed);
	while (done < len) {
		ssize_t step = pwrite(fd, buffer + done, len - done, done);

		if (step < 0)
			break;
		done += step;
	}
	return done / PAGE;
}

static bool holds(int fd, long n, unsigned int seed)
{
	return pread(fd, buffer, n * PAGE, 0) == n * PAGE &&
	       !differ(buffer, 0, n * PAGE, seed);
}

static void blocks(void)
{
	int fd = file("small/blocks", 0, 0);
	char *p;

	is(pages(fd), 0, "an empty file takes nothing");
	is(ftruncate(fd, GIB), 0, "longer than there is room");
	is(pages(fd) + used(), 0, "nothing still");
	is(write_all(fd, 8, 1), 8, "eight pages");
	is(pages(fd), 8, "are eight of the file");
	is(used(), 8, "and of the file system");
	is(write_all(fd, 8, 2), 8, "written again");
	is(pages(fd), 8, "are no more");
	is(pwrite(fd, "x", 1, 100 * PAGE + 1), 1, "one byte elsewhere");
	is(pages(fd), 9, "is a page");
	p = map_file(fd, GIB, RW, MAP_SHARED);
	p[512 * MIB] = 'x';
	is(pages(fd), 10, "so is one in a mapping");
	munmap(p, GIB);
	is(pread(fd, buffer, PAGE, 50 * PAGE) + not_zero(buffer, PAGE), PAGE,
	   "a hole is read");
	is(pages(fd), 10, "that takes nothing");
	is(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE / 2,
		     3 * PAGE),
	   0, "a hole of three pages that touches four");
	is(pages(fd), 8, "gives two back");
	is(fallocate(fd, 0, 0, 8 * PAGE), 0, "allocated");
	is(pages(fd), 10, "they are there again");
	if (fs_morsels) {
		is_errno(fallocate(fd, FALLOC_FL_KEEP_SIZE, 2 * GIB, 5 * PAGE),
			 EOPNOTSUPP, "nothing is allocated behind the end");
		is(pages(fd), 10, "and nothing there");
	} else {
		is(fallocate(fd, FALLOC_FL_KEEP_SIZE, 2 * GIB, 5 * PAGE), 0,
		   "allocated behind the end");
		is(pages(fd), 15, "is there, too");
	}
	is(status(fd).st_size, GIB, "but is not in the size");
	is(used(), pages(fd), "the file system says the same");
	is(ftruncate(fd, 8 * PAGE), 0, "shrunk");
	is(pages(fd), 8, "to what is left");
	is(unlink("small/blocks"), 0, "unlinked");
	is(used(), 8, "and open: it is there");
	close(fd);
	is(used(), 0, "closed: it is not");
}

static void statistics(void)
{
	struct statfs s = space();

	is(s.f_blocks * s.f_bsize, ROOM * PAGE, "all of it is its size");
	ok(s.f_bfree == s.f_blocks && s.f_bavail == s.f_bfree, "all is free");
	is(s.f_bsize, PAGE, "in pages");
	is(s.f_namelen, 255, "length of names");
	ok(s.f_ffree && s.f_ffree < s.f_files, "inodes");
}

static void full_write(void)
{
	int first = file("small/first", 0, 0), fd = file("small/second", 0, 0),
	    third = file("small/third", 0, 0);
	long n = space().f_bfree - PART - tables_of(2);
	struct stat before;

	is(write_all(first, PART, 1), PART, "a part is written");
	is(write_all(fd, ROOM, 2), n, "and as much as there is room for");
	is(space().f_bfree, 0, "it is full");
	is(status(fd).st_size, n * PAGE, "size of what was cut short");
	is_errno(write(third, "x", 1), ENOSPC, "no byte more");
	is(status(third).st_size + pages(third), 0, "nothing came of that");
	before = status(fd);
	is_errno(pwrite(fd, "x", 1, 2 * GIB), ENOSPC, "nor far away");
	is(status(fd).st_size, before.st_size, "which makes nothing longer");
	is(write_all(first, PART, 3), PART, "what is there is written");
	is(ftruncate(third, GIB), 0, "a hole needs no room");
	is(mkdir("small/dir", 0755), 0, "nor does a directory");
	is(rename("small/second", "small/dir/second"), 0, "nor a new name");
	ok(holds(first, PART, 3) && holds(fd, n, 2), "content");
	is(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
		     space().f_blocks == ROOM ?
			     (1 + tables(-1) - tables_of(2)) * PAGE : 0),
	   0, "one page is punched, and as many as tables are over the limit");
	is(pwrite(third, "x", 1, PAGE), 1, "and written elsewhere");
	is(space().f_bfree, 0, "full again");
	close(first);
	close(fd);
	close(third);
	fs_remove("small/dir");
	unlink("small/first");
	unlink("small/third");
	is(used(), 0, "all is given back");
}

/* Faults: as many as there is room for, then SIGBUS. */
static void full_map(void)
{
	int fd = file("small/map", 0, 2 * ROOM * PAGE), n = 0, wrong = 0;
	char *p = map_file(fd, 2 * ROOM * PAGE, RW, MAP_SHARED);

	while (n < 2 * ROOM && probe(p + n * PAGE, WRITE) == 0) {
		memset(p + n * PAGE, n | 1, PAGE);
		n++;
	}
	is(n, ROOM - tables_of(1), "faults: so many pages");
	is(probe(p + n * PAGE, WRITE), SIGBUS, "then SIGBUS");
	is(pages(fd), n, "the file has them");
	is(space().f_bfree, 0, "it is full");
	for (int i = 0; i < n; i++)
		wrong += p[i * PAGE + i] != (char)(i | 1);
	is(wrong, 0, "content");
	is_errno(pwrite(fd, "x", 1, n * PAGE), ENOSPC, "write: ENOSPC");
	is_errno(madvise(p, 2 * ROOM * PAGE, MADV_POPULATE_WRITE), EFAULT,
		 "population: EFAULT");
	is(madvise(p, PAGE, MADV_REMOVE), 0, "one is removed");
	is(probe(p + n * PAGE, WRITE), 0, "another takes its place");
	munmap(p, 2 * ROOM * PAGE);
	close(fd);
	unlink("small/map");
	is(used(), 0, "all is given back");
}

/* All or nothing. */
static void full_allocate(void)
{
	int fd = file("small/allocate", 0, 0),
	    other = file("small/other", 0, 0);

	is(write_all(other, PART, 1), PART, "a part is taken");
	is(write_all(fd, 2, 2), 2, "two pages of a file");
	is_errno(fallocate(fd, 0, 0, ROOM * PAGE), ENOSPC,
		 "allocate more than is left");
	is(pages(fd), 2, "nothing of it is there");
	is(status(fd).st_size, 2 * PAGE, "nor in the size");
	ok(holds(fd, 2, 2), "content");
	is_errno(fallocate(fd, fs_morsels ? 0 : FALLOC_FL_KEEP_SIZE, GIB, ROOM * PAGE),
		 ENOSPC, "more than is left, elsewhere");
	is(used(), PART + 2, "nothing of it is there");
	is(fallocate(fd, 0, 0, (ROOM - PART - tables(-1)) * PAGE), 0, "all that is left");
	is(space().f_bfree, 0, "it is full");
	is(pwrite(fd, "x", 1, (ROOM - PART - tables(-1) - 1) * PAGE), 1,
	   "what is allocated is written");
	ok(holds(other, PART, 1) && holds(fd, 2, 2), "content");
	close(fd);
	close(other);
	fs_remove("small/allocate");
	fs_remove("small/other");
	is(used(), 0, "all is given back");
}

#define WRITERS 4

static int writer(void *name)
{
	int fd = file(name, 0, 0);
	long n = write_all(fd, ROOM, *(char *)strrchr(name, '/'));

	need(pages(fd) >= n && pages(fd) <= n + 1);
	need(holds(fd, n, *(char *)strrchr(name, '/')));
	return 0;
}

/* All at once: together they get all there is, and no more. */
static void rush(void)
{
	char names[WRITERS][16];
	pid_t pids[WRITERS];
	long sum = 0;

	for (int round = 0; round < 10; round++) {
		int failed = 0;

		for (int i = 0; i < WRITERS; i++) {
			snprintf(names[i], sizeof(names[i]), "small/%d", i);
			pids[i] = spawn(writer, names[i]);
		}
		for (int i = 0; i < WRITERS; i++)
			failed += reap(pids[i]) != 0;
		sum = 0;
		for (int i = 0; i < WRITERS; i++) {
			int fd = open(names[i], O_RDONLY);

			sum += pages(fd);
			close(fd);
			unlink(names[i]);
		}
		/* Kernels before 6.7 look first, and then take. */
		if (failed || sum < ROOM - tables_of(WRITERS) ||
		    sum > ROOM + (opt_old ? WRITERS : 0))
			break;
		if (round == 9)
			sum = -1;
	}
	is(sum, -1, "%d writers get all there is, ten times", WRITERS);
	is(used(), 0, "and give it back");
}

static void remount(void)
{
	int fd = file("small/file", 0, 0), n = ROOM - tables_of(1);

	is(write_all(fd, ROOM, 1), n, "full");
	is(fs_remount("small", "size=512k"), EINVAL,
	   "not smaller than is used");
	is(space().f_blocks, ROOM, "it is as it was");
	is(fs_remount("small", "size=2m"), 0, "larger");
	is(space().f_bfree, ROOM, "there is room again");
	is(pwrite(fd, "x", 1, ROOM * PAGE), 1, "and it is written");
	is(fs_remount("small", "size=1028k"), 0, "to what is used");
	is_errno(pwrite(fd, "x", 1, (2 * ROOM - 1) * PAGE), ENOSPC, "full again");
	ok(holds(fd, n, 1), "content");
	ok(strstr(fs_options("small"), "size=1028k"), "the options say so: %s",
	   fs_options("small"));
	is(umount("small") ? errno : 0, EBUSY,
	   "not unmounted while it is open");
	close(fd);
	gone();
	small("size=1m");
	is_errno(open("small/file", O_RDONLY), ENOENT, "the next one is empty");
	gone();
}

static bool option(const char *text)
{
	char options[512], wanted[64];

	snprintf(options, sizeof(options), ",%s,", fs_options("small"));
	snprintf(wanted, sizeof(wanted), ",%s,", text);
	return strstr(options, wanted);
}

static void options(void)
{
	static const char *const bad[] = { "size=x", "size=1q", "mode=9",
					   "uid=x",  "gid=",	"nonsense=1" };
	struct sysinfo info;
	struct stat st;

	small("size=8m,mode=2750,uid=1000,gid=2000");
	stat("small", &st);
	is(st.st_mode, S_IFDIR | 02750, "mode= is the root's");
	ok(st.st_uid == 1000 && st.st_gid == 2000, "uid= and gid=, too");
	is(space().f_blocks, 2048, "size=8m");
	ok(option("size=8192k") && option("mode=2750") && option("uid=1000") &&
		   option("gid=2000"),
	   "/proc/mounts shows them: %s", fs_options("small"));
	gone();
	small("");
	stat("small", &st);
	is(st.st_mode, S_IFDIR | 01777, "without: everybody's, sticky");
	ok(st.st_uid == 0 && st.st_gid == 0, "root's");
	sysinfo(&info);
	is(space().f_blocks, info.totalram * info.mem_unit / PAGE / 2,
	   "half of the memory");
	gone();
	small("size=4097");
	is(space().f_blocks, 2, "in whole pages");
	gone();
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		is(fs_mount("small", bad[i]), EINVAL, "refused: %s", bad[i]);
}

/* Each mount is one of its own, also under one name. */
static void apart(void)
{
	struct stat a, b;

	mkdir("large", 0755);
	small("size=1m");
	is(fs_mount("large", "size=2m"), 0, "a second one");
	close(file("small/file", 0, 0));
	is_errno(open("large/file", O_RDONLY), ENOENT, "does not have it");
	is_errno(rename("small/file", "large/file"), EXDEV, "nor gets it");
	is_errno(link("small/file", "large/file"), EXDEV, "by any name");
	stat("small", &a);
	stat("large", &b);
	ok(a.st_dev != b.st_dev, "two devices");
	is(umount("large"), 0, "unmounted");
	gone();
}

int main(int argc, char **argv)
{
	fs_init(argc, argv);
	small("size=1m");
	statistics();
	blocks();
	full_write();
	full_map();
	full_allocate();
	rush();
	remount();
	options();
	apart();
	return fs_done();
}

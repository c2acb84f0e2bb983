// SPDX-License-Identifier: GPL-2.0-only
/* What the tests of a file system share; see fs.h. */
#include "fs.h"

#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <linux/morsel.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

unsigned int opt_seconds = 1;
bool opt_old;
bool fs_morsels;

static char top[PATH_MAX - 64], own[PATH_MAX], type[64];
static struct statfs at_first;

/* Reads the type and the options of the file system that @dir is on. */
static void look_up(const char *dir, char *fs_type, char *options)
{
	unsigned int major, minor;
	char line[2 * PATH_MAX];
	bool found = false;
	struct stat st;
	FILE *mounts;

	mounts = fopen("/proc/self/mountinfo", "re");
	if (!mounts || stat(dir, &st))
		bail("%s: %s", dir, strerror(errno));
	while (fgets(line, sizeof(line), mounts)) {
		char *rest = strstr(line, " - ");

		if (sscanf(line, "%*d %*d %u:%u", &major, &minor) == 2 &&
		    makedev(major, minor) == st.st_dev && rest)
			found = sscanf(rest, " - %63s %*s %255s", fs_type,
				       options) == 2;
	}
	fclose(mounts);
	if (!found)
		bail("%s is on no file system", dir);
}

void fs_init(int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "s:o")) != -1) {
		if (opt == 's')
			opt_seconds = strtoul(optarg, NULL, 0);
		else if (opt == 'o')
			opt_old = true;
		else
			bail("usage: %s [-s SECONDS] [-o] [DIRECTORY]",
			     argv[0]);
	}
	fs_enter(argv[optind]);
}

void fs_enter(const char *dir)
{
	char options[256];

	setvbuf(stdout, NULL, _IONBF, 0);
	catch_faults();
	umask(0);
	if (!dir)
		dir = getenv("FS_DIR");
	if (!dir || !realpath(dir, top))
		bail("which directory?");
	look_up(top, type, options);
	fs_morsels = !strcmp(type, "morselfs");
	if (statfs(top, &at_first))
		bail("%s: %s", top, strerror(errno));
	snprintf(own, sizeof(own), "%s/%s.XXXXXX", top,
		 program_invocation_short_name);
	if (!mkdtemp(own) || chmod(own, 0755) || chdir(own))
		bail("%s: %s", own, strerror(errno));
}

static int remove_one(const char *path, const struct stat *st, int flag,
		      struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void fs_remove(const char *path)
{
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT))
		bail("cannot remove %s: %s", path, strerror(errno));
}

unsigned long fs_kept(void)
{
	return getenv("MORSEL_POOL") ? 256 : 0;
}

int fs_done(void)
{
	struct statfs now;

	if (chdir(top))
		bail("%s: %s", top, strerror(errno));
	fs_remove(own);
	if (statfs(top, &now))
		bail("%s: %s", top, strerror(errno));
	ok(at_first.f_bfree - now.f_bfree <= fs_kept(), "all blocks are given back");
	is(now.f_ffree, at_first.f_ffree, "and all inodes");
	return done();
}

int fs_mount(const char *dir, const char *options)
{
	return mount("none", dir, type, 0, options) ? errno : 0;
}

int fs_remount(const char *dir, const char *options)
{
	return mount("none", dir, type, MS_REMOUNT, options) ? errno : 0;
}

const char *fs_options(const char *dir)
{
	static char options[256];
	char fs_type[64];

	look_up(dir, fs_type, options);
	return options;
}

int file(const char *name, int flags, off_t size)
{
	int fd = open(name, flags | O_CREAT | O_RDWR | O_CLOEXEC, 0644);

	if (fd < 0 || (size && ftruncate(fd, size)))
		bail("%s: %s", name, strerror(errno));
	return fd;
}

char *map_file(int fd, size_t len, int prot, int flags)
{
	char *p = mmap(NULL, len, prot, flags, fd, 0);

	if (p == MAP_FAILED)
		bail("mmap: %s", strerror(errno));
	return p;
}

struct stat status(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		bail("fstat: %s", strerror(errno));
	return st;
}

int failed(int result)
{
	int err = result < 0 ? errno : 0;

	if (result > 2)
		close(result);
	return err;
}

/* Never zero, which is what is read where nothing was written. */
static char pattern(off_t offset, unsigned int seed)
{
	uint64_t x = ((uint64_t)offset / 8 + 1) * 0x9e3779b97f4a7c15ull ^
		     (seed + 1) * 0xd6e8feb86659fd93ull;

	x ^= x >> 29;
	x *= 0xbf58476d1ce4e5b9ull;
	return (char)(x >> (offset % 8 * 7)) | 1;
}

void fill(char *p, off_t offset, size_t len, unsigned int seed)
{
	for (size_t i = 0; i < len; i++)
		p[i] = pattern(offset + i, seed);
}

size_t differ(const char *p, off_t offset, size_t len, unsigned int seed)
{
	size_t wrong = 0;

	for (size_t i = 0; i < len; i++)
		wrong += p[i] != pattern(offset + i, seed);
	return wrong;
}

size_t not_zero(const char *p, size_t len)
{
	size_t wrong = 0;

	for (size_t i = 0; i < len; i++)
		wrong += p[i] != 0;
	return wrong;
}

void become(uid_t uid, gid_t gid)
{
	if (setgroups(0, NULL) || setresgid(gid, gid, gid) ||
	    setresuid(uid, uid, uid))
		bail("cannot be user %d: %s", uid, strerror(errno));
}

long tables(int fd)
{
	struct morsel_stats stats;
	struct morsel_info info;
	int device, err;

	if (!fs_morsels)
		return 0;
	if (fd >= 0) {
		if (ioctl(fd, MORSEL_IOC_INFO, &info))
			bail("MORSEL_IOC_INFO: %s", strerror(errno));
		return info.table_frames;
	}
	device = open("/dev/morsel", O_RDONLY | O_CLOEXEC);
	err = ioctl(device, MORSEL_IOC_STATS, &stats);
	if (err)
		bail("MORSEL_IOC_STATS: %s", strerror(errno));
	close(device);
	return stats.table_frames;
}

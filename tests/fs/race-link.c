// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names in two directories, given, taken, moved, exchanged and replaced by several
 * processes at once, while others open what has them, by name and by handle, and use
 * it.  Each file has its inode number as content, since before it had a name:
 *
 *   - whatever is opened is a file as a whole: its content is its own, by a mapping
 *     and by read(), for as long as it is open, with or without a name;
 *   - a call fails only for what others may have done;
 *   - when all is quiet, each file has as many names as it says, and the file system
 *     has as many inodes and blocks in use as there are names and files.
 */
#include "crew.h"

#include <sys/statfs.h>

#define NAMES 6

enum { OPENED, BY_HANDLE, STALE, MADE, LINKED, UNLINKED, RENAMED, EXCHANGED };
static const char *const counted[] = {
	"opened",  "opened by handle", "stale handles", "new files", "links",
	"unlinks", "renames",	       "exchanges",	NULL
};

static const char *const names[NAMES] = { "a/0", "a/1", "a/2",
					  "b/0", "b/1", "b/2" };
static struct statfs room;

static const char *any_name(void)
{
	return names[random64() % NAMES];
}

static void did(int err, int what, int other)
{
	if (!err)
		crew_count(what);
	else if (errno != ENOENT && errno != other)
		crew_wrong("%s: %s", counted[what], strerror(errno));
}

/*
 * Who changes names
 */
static void make(void)
{
	int fd = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	uint64_t ino;

	if (fd < 0)
		bail("O_TMPFILE: %s", strerror(errno));
	ino = status(fd).st_ino;
	if (pwrite(fd, &ino, 8, 0) != 8)
		crew_wrong("write: %s", strerror(errno));
	did(linkat(fd, "", AT_FDCWD, any_name(), AT_EMPTY_PATH), MADE, EEXIST);
	close(fd);
}

static void change(void)
{
	const char *from = any_name(), *to = any_name();

	switch (random64() % 5) {
	case 0:
		make();
		break;
	case 1:
		did(link(from, to), LINKED, EEXIST);
		break;
	case 2:
		did(unlink(from), UNLINKED, 0);
		break;
	case 3:
		did(rename(from, to), RENAMED, 0);
		break;
	case 4:
		did(renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE),
		    EXCHANGED, 0);
	}
}

/*
 * Who opens
 */
static void check(int fd, const char *how)
{
	struct stat st = status(fd);
	uint64_t got = 0;
	char *p = map_file(fd, PAGE, RW, MAP_SHARED);

	if (st.st_nlink > NAMES)
		crew_wrong("%s: %ju names", how, (uintmax_t)st.st_nlink);
	if (pread(fd, &got, 8, 0) != 8 || got != st.st_ino)
		crew_wrong("%s: inode %ju, read %ju", how, (uintmax_t)st.st_ino,
			   (uintmax_t)got);
	sched_yield();
	if (!peek(p, &got) || got != st.st_ino)
		crew_wrong("%s: inode %ju, mapped %ju", how,
			   (uintmax_t)st.st_ino, (uintmax_t)got);
	munmap(p, PAGE);
	close(fd);
}

static void open_name(void)
{
	int fd = open(any_name(), O_RDWR | O_CLOEXEC);

	did(fd < 0, OPENED, 0);
	if (fd >= 0)
		check(fd, "by name");
}

static void open_handle(void)
{
	static __thread struct {
		struct file_handle head;
		unsigned char bytes[MAX_HANDLE_SZ];
	} handle;
	int dir, fd, mount;

	handle.head.handle_bytes = MAX_HANDLE_SZ;
	if (name_to_handle_at(AT_FDCWD, any_name(), &handle.head, &mount, 0))
		return;
	sched_yield();
	dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = open_by_handle_at(dir, &handle.head, O_RDWR | O_CLOEXEC);
	if (fd < 0 && errno == ESTALE)
		crew_count(STALE);
	else
		did(fd < 0, BY_HANDLE, ESTALE);
	if (fd >= 0)
		check(fd, "by handle");
	close(dir);
}

/*
 * When all is quiet
 */
static void before(void)
{
	for (unsigned int i = 0; i < NAMES; i++)
		unlink(names[i]);
	if (statfs(".", &room))
		bail("statfs: %s", strerror(errno));
}

/* Whether the first name of a file is this one; and how many it has. */
static bool first_of(const struct stat *all, unsigned int i, unsigned int *n)
{
	bool first = true;

	*n = 0;
	for (unsigned int j = 0; j < NAMES; j++)
		if (all[j].st_nlink && all[j].st_ino == all[i].st_ino) {
			first &= j >= i;
			++*n;
		}
	return first;
}

static void after(void)
{
	unsigned int all = 0, files = 0, n;
	struct stat st[NAMES] = { 0 };
	struct statfs now;

	for (unsigned int i = 0; i < NAMES; i++)
		all += !stat(names[i], &st[i]);
	for (unsigned int i = 0; i < NAMES; i++) {
		if (!st[i].st_nlink)
			continue;
		files += first_of(st, i, &n);
		if (n != st[i].st_nlink)
			crew_wrong("%s has %ju names, says it: %u are there",
				   names[i], (uintmax_t)st[i].st_nlink, n);
	}
	if (statfs(".", &now))
		bail("statfs: %s", strerror(errno));
	if (room.f_ffree - now.f_ffree != all)
		crew_wrong("%u names, and %lld inodes are in use", all,
			   (long long)(room.f_ffree - now.f_ffree));
	if (room.f_bfree - now.f_bfree - files * (fs_morsels ? 2 : 1) > fs_kept())
		crew_wrong("%u files, and %lld blocks are in use", files,
			   (long long)(room.f_bfree - now.f_bfree));
}

int main(int argc, char **argv)
{
	static const struct hand hands[] = {
		{ NULL, change, 0 },	{ NULL, change, 1 },
		{ NULL, change, 0 },	{ NULL, open_name, 1 },
		{ NULL, open_name, 0 }, { NULL, open_handle, 0 },
	};
	static const struct race race = {
		.hands = hands,
		.n = sizeof(hands) / sizeof(*hands),
		.seconds = 1,
		.before = before,
		.after = after,
		.counted = counted,
	};

	fs_init(argc, argv);
	mkdir("a", 0755);
	mkdir("b", 0755);
	crew_race(&race);
	return fs_done();
}

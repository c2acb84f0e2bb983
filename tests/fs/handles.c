// SPDX-License-Identifier: GPL-2.0-only
/* Handles: a file by what names it for good, which is what an NFS server uses. */
#include "fs.h"

struct handle {
	struct file_handle head;
	unsigned char bytes[MAX_HANDLE_SZ];
	int mount;
};

static struct handle handle(const char *name)
{
	struct handle h = { .head.handle_bytes = MAX_HANDLE_SZ };

	if (name_to_handle_at(AT_FDCWD, name, &h.head, &h.mount, 0))
		bail("name_to_handle_at %s: %s", name, strerror(errno));
	return h;
}

static int open_handle(struct handle *h, int flags)
{
	int dir = open(".", O_RDONLY | O_DIRECTORY), fd, err;

	fd = open_by_handle_at(dir, &h->head, flags);
	err = errno;
	close(dir);
	errno = err;
	return fd;
}

static bool same(struct handle *a, struct handle *b)
{
	return a->head.handle_type == b->head.handle_type &&
	       a->head.handle_bytes == b->head.handle_bytes &&
	       !memcmp(a->head.f_handle, b->head.f_handle,
		       a->head.handle_bytes);
}

static int as_user(void *arg)
{
	become(USER, USER);
	need(open_handle(arg, O_RDONLY) == -1 && errno == EPERM);
	return 0;
}

/* Whatever one makes up beside it. */
static int opened_by_others(struct handle h)
{
	int opened = 0;

	for (unsigned int i = 0; i < h.head.handle_bytes; i++)
		for (int bit = 0; bit < 8; bit++) {
			int fd;

			h.bytes[i] ^= 1 << bit;
			fd = open_handle(&h, O_RDONLY);
			if (fd >= 0 || errno != ESTALE)
				opened++;
			if (fd >= 0)
				close(fd);
			h.bytes[i] ^= 1 << bit;
		}
	return opened;
}

int main(int argc, char **argv)
{
	struct handle a, b, dir, small = { 0 };
	char c = 0;
	int fd;

	fs_init(argc, argv);
	fd = file("a", 0, 0);
	is(write(fd, "a", 1), 1, "a file");
	is_errno(name_to_handle_at(AT_FDCWD, "a", &small.head, &small.mount, 0),
		 EOVERFLOW, "no room for a handle");
	ok(small.head.handle_bytes > 0 &&
		   small.head.handle_bytes <= MAX_HANDLE_SZ,
	   "it says how much there must be");
	a = handle("a");
	close(file("b", 0, 0));
	b = handle("b");
	ok(!same(&a, &b), "two files, two handles");
	close(fd);

	fd = open_handle(&a, O_RDWR);
	ok(fd >= 0, "opened by its handle");
	ok(read(fd, &c, 1) == 1 && c == 'a', "it is that file");
	close(fd);
	is(reap(spawn(as_user, &a)), 0, "root only");
	is(opened_by_others(a), 0, "one that is a bit away opens nothing");
	is(rename("a", "c"), 0, "renamed");
	b = handle("c");
	ok(same(&a, &b), "the handle is what it was");
	is(link("c", "d"), 0, "linked");
	is(unlink("c"), 0, "and unlinked");
	fd = open_handle(&a, O_RDONLY);
	ok(fd >= 0, "it is found");
	is(unlink("d"), 0, "the last name");
	close(fd);
	is_errno(open_handle(&a, O_RDONLY), ESTALE, "and is gone");

	/* What comes after it must not be taken for it. */
	fd = 0;
	for (int i = 0; i < 100; i++) {
		int next = file("next", O_EXCL, 0);

		b = handle("next");
		fd += same(&a, &b);
		close(next);
		unlink("next");
	}
	is(fd, 0, "no other file gets its handle");
	is_errno(open_handle(&a, O_RDONLY), ESTALE, "it stays gone");

	mkdir("dir", 0755);
	close(file("dir/in", 0, 0));
	dir = handle("dir");
	fd = open_handle(&dir, O_RDONLY | O_DIRECTORY);
	ok(fd >= 0 && faccessat(fd, "in", F_OK, 0) == 0, "a directory");
	close(fd);
	return fs_done();
}

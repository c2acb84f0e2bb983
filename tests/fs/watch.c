// SPDX-License-Identifier: GPL-2.0-only
/* Who watches a directory or a file hears of all that happens to it. */
#include "fs.h"

#include <sys/fanotify.h>
#include <sys/inotify.h>

static int in;

/* The events since the last call, as text: "create:a open:a ". */
static const char *events(void)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = { { IN_ACCESS, "access" },
		      { IN_MODIFY, "modify" },
		      { IN_ATTRIB, "attrib" },
		      { IN_CLOSE_WRITE, "close-write" },
		      { IN_CLOSE_NOWRITE, "close" },
		      { IN_OPEN, "open" },
		      { IN_MOVED_FROM, "from" },
		      { IN_MOVED_TO, "to" },
		      { IN_CREATE, "create" },
		      { IN_DELETE, "delete" },
		      { IN_DELETE_SELF, "delete-self" },
		      { IN_MOVE_SELF, "move-self" },
		      { IN_IGNORED, "ignored" } };
	static char text[1024];
	char buffer[4096] __attribute__((aligned(8)));
	ssize_t n = read(in, buffer, sizeof(buffer));
	struct inotify_event *event;

	text[0] = 0;
	for (char *p = buffer; p < buffer + n;
	     p += sizeof(*event) + event->len) {
		event = (struct inotify_event *)p;
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
			size_t len = strlen(text);

			if (event->mask & names[i].bit)
				snprintf(text + len, sizeof(text) - len,
					 "%s%s:%s", len ? " " : "",
					 names[i].name,
					 event->len ? event->name : "");
		}
	}
	return text;
}

static void heard(const char *want, const char *what)
{
	const char *got = events();

	if (!ok(!strcmp(got, want), "%s", what))
		note("heard \"%s\", not \"%s\"", got, want);
}

static void directory(void)
{
	char c;
	int fd;

	mkdir("d", 0755);
	inotify_add_watch(in, "d", IN_ALL_EVENTS);
	fd = open("d/a", O_CREAT | O_RDWR, 0644);
	heard("create:a open:a", "a file is created");
	is(write(fd, "x", 1), 1, "a byte");
	heard("modify:a", "it is written");
	is(pread(fd, &c, 1, 0), 1, "a byte");
	heard("access:a", "it is read");
	ftruncate(fd, 10);
	heard("modify:a", "truncated");
	fallocate(fd, 0, 0, PAGE);
	heard("modify:a", "allocated");
	close(fd);
	heard("close-write:a", "closed");
	chmod("d/a", 0600);
	heard("attrib:a", "chmod");
	rename("d/a", "d/b");
	heard("from:a to:b", "renamed");
	link("d/b", "d/c");
	heard("create:c", "linked");
	unlink("d/c");
	heard("delete:c", "unlinked");
	mkdir("d/sub", 0755);
	heard("create:sub", "a directory");
	symlink("x", "d/link");
	heard("create:link", "a symbolic link");
	rename("d/b", "e");
	heard("from:b", "moved out");
	rename("e", "d/link");
	heard("to:link", "moved in, over another");
	fs_remove("d");
	ok(strstr(events(), "delete-self:"), "and the directory itself");
}

static void one_file(void)
{
	int fd = file("f", 0, 0);

	inotify_add_watch(in, "f", IN_ALL_EVENTS);
	rename("f", "g");
	heard("move-self:", "a file is renamed");
	unlink("g");
	heard("attrib:", "it loses its name");
	close(fd);
	heard("close-write: delete-self: ignored:", "and is gone");
}

/* By file handles, which the file system must have, and an identity. */
static void by_handle(void)
{
	int all = fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_DFID_NAME |
					FAN_NONBLOCK,
				O_RDONLY);
	char buffer[4096] __attribute__((aligned(8)));
	struct fanotify_event_metadata *event = (void *)buffer;

	if (all < 0 && errno == ENOSYS) {
		skip("fanotify", "this kernel has none");
		return;
	}
	ok(all >= 0, "fanotify");
	is(fanotify_mark(all, FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
			 FAN_CREATE | FAN_ONDIR, AT_FDCWD, "."),
	   0, "watches the whole file system");
	mkdir("new", 0755);
	ok(read(all, buffer, sizeof(buffer)) > 0 && event->mask & FAN_CREATE,
	   "and hears of what is new");
	close(all);
}

int main(int argc, char **argv)
{
	fs_init(argc, argv);
	in = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	directory();
	one_file();
	by_handle();
	return fs_done();
}

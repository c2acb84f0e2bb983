// SPDX-License-Identifier: GPL-2.0-only
/* The matrix of permissions: processes, modes, the comparison; see permissions.h. */
#include "permissions.h"

#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>

static const struct subject subjects[] = {
	{ "root", 0, 0, NOBODY, true, false, NOBODY, NOBODY },
	{ "owner", OWNER, OTHER, NOBODY, false, false, NOBODY, NOBODY },
	{ "group", OTHER, GROUP, NOBODY, false, false, NOBODY, NOBODY },
	{ "further group", OTHER, OTHER, GROUP, false, false, NOBODY, NOBODY },
	{ "other", OTHER, OTHER, NOBODY, false, false, NOBODY, NOBODY },
	{ "root of a namespace with owner and group", 5000, 5000, NOBODY, true,
	  true, OWNER, GROUP },
	{ "root of one with the owner only", 5000, 5000, NOBODY, true, true,
	  OWNER, NOBODY },
	{ "root of one with neither", 5000, 5000, NOBODY, true, true, NOBODY,
	  NOBODY },
	{ "owner, root of one without the group", OWNER, 5000, NOBODY, true,
	  true, NOBODY, NOBODY },
	{ "owner, root of one with the group", OWNER, 5000, NOBODY, true, true,
	  NOBODY, GROUP },
};

/*
 * The subject is a process, which is sent operations.
 */
static int line[2];
static pid_t pid;

static void map_ids(const char *which, id_t self, id_t more)
{
	char path[64], text[64];
	int len;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, which);
	len = snprintf(text, sizeof(text), "0 %u 1\n", self);
	if (more != NOBODY)
		snprintf(text + len, sizeof(text) - len, "%u %u 1\n", more,
			 more);
	put_text(path, text);
}

static int act(const struct subject *s)
{
	const struct op *op;
	int err = 0;

	if (s->ns) {
		/* Told when it is made, told when it has its IDs. */
		if (unshare(CLONE_NEWUSER) ||
		    write(line[1], &err, sizeof(err)) != sizeof(err) ||
		    read(line[1], &op, sizeof(op)) != sizeof(op) ||
		    setgroups(0, NULL) || setresgid(0, 0, 0) ||
		    setresuid(0, 0, 0))
			return 1;
	} else if (setgroups(s->group != NOBODY, &s->group) ||
		   setresgid(s->gid, s->gid, s->gid) ||
		   setresuid(s->uid, s->uid, s->uid)) {
		return 1;
	}
	while (read(line[1], &op, sizeof(op)) == sizeof(op)) {
		err = op->run();
		if (write(line[1], &err, sizeof(err)) != sizeof(err))
			return 1;
	}
	return 0;
}

static int ask(const struct op *op)
{
	int err;

	if (write(line[0], &op, sizeof(op)) != sizeof(op) ||
	    read(line[0], &err, sizeof(err)) != sizeof(err))
		bail("the process is gone");
	return err;
}

static void start(const struct subject *s)
{
	int ready;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, line))
		bail("socketpair: %s", strerror(errno));
	pid = fork();
	if (!pid) {
		close(line[0]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(act(s));
	}
	close(line[1]);
	if (!s->ns)
		return;
	if (read(line[0], &ready, sizeof(ready)) != sizeof(ready))
		bail("no user namespace");
	map_ids("uid_map", s->uid, s->mapped_uid);
	map_ids("gid_map", s->gid, s->mapped_gid);
	if (write(line[0], &(void *){ NULL }, sizeof(void *)) != sizeof(void *))
		bail("the process is gone");
}

static void stop(void)
{
	close(line[0]);
	if (reap(pid))
		bail("it could not be who it should be");
}

static void give(const char *name, const struct object *o)
{
	if (chown(name, o->uid, o->gid) || chmod(name, o->mode & 07777))
		bail("%s: %s", name, strerror(errno));
}

/* How often an operation does not do what the rules say: 0 or 1. */
static int differs(const struct subject *s, const struct op *op,
		   const struct scene *c)
{
	int want = op->rule(s, c), got;

	mkdir("d", 0700);
	close(file("d/f", 0, PAGE));
	close(file("d/g", 0, 0));
	mkdir("d/s", 0700);
	give("d/f", &c->file);
	give("d/g", &c->file);
	give("d/s", &c->file);
	give("d", &c->dir);
	got = ask(op);
	if (got != want)
		note("%d:%d %o in %d:%d %o: %s, not %s", c->file.uid,
		     c->file.gid, c->file.mode, c->dir.uid, c->dir.gid,
		     c->dir.mode, got ? strerrorname_np(got) : "success",
		     want ? strerrorname_np(want) : "success");
	/* Whatever of it there is. */
	unlink("d/f");
	unlink("d/g");
	rmdir("d/s");
	if (rmdir("d"))
		fs_remove("d");
	return got != want;
}

#define MODES 12

/*
 * One class has no right or one, and the two others all that it has not: so each
 * class has each set of rights once.
 */
static mode_t mode(unsigned int i)
{
	mode_t rights = (mode_t[]){ 0, MAY_R, MAY_W, MAY_X }[i % 4];
	unsigned int shift = i / 4 * 3;

	return ((~rights & 7) * 0111 & ~(7u << shift)) | rights << shift;
}

static int files(const struct subject *s, const struct op *op)
{
	struct scene c = { { STRANGER, STRANGER, S_IFDIR | 0777 },
			   { OWNER, GROUP, 0 } };
	int wrong = 0;

	for (unsigned int i = 0; i < MODES; i++) {
		c.file.mode = S_IFREG | mode(i);
		wrong += differs(s, op, &c);
	}
	return wrong;
}

/* The owner's directory with a stranger's file, and the other way round. */
static int directories(const struct subject *s, const struct op *op)
{
	struct scene c = { { OWNER, GROUP, 0 },
			   { STRANGER, GROUP, S_IFREG | 0777 } };
	int wrong = 0;

	for (unsigned int i = 0; i < 4 * MODES; i++) {
		c.dir.uid = i / MODES % 2 ? STRANGER : OWNER;
		c.file.uid = i / MODES % 2 ? OWNER : STRANGER;
		c.dir.mode = S_IFDIR | mode(i % MODES) |
			     (i / MODES / 2 ? S_ISVTX : 0);
		wrong += differs(s, op, &c);
	}
	return wrong;
}

int main(int argc, char **argv)
{
	char links[16];

	fs_init(argc, argv);
	/* A restriction of its own, that is not the file system's. */
	get_text("/proc/sys/fs/protected_hardlinks", links, sizeof(links));
	put_text("/proc/sys/fs/protected_hardlinks", "0");
	for (size_t i = 0; i < sizeof(subjects) / sizeof(*subjects); i++) {
		const struct subject *s = &subjects[i];

		start(s);
		for (size_t j = 0; j < n_on_files; j++)
			is(files(s, &on_files[j]), 0, "%s: %s", s->name,
			   on_files[j].name);
		for (size_t j = 0; j < n_on_directories; j++)
			is(directories(s, &on_directories[j]), 0, "%s: %s",
			   s->name, on_directories[j].name);
		stop();
	}
	put_back("/proc/sys/fs/protected_hardlinks", links);
	return fs_done();
}

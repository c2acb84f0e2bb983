// SPDX-License-Identifier: GPL-2.0-only
/*
 * What developers do, on morselfs and on tmpfs: clone a repository, build what is in
 * it by make, remove it all.
 */
#include "filesystem.h"

#include <spawn.h>
#include <unistd.h>

extern char **environ;

struct place {
	const char *tmp; /* of the compiler */
	char *clone;
	char *url; /* of the repository: by a pack, not by links */
	char jobs[16];
	struct series *make, *remove;
};

static double command(char *const words[])
{
	double start = seconds();
	pid_t pid;
	int err = posix_spawnp(&pid, words[0], NULL, NULL, words, environ);

	if (err)
		die("%s: %s", words[0], strerror(err));
	child_wait(pid);
	return seconds() - start;
}

/* Returns how long the clone took. */
static double clone_and_build(void *with)
{
	struct place *p = with;
	char *const clone[] = { "git",	"clone",  "--quiet",
				p->url, p->clone, NULL };
	char *const make[] = {
		"make", "--silent", p->jobs, "-C", p->clone, NULL
	};
	double took = command(clone), start;

	setenv("TMPDIR", p->tmp, 1);
	series_add(p->make, command(make));
	start = seconds();
	filesystem_remove(p->clone);
	series_add(p->remove, seconds() - start);
	return took;
}

static struct step step(const struct options *o, const struct filesystem *fs,
			struct place *p)
{
	struct series *clone = series("git clone", "s", fs->name, NULL, 0);

	p->tmp = fs->dir;
	p->clone = filesystem_path(fs, "clone");
	if (asprintf(&p->url, "file://%s", o->repository) < 0)
		die("out of memory");
	snprintf(p->jobs, sizeof(p->jobs), "-j%d", o->cpus);
	p->make = series("make", "s", fs->name, NULL, 0);
	p->remove = series("removal", "s", fs->name, NULL, 0);
	return (struct step){ clone_and_build, p, clone };
}

static void run(const struct options *o)
{
	struct filesystem fs[FILESYSTEMS];
	struct place places[FILESYSTEMS];
	struct step steps[FILESYSTEMS];
	int n = filesystems(o, fs);

	if (!n || !o->repository)
		die("build needs a mounted morselfs or tmpfs (--morselfs, --tmpfs), and a repository (--repository)");
	/* Whatever the user has there is in nobody's way. */
	setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
	setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	for (int i = 0; i < n; i++)
		steps[i] = step(o, &fs[i], &places[i]);
	rounds_run(steps, n, o->rounds);
	for (int i = 0; i < n; i++) {
		free(places[i].clone);
		free(places[i].url);
	}
}

const struct benchmark benchmark_build = {
	.name = "build",
	.what = "git clone and make on morselfs and tmpfs",
	.run = run,
	.rounds = 5,
};

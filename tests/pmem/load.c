// SPDX-License-Identifier: GPL-2.0-only
/*
 * load run|verify DIRECTORY SEED - operations on files until the machine is killed, and
 * what has to be there when it is back
 *
 * Each worker W has a directory of its own, DIRECTORY/W, and a witness beside it, a file
 * that it maps: two words there say which operation was begun, and which is done.  The
 * model (model.h) says what is there after that one.  run looks first, and goes on from
 * there.
 *
 * A store into the mapping of the witness is as lasting as what it tells of: the last
 * thing that a killed machine did.  That caches outlast the loss of power is taken for
 * granted; where they do not, both would have to be written back.
 */
#include "model.h"

#include <argp.h>
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PART 256
#define ROOM (4 * PART) /* of what is said of a difference */

struct witness {
	_Atomic uint64_t seed; /* and 1; 0 before the first operation */
	_Atomic uint64_t begun, done;
};

static const char *verb, *directory, *say;
static uint64_t seed, most = UINT64_MAX;
static double seconds;
static unsigned int workers = 2;

enum outcome { WRONG, BEFORE, AFTER, BETWEEN };

struct worker {
	unsigned int number;
	struct witness *witness;
	struct state *state, *after;
};

static struct witness *open_witness(unsigned int number, bool make)
{
	char name[64];
	struct witness *w;
	struct stat st;
	int fd;

	snprintf(name, sizeof(name), "witness.%u", number);
	fd = open(name, O_RDWR | (make ? O_CREAT : 0), 0600);
	if (fd < 0 && errno == ENOENT)
		return NULL;
	if (fd < 0 || fstat(fd, &st))
		error(1, errno, "%s", name);
	/* Killed between the two. */
	if (!st.st_size && !make)
		return NULL;
	if (!st.st_size && ftruncate(fd, 4096))
		error(1, errno, "%s", name);
	w = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (w == MAP_FAILED)
		error(1, errno, "%s", name);
	close(fd);
	return w;
}

/* The directory beside the model; the operation that may be half done is left in o. */
static enum outcome look(struct worker *w, struct operation *o, char *text)
{
	uint64_t begun = w->witness ? w->witness->begun : 0;
	uint64_t done = w->witness ? w->witness->done : 0;
	char second[PART], third[PART], what[PART];

	if (w->witness && w->witness->seed && w->witness->seed != seed + 1)
		error(1, 0, "worker %u had seed %llu", w->number,
		      (unsigned long long)w->witness->seed - 1);
	if (begun != done && begun != done + 1) {
		snprintf(text, ROOM, "the witness says %llu begun, %llu done",
			 (unsigned long long)begun, (unsigned long long)done);
		return WRONG;
	}
	model_start(w->state, seed, w->number);
	for (uint64_t n = 1; n <= done; n++) {
		model_choose(w->state, n, o);
		model_apply(w->state, o);
	}
	if (begun == done)
		return compare(w->state, NULL, NULL, text, PART) ? BEFORE : WRONG;

	model_choose(w->state, begun, o);
	memcpy(w->after, w->state, sizeof(*w->after));
	model_apply(w->after, o);
	if (compare(w->after, NULL, NULL, second, PART))
		return AFTER;
	if (compare(w->state, NULL, NULL, text, PART))
		return BEFORE;
	if (!model_atomic(o)) {
		if (compare(w->state, w->after, o, third, PART))
			return BETWEEN;
		memcpy(text, third, PART);
	}
	model_text(w->state, o, what, sizeof(what));
	snprintf(text + strlen(text), ROOM - strlen(text),
		 "\n  with what was begun: %s\n  %s", second, what);
	return WRONG;
}

/* The worker's directory becomes the working one, if it is there. */
static bool enter(struct worker *w, bool make)
{
	char name[16];

	if (chdir(directory))
		error(1, errno, "%s", directory);
	w->witness = open_witness(w->number, make);
	snprintf(name, sizeof(name), "%u", w->number);
	if (make && mkdir(name, 0755) && errno != EEXIST)
		error(1, errno, "%s", name);
	w->state = calloc(1, sizeof(*w->state));
	w->after = calloc(1, sizeof(*w->after));
	if (!w->state || !w->after)
		error(1, ENOMEM, "model");
	if (!chdir(name))
		return true;
	if (w->witness && w->witness->begun)
		error(1, errno, "%s/%s", directory, name);
	return false;
}

static enum outcome verify(struct worker *w, struct operation *o)
{
	static const char *const how[] = {
		[BEFORE] = "as before", [AFTER] = "as after", [BETWEEN] = "between",
	};
	char text[ROOM], what[PART] = "";
	enum outcome outcome = look(w, o, text);
	unsigned long long done = w->witness ? w->witness->done : 0;

	if (outcome == WRONG) {
		printf("worker %u, after %llu operations: %s\n", w->number, done, text);
		return outcome;
	}
	if (w->witness && w->witness->begun != done)
		snprintf(what, sizeof(what), ", %s %s", how[outcome], what_name[o->what]);
	printf("worker %u: all of %llu operations%s\n", w->number, done, what);
	return outcome;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void step(struct worker *w, struct operation *o, bool did)
{
	uint64_t n = w->witness->done + 1;
	char text[ROOM];
	int err;

	model_choose(w->state, n, o);
	w->witness->begun = n;
	err = did ? 0 : perform(w->state, o);
	if (err) {
		model_text(w->state, o, text, sizeof(text));
		error(1, -err, "worker %u: %s", w->number, text);
	}
	w->witness->done = n;
	model_apply(w->state, o);
}

static int work(unsigned int number, int ready, int go)
{
	struct worker w = { .number = number };
	bool run = !strcmp(verb, "run");
	struct operation o;
	enum outcome outcome;
	double end;
	char byte;

	if (!enter(&w, run)) {
		printf("worker %u: not begun\n", number);
		return 0;
	}
	outcome = verify(&w, &o);
	fflush(stdout);
	if (outcome == WRONG)
		return 1;
	if (!run)
		return 0;
	w.witness->seed = seed + 1;
	if (write(ready, "", 1) != 1)
		return 1;
	close(ready);
	/* Nothing comes when another has failed. */
	if (read(go, &byte, 1) != 1)
		return 0;
	end = seconds ? now() + seconds : 1e300;
	for (uint64_t i = 0; i < most && now() < end; i++)
		step(&w, &o, !i && outcome == AFTER);
	return 0;
}

static error_t option(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'w':
		workers = strtoul(arg, NULL, 0);
		return 0;
	case 'n':
		most = strtoull(arg, NULL, 0);
		return 0;
	case 't':
		seconds = strtod(arg, NULL);
		return 0;
	case 's':
		say = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num == 0)
			verb = arg;
		else if (state->arg_num == 1)
			directory = arg;
		else if (state->arg_num == 2)
			seed = strtoull(arg, NULL, 0);
		else
			argp_usage(state);
		return 0;
	case ARGP_KEY_END:
		if (state->arg_num != 3 || (strcmp(verb, "run") && strcmp(verb, "verify")))
			argp_usage(state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static int wait_all(void)
{
	int failed = 0, status;

	while (wait(&status) > 0)
		failed |= status;
	return failed != 0;
}

int main(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "workers", 'w', "N", 0, "processes (2)", 0 },
		{ "operations", 'n', "N", 0, "end after so many of each", 0 },
		{ "seconds", 't', "S", 0, "end after that time", 0 },
		{ "say", 's', "FILE", 0, "write \"load begins\" there when it does", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		options, option, "run|verify DIRECTORY SEED",
		"Operations on files until the machine is killed, and what has to be there.",
		NULL, NULL, NULL,
	};
	int ready[2], go[2];
	unsigned int begun = 0;
	FILE *file;
	char byte;

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	umask(0);
	if (pipe(ready) || pipe(go))
		error(1, errno, "pipe");
	for (unsigned int i = 0; i < workers; i++) {
		pid_t pid = fork();

		if (pid < 0)
			error(1, errno, "fork");
		if (pid)
			continue;
		close(go[1]);
		close(ready[0]);
		exit(work(i, ready[1], go[0]));
	}
	close(ready[1]);
	/* Until all are ready; who is not has failed, or is to look only. */
	while (read(ready[0], &byte, 1) == 1)
		if (++begun == workers)
			break;
	if (begun == workers && say) {
		file = fopen(say, "w");
		if (!file || fputs("load begins\n", file) < 0 || fclose(file))
			error(1, errno, "%s", say);
	}
	for (unsigned int i = 0; begun == workers && i < workers; i++)
		if (write(go[1], "", 1) != 1)
			error(1, errno, "pipe");
	close(go[1]);
	return wait_all();
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the commands of morsel(1) share: exit statuses, errors, arguments,
 * output, and the progress bar.
 */
#ifndef MORSEL_TOOL_H
#define MORSEL_TOOL_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "morsel.h"

/* EXIT_FAILURE is for what went wrong, this for what was asked wrongly. */
#define EXIT_USAGE 2

#define ID_FORMAT "0x%016llx"
#define ADDRESS_FORMAT "0x%llx"

/* commands: main() of each, with argv[0] set to "morsel NAME" */
int cmd_create(int argc, char **argv);
int cmd_ls(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_put(int argc, char **argv);
int cmd_get(int argc, char **argv);
int cmd_rm(int argc, char **argv);
int cmd_populate(int argc, char **argv);
int cmd_punch(int argc, char **argv);
int cmd_chmod(int argc, char **argv);
int cmd_chown(int argc, char **argv);
int cmd_stat(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_tree(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_pool(int argc, char **argv);

/* args.c: parse an argument, or end with a usage error that quotes it */
enum { OPT_JSON = 0x100, OPT_INTO, OPT_OFFSET, OPT_ADDRESS, OPT_FORCE };

#define ORDER_UNSET (-1)
#define ORDER_DEFAULT 2
#define MODE_DEFAULT 0600

/* Shape of a morsel to create, as -o, -s and -m give it. */
struct shape {
	int order;
	mode_t mode;
};

/* As chown(2) takes it: -1 leaves what is there. */
struct owner {
	uid_t uid;
	gid_t gid;
};

/* A morsel: what is no number that begins with a digit is the name of a file. */
struct target {
	const char *path; /* NULL: named by its ID */
	uint64_t id;
};

struct target arg_target(const char *arg);
/* The only argument of a command, or the first. */
error_t arg_one_target(int key, const char *arg, const struct argp_state *state,
		       struct target *target);
/* For commands that have nothing to do with files, which @program is for. */
uint64_t arg_id(const struct argp_state *state, const char *arg,
		const char *program);
uint64_t arg_size(const struct argp_state *state, const char *arg);
uint64_t arg_pages(const struct argp_state *state, const char *arg);
uint64_t arg_address(const struct argp_state *state, const char *arg);
/* A number of seconds above 0, fractions allowed; a number above 0. */
double arg_seconds(const struct argp_state *state, const char *arg);
uint64_t arg_count(const struct argp_state *state, const char *arg);
mode_t arg_mode(const struct argp_state *state, const char *arg);
mode_t arg_directory_mode(const struct argp_state *state, const char *arg);
uid_t arg_uid(const struct argp_state *state, const char *arg);
gid_t arg_gid(const struct argp_state *state, const char *arg);
struct owner arg_owner(const struct argp_state *state, const char *arg);
error_t arg_shape(int key, const char *arg, const struct argp_state *state,
		  struct shape *shape);
void run_argp(const struct argp *argp, int argc, char **argv, void *input);

/* error.c: one line on standard error each, and EXIT_FAILURE to return */
enum step {
	STEP_DEVICE,
	STEP_CREATE,
	STEP_OPEN,
	STEP_FILE,
	STEP_MAP,
	STEP_COPY,
	STEP_TABLES,
	STEP_CHMOD,
	STEP_CHOWN,
	STEP_DESTROY,
	STEP_MEDIUM
};

int fail(const char *subject, const char *reason);
int fail_at(enum step step, const char *subject, int err);
const char *reason_of(enum step step, int err);
int open_device(void);

/* target.c: the same for what a command is about, and opening that */
int fail_target(enum step step, const struct target *target, int err);
int fail_target_text(const struct target *target, const char *reason);
/* With MORSEL_OPEN_RDONLY in @flags to read, else to write as well. */
int open_target(const struct target *target, unsigned int flags,
		struct morsel_info *info);

/* file.c: files by their name, and told apart */
/*
 * For @access, which is O_RDONLY or so; or a negative errno: -EISDIR for what is no
 * regular file, which is left alone, and -ENOSYS when there is no /proc.
 */
int open_regular(const char *path, int access);
bool same_file(int a, int b);
/* Takes the name away when it is that of @fd. */
void remove_file(const char *path, int fd);

/* range.c: the part of a morsel that an offset and a number of bytes name */
struct range {
	uint64_t offset;
	uint64_t bytes;
	bool bytes_given;
};

/*
 * Makes @bytes what there is from @offset on, of @size bytes, unless they were
 * given.  Returns an exit status, not 0 after an error line.
 */
int range_resolve(struct range *range, const struct target *target,
		  uint64_t size);

/* input.c: what is put */
struct input {
	int fd;
	const char *name;
	off_t length; /* -1: not known */
};

/*
 * As read(2), but waits for input whatever @in is, and returns a negative errno.
 * -EINTR once there is something in @signals, a signalfd(2), or -1.
 */
ssize_t read_input(int in, int signals, void *to, size_t bytes);

/* write.c: a file filled */
/*
 * Copies all of @from to @offset; the file ends there then, unless it is a @part
 * of it.  Adds up in @done, and says what became of the file.  An exit status.
 */
int write_file(const struct target *target, const struct input *from,
	       uint64_t offset, bool part, struct morsel_info *info,
	       uint64_t *done);

/* read.c: a file read */
struct output {
	int fd;
	const char *name;
};

/* Copies @range of the file behind @fd, whose name @target has.  An exit status. */
int read_file(const struct target *target, int fd, const struct range *range,
	      const struct output *to);

/* sample.c: the morsels one may read, and what became of them since */
struct sample {
	struct timespec time;
	struct morsel_info *infos; /* by ID; to be freed */
	size_t count;
};

/* Per second, over some time. */
struct rates {
	double allocated, freed; /* frames of data */
	double attached, detached; /* entries */
};

/* In place of what is in @sample, all zeroes at first.  An exit status. */
int sample_take(int dev, struct sample *sample);
const struct morsel_info *sample_find(const struct sample *sample, uint64_t id);
/* Frames of data given back, and entries detached, since it was created. */
uint64_t frames_freed(const struct morsel_info *info);
uint64_t detached(const struct morsel_info *info);
/* @then may be NULL: there was none. */
struct rates rates_of(const struct morsel_info *now,
		      const struct morsel_info *then, double seconds);
double seconds_between(struct timespec from, struct timespec to);
void pause_for(double seconds);

/* tables.c: the page tables of a morsel */
struct tables {
	struct morsel_table *all; /* parents before children; to be freed */
	size_t count;
};

/* A table, and neighbours that are like it with all that is below them. */
struct table_run {
	size_t count;
	uint64_t stride; /* pages from each to the next */
	size_t next; /* index of what follows, below the same table */
};

/* 0 or a negative errno. */
int tables_read(int fd, struct tables *tables);
uint64_t table_pages(const struct morsel_table *table);
/* Where the tables end that are for the same rights as that at @at. */
size_t tables_same_rights(const struct tables *tables, size_t at);
/* Where the tables end that are below that at @at; at @end the latest. */
size_t tables_below(const struct morsel_table *all, size_t at, size_t end);
struct table_run table_run_at(const struct morsel_table *all, size_t at,
			      size_t end);

/* draw.c: the same for people */
const char *table_rights(const struct morsel_table *table);
void draw_tables(const struct tables *tables);

/* maps.c: who has a morsel mapped */
struct mapping {
	int pid;
	char command[17]; /* printable, without quotes */
	uint64_t start, end, offset;
	char rights[5]; /* as in /proc/PID/maps */
	unsigned int level; /* of the largest table to attach; 0: pages */
};

struct mappings {
	struct mapping *all; /* to be freed */
	size_t count;
	size_t unread; /* processes that could not be looked into */
};

/* 0 or a negative errno. */
int mappings_find(int fd, struct mappings *mappings);
void mappings_print(const struct mappings *mappings,
		    const struct morsel_info *info);
void mappings_print_json(const struct mappings *mappings);

/* printable.c: names that somebody else chose */
/*
 * Into @buf, as far as it fits, @text with a question mark for each byte that is part
 * of no character that can be printed, and for those characters that are in @except.
 */
void printable(char *buf, size_t len, const char *text, const char *except);

/* output.c: all else that goes to standard output */
void human_size(char *buf, size_t len, uint64_t bytes);
/* As an option would take it, to the byte. */
void exact_size(char *buf, size_t len, uint64_t bytes);
void print_created(uint64_t id, unsigned int order, bool json);
void print_filled(const struct morsel_info *info, uint64_t bytes, bool json);
void print_info(const struct morsel_info *info);
void print_info_json(const struct morsel_info *info);
void print_row_header(void);
void print_row(const struct morsel_info *info);
void print_counters_of(const struct morsel_info *info);
void print_rates_header(void);
void print_rates(const struct morsel_info *info, struct rates rates);
void print_totals_line(const struct morsel_stats *stats);
void print_top_header(void);
void print_top_row(const struct morsel_info *info, struct rates rates);
void print_stats(const struct morsel_stats *stats);
void print_stats_json(const struct morsel_stats *stats);
int flush_output(void);

/* progress.c: a bar on standard error, for what takes more than a second */
struct progress {
	const char *verb;
	uint64_t total; /* bytes, 0 when not known */
	struct timespec start;
	double next; /* seconds after start; negative: never */
	bool drawn;
};

void progress_start(struct progress *p, const char *verb, uint64_t total);
void progress_update(struct progress *p, uint64_t done);
void progress_end(struct progress *p);

#endif /* MORSEL_TOOL_H */

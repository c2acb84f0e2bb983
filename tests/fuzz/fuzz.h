/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fuzzer.  An episode is what follows from one seed:
 *
 *   ops.c    draws operations and says what each must do, one after the other, so
 *   maps.c   that a seed means the same operations each time; what concerns
 *            mappings is in the latter
 *   model.c  what must be: objects, descriptors, VMAs, the content of each page
 *   actor.c  processes that run one system call each time they are told to
 *   race.c   what cannot be replayed: threads of several processes at once, each
 *            page with one who writes it
 *   main.c   options, episodes, what is left at the end
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/types.h>

#include <morsel.h>

#include "tap.h"

#define PAGE MORSEL_PAGE_SIZE
#define R PROT_READ
#define W PROT_WRITE
#define X PROT_EXEC

#define ACTORS_MAX 8
#define MORSELS 8
#define FILES 48
#define FDS 10 /* of one actor */
#define SEGMENTS 40 /* of one actor */
#define CANDIDATES 80
#define RANGES 4096
#define PROBES 4
#define USER 1000 /* who is not root */

/* A generator for each purpose; splitmix64. */
struct rng {
	uint64_t state;
};

uint64_t draw(struct rng *rng);
uint64_t below(struct rng *rng, uint64_t n);
static inline bool one_in(struct rng *rng, unsigned int n)
{
	return !below(rng, n);
}

/* What a page holds: zeroes as version 0, else words that nothing else has. */
uint64_t mix(uint64_t x);
uint64_t content(uint64_t key, uint64_t page, uint64_t version,
		 unsigned int word);

/* Pages that may be written: around the borders of tables. */
unsigned int candidates(unsigned int order, uint64_t *pages);

/*
 * actor.c
 */
enum what {
	DO_SYSCALL, /* nr, six arguments */
	DO_READ, /* from addr to the buffer, by the processor */
	DO_WRITE,
	DO_PROC_READ, /* the same by /proc/PID/mem: pid, addr */
	DO_PROC_WRITE,
	DO_PIPE_READ, /* by write() to a pipe */
	DO_PIPE_WRITE,
	DO_SPLICE_READ, /* by vmsplice() */
	DO_DISK_READ, /* by write() to a file with O_DIRECT */
	DO_DISK_WRITE,
	DO_PUT, /* a string into a file: path, text */
	DO_FORK, /* the child is an actor: its slot */
	DO_SEND, /* descriptor to a socket that all have */
	DO_RECEIVE,
};

struct command {
	enum what what;
	bool as_user; /* with the file system IDs of USER */
	long nr, args[6];
	long ret; /* -errno, or minus the signal that an access raised - 4096 */
};

#define SIGNALLED(ret) ((ret) < -4096 ? (int)(-(ret)-4096) : 0)

struct slot {
	atomic_uint turn; /* odd: the actor's */
	struct command command;
	char buffer[4096] __attribute__((aligned(4096)));
	/*
	 * Words that are read right before and right after the command, when no
	 * switch to another process has emptied the TLB for it.
	 */
	struct probe {
		uint64_t addr, value;
		int sig;
	} probes[PROBES];
	unsigned int n_probes;
	/* Arguments of system calls. */
	union {
		char bytes[256];
		struct morsel_create create;
		struct morsel_open open;
		struct morsel_info info;
		struct morsel_next next;
		struct morsel_stats stats;
		struct morsel_range range;
	} arg;
	unsigned char vector[4096]; /* of mincore() */
};

struct actor {
	pid_t pid;
	struct slot *slot;
};

extern struct actor actors[ACTORS_MAX];
extern unsigned int n_actors;

/* The disk is a directory for files with O_DIRECT, or NULL. */
void actors_init(const char *disk);
void actor_start(unsigned int a);
void actor_kill(unsigned int a);
/* What is still on its way through the socket is closed. */
void actors_drain(void);
/* What the command in the slot returned; the episode is over if it never does. */
long actor_run(unsigned int a);

/*
 * model.c
 */
struct range {
	uint64_t first, last;
};

/* Disjoint, ascending. */
struct range_set {
	unsigned int n;
	struct range r[RANGES];
};

void ranges_add(struct range_set *set, uint64_t first, uint64_t last);
void ranges_remove(struct range_set *set, uint64_t first, uint64_t last);
uint64_t ranges_count(const struct range_set *set);
/* Distinct tables that cover 2^shift pages each. */
uint64_t ranges_tables(const struct range_set *set, unsigned int shift);

struct morsel {
	bool used; /* there are files of it, or it lives */
	bool alive;
	bool ephemeral, meta;
	unsigned int order;
	unsigned int mode, uid, gid;
	uint64_t id, address, key;
	struct range_set populated, tables;
	/* Taken along by faults: populated or not. */
	struct range_set ahead;
	unsigned int n_candidates;
	uint64_t candidate[CANDIDATES], version[CANDIDATES];
};

struct file {
	unsigned int refs; /* descriptors, VMAs, on its way through a socket */
	struct morsel *morsel;
	bool writable, executable;
};

struct descriptor {
	int fd;
	struct file *file;
};

/* A VMA: those of morsels are never merged. */
struct segment {
	uint64_t addr, pages, first;
	struct file *file;
	int prot;
	bool dontfork;
	int hint; /* MADV_NORMAL, RANDOM or SEQUENTIAL */
	int huge; /* 0, MADV_HUGEPAGE, MADV_NOHUGEPAGE */
};

struct space {
	unsigned int n_fds, n_segments;
	struct descriptor fds[FDS];
	struct segment segments[SEGMENTS]; /* by address */
};

struct model {
	struct morsel morsels[MORSELS];
	struct file files[FILES];
	struct space spaces[ACTORS_MAX];
	struct file *in_flight[2];
	unsigned int n_in_flight;
	uint64_t stale[8];
	unsigned int n_stale;
	uint64_t versions;
	bool unsettled; /* there is more ahead than at the last audit */
};

extern struct model model;

void model_reset(void);
struct morsel *morsel_slot(void);
struct file *file_new(struct morsel *m, bool writable, bool executable);
struct file *file_get(struct file *file);
void file_put(struct file *file);
unsigned int morsel_files(const struct morsel *m);
unsigned int morsel_mappings(const struct morsel *m);
void morsel_die(struct morsel *m);
void morsel_fill(struct morsel *m, uint64_t first, uint64_t last);
/* A fault may have populated these, too. */
void morsel_fill_ahead(struct morsel *m, uint64_t first, uint64_t last);
/* It has @data pages in all, which may say what became of those ahead. */
void morsel_settle(struct morsel *m, uint64_t data);
void morsel_empty(struct morsel *m, uint64_t first, uint64_t last);
uint64_t morsel_version(const struct morsel *m, uint64_t page);

void fd_add(struct space *s, int fd, struct file *file);
void fd_drop(struct space *s, unsigned int i);
struct segment *segment_at(struct space *s, uint64_t addr);
/* Whether every page of it is mapped. */
bool space_covered(struct space *s, uint64_t addr, uint64_t pages);
/* Segments that a cut at both ends would add. */
unsigned int space_cuts(struct space *s, uint64_t addr, uint64_t pages);
/* Has a border at @addr. */
void space_split(struct space *s, uint64_t addr);
void space_unmap(struct space *s, uint64_t addr, uint64_t pages);
void space_map(struct space *s, const struct segment *segment);
void space_fork(const struct space *from, struct space *to);
void space_clear(struct space *s);

/*
 * ops.c, race.c, main.c
 */
void episode_ops(uint64_t seed, unsigned long operations, double until);
void episode_race(uint64_t seed, double seconds);

extern bool opt_verbose;
/* The operation under way, for reports. */
extern char doing[512];
extern unsigned long done_operations, done_races;

/* One line that says how to see it again; ends the program. */
__attribute__((noreturn, format(printf, 1, 2))) void found(const char *fmt,
							   ...);
double now(void);
int device(void);
unsigned int max_order(void);

#endif /* FUZZ_H */

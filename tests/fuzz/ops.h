/* SPDX-License-Identifier: GPL-2.0-only */
/* What the operations share: who does it, and what must come of it. */
#ifndef OPS_H
#define OPS_H

#include "fuzz.h"

#include <sys/syscall.h>

extern struct rng rng;
/* Who is next, with its model. */
extern unsigned int who;
extern struct space *space;
extern struct slot *slot;

/* Of the operation that begins; nothing is expected to fail yet. */
__attribute__((format(printf, 1, 2))) void describe(const char *fmt, ...);
/*
 * Errors: one that must come if the condition holds, and one that may.  Of
 * several that must come any will do.
 */
void fails(bool condition, int err);
void may_fail(bool condition, int err);
/* Whether it succeeded, and was to. */
bool judge(long ret);
/* A signal in the place of an errno. */
#define SIGNAL(sig) (4096 + (sig))

long sys6(bool as_user, long nr, long a, long b, long c, long d, long e,
	  long f);
#define sys_(nr, a, b, c, d, e, f, ...)                                        \
	sys6(false, nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), \
	     (long)(f))
#define sys(nr, ...) sys_(nr, __VA_ARGS__, 0, 0, 0, 0, 0, 0)
long act(enum what what, long a, long b);

/*
 * Has words around a range that is about to change read before and after; what
 * they must be after it is checked when the operation is over.
 */
void probe_around(uint64_t addr, uint64_t pages);
void check_probes(void);

struct descriptor *any_fd(void);
void any_range(const struct morsel *m, uint64_t *first, uint64_t *n);
void check_info(struct morsel *m, const struct morsel_info *i);

/* maps.c */
bool op_mmap(void);
bool op_munmap(void);
bool op_mprotect(void);
bool op_mremap(void);
bool op_madvise(void);
bool op_mlock(void);
bool op_mincore(void);
bool op_access(void);
bool op_sweep(void);

#endif /* OPS_H */

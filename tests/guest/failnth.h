/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Allocations that fail, on a kernel with fault injection: an operation with its
 * first one failing, then with its second, and so on until it succeeds without a
 * failure.  Each try is a process of its own, in which only the operation is armed.
 */
#ifndef FAILNTH_H
#define FAILNTH_H

#include "common.h"

#define FAILNTH_MOST 500 /* allocations that an operation may have */

/* How a try ended.  What need() returns is WRONG. */
enum { DONE, WRONG, INJECTED };

struct failnth {
	int n; /* the allocation that fails */
	int err; /* what that came to: 0 or an errno */
};

static inline void failnth_set(const char *kind, const char *what,
			       const char *value)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", kind, what);
	put_text(path, value);
}

static inline void failnth_init(void)
{
	static const char *const kinds[] = { "failslab", "fail_page_alloc" };

	if (access("/proc/self/fail-nth", W_OK))
		bail("this kernel has no fault injection");
	for (int i = 0; i < 2; i++) {
		failnth_set(kinds[i], "ignore-gfp-wait", "N");
		failnth_set(kinds[i], "verbose", "0");
	}
	failnth_set("fail_page_alloc", "min-order", "0");
	failnth_set("fail_page_alloc", "ignore-gfp-highmem", "N");
}

/* From now on, until failnth_end().  The kernel's file is the thread's that opens it. */
static inline int failnth_arm(const struct failnth *t)
{
	int nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	char text[16];

	snprintf(text, sizeof(text), "%d", t->n);
	if (nth < 0 || write(nth, text, strlen(text)) <= 0)
		bail("fail-nth: %s", strerror(errno));
	return nth;
}

static inline bool failnth_clean(int err)
{
	return err == 0 || err == ENOMEM || err == EFAULT || err == EAGAIN ||
	       err == ENFILE;
}

/* The operation came to an errno, or 0: how the try ended, as far as that tells. */
static inline int failnth_end(struct failnth *t, int nth, int err)
{
	char text[16] = { 0 };
	int left;

	if (pread(nth, text, sizeof(text) - 1, 0) <= 0 ||
	    write(nth, "0", 1) != 1)
		bail("fail-nth: %s", strerror(errno));
	close(nth);
	left = atoi(text);
	t->err = err;
	if (!failnth_clean(err) || (left && err)) {
		note("errno %d, %d left", err, left);
		return WRONG;
	}
	return left ? DONE : INJECTED;
}

/*
 * All tries of an operation.  @attempt gets @t, which is in memory that processes
 * share; @intact says whether what it left is as before.
 */
static inline void failnth_walk(const char *name, struct failnth *t,
				int (*attempt)(void *t), bool (*intact)(void))
{
	int got = INJECTED, failures = 0;

	for (t->n = 1; got == INJECTED && t->n < FAILNTH_MOST; t->n++) {
		t->err = 0;
		got = reap(spawn(attempt, t));
		failures += t->err != 0;
		if (!intact())
			got = WRONG;
	}
	is(got, DONE,
	   "%s: whichever allocation fails, %d of them (%d by errno)", name,
	   t->n - 2, failures);
}

#endif /* FAILNTH_H */

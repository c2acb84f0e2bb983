/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TAP output of the guest tests: numbered points, the plan last, and for a
 * point that failed the place and the values.  Only the process that called
 * main() reports points; children return an exit status, see need().
 */
#ifndef TAP_H
#define TAP_H

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One of each for a program, whichever of its files count. */
__attribute__((weak)) int tap_count, tap_failed;

#define note(fmt, ...) printf("# " fmt "\n", ##__VA_ARGS__)

__attribute__((format(printf, 2, 3), unused)) static int
tap_point(int passed, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %d - ", passed ? "" : "not ", ++tap_count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	tap_failed += !passed;
	return passed;
}

/* A condition holds. */
#define ok(cond, ...)                                                          \
	({                                                                     \
		int ok_ = !!(cond);                                            \
		tap_point(ok_, __VA_ARGS__);                                   \
		if (!ok_)                                                      \
			note("%s:%d: %s is false", __FILE__, __LINE__, #cond); \
		ok_;                                                           \
	})

/* Two integers are equal. */
#define is(got, want, ...)                                                    \
	({                                                                    \
		long long got_ = (long long)(got), want_ = (long long)(want); \
		tap_point(got_ == want_, __VA_ARGS__);                        \
		if (got_ != want_)                                            \
			note("%s:%d: %s is %lld (%#llx), not %lld (%#llx)",   \
			     __FILE__, __LINE__, #got, got_, got_, want_,     \
			     want_);                                          \
		got_ == want_;                                                \
	})

/* A call fails with one errno, be it by -1 and errno or by -errno. */
#define is_errno(call, err, ...)                                           \
	({                                                                 \
		long ret_ = (errno = 0, (long)(call));                     \
		int got_ = ret_ == -1 ? errno : ret_ < 0 ? (int)-ret_ : 0; \
		tap_point(got_ == (err), __VA_ARGS__);                     \
		if (got_ != (err))                                         \
			note("%s:%d: returned %ld, %s, not %s", __FILE__,  \
			     __LINE__, ret_,                               \
			     got_ ? strerrorname_np(got_) : "success",     \
			     strerrorname_np(err));                        \
		got_ == (err);                                             \
	})

#define skip(what, why) printf("ok %d - %s # SKIP %s\n", ++tap_count, what, why)

#define bail(fmt, ...)                                                   \
	do {                                                             \
		printf("Bail out! %s:%d: " fmt "\n", __FILE__, __LINE__, \
		       ##__VA_ARGS__);                                   \
		exit(99);                                                \
	} while (0)

/* In a child: leave with a failure, and say why, unless a condition holds. */
#define need(cond)                                                      \
	do {                                                            \
		if (!(cond)) {                                          \
			note("%s:%d: in child: %s is false (errno %d)", \
			     __FILE__, __LINE__, #cond, errno);         \
			return 1;                                       \
		}                                                       \
	} while (0)

__attribute__((unused)) static int done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed != 0;
}

#endif /* TAP_H */

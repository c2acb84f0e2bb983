/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every example does with an error of the library.
 */
#ifndef CHECK_H
#define CHECK_H

#include <err.h>
#include <stdlib.h>
#include <string.h>

/* A negative result of libmorsel ends the program. */
static inline int check(int ret, const char *what)
{
	if (ret < 0)
		errx(EXIT_FAILURE, "%s: %s", what, strerror(-ret));
	return ret;
}

#endif /* CHECK_H */

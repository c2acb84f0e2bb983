// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names that somebody else chose: a terminal is not to obey them.
 */
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "tool.h"

/* The length of the character at @text, 0 when it is not to be printed. */
static size_t printable_at(const char *text, const char *except)
{
	mbstate_t state = { 0 };
	wchar_t c;
	size_t n = mbrtowc(&c, text, MB_CUR_MAX, &state);

	/* Huge when it is no character of the locale. */
	if (!n || n > MB_CUR_MAX || !iswprint(c) || strchr(except, *text))
		return 0;
	return n;
}

void printable(char *buf, size_t len, const char *text, const char *except)
{
	while (*text) {
		size_t n = printable_at(text, except), bytes = n ? n : 1;

		if (bytes >= len)
			break;
		if (n)
			memcpy(buf, text, n);
		else
			*buf = '?';
		buf += bytes;
		len -= bytes;
		text += bytes;
	}
	*buf = 0;
}

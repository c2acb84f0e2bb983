// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page tables of a morsel, in the order in which the hardware meets them: a
 * table, and all tables below it right behind it.  And what of it is the same
 * again and again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

uint64_t table_pages(const struct morsel_table *table)
{
	return 1ull << (9 * table->level);
}

int tables_read(int fd, struct tables *tables)
{
	struct morsel_table table = { 0 };
	size_t room = 0;
	int ret;

	*tables = (struct tables){ 0 };
	while (!(ret = morsel_next_table(fd, &table))) {
		if (tables->count == room) {
			struct morsel_table *more;

			room = room ? 2 * room : 64;
			more = reallocarray(tables->all, room, sizeof(table));
			if (!more)
				return -ENOMEM;
			tables->all = more;
		}
		tables->all[tables->count++] = table;
	}
	return ret == -ENOENT ? 0 : ret;
}

size_t tables_same_rights(const struct tables *tables, size_t at)
{
	size_t end = at + 1;

	while (end < tables->count &&
	       tables->all[end].rights == tables->all[at].rights)
		end++;
	return end;
}

size_t tables_below(const struct morsel_table *all, size_t at, size_t end)
{
	size_t next = at + 1;

	while (next < end && all[next].level < all[at].level)
		next++;
	return next;
}

/* Whether the @count tables from @a on are those from @b on, further on. */
static bool alike(const struct morsel_table *a, const struct morsel_table *b,
		  size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (a[i].level != b[i].level || a[i].used != b[i].used ||
		    a[i].first - a[0].first != b[i].first - b[0].first)
			return false;
	}
	return true;
}

struct table_run table_run_at(const struct morsel_table *all, size_t at,
			      size_t end)
{
	size_t step = tables_below(all, at, end) - at;
	struct table_run run = { .count = 1, .next = at + step };

	while (run.next < end &&
	       tables_below(all, run.next, end) - run.next == step &&
	       alike(&all[at], &all[run.next], step)) {
		const struct morsel_table *last = &all[run.next - step];
		uint64_t stride = all[run.next].first - last->first;

		if (run.count > 1 && stride != run.stride)
			break;
		run.stride = stride;
		run.next += step;
		run.count++;
	}
	/* Two are always as far apart as two are. */
	if (run.count == 2 && run.stride != table_pages(&all[at]))
		run = (struct table_run){ .count = 1, .next = at + step };
	return run;
}

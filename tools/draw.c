// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page tables of a morsel as a tree for people.  Neighbours that are alike, with
 * all that is below them, are one line; so is what would be too many lines.
 */
#include <limits.h>
#include <stdio.h>

#include "tool.h"

/* Lines below one table, and how many of them are drawn if there are more. */
#define LINES_MAX 16
#define LINES_DRAWN 12

/* Where the level stands, and how far each level is set in. */
#define COLUMN 32
#define INDENT 2

static const char *const rights_names[] = {
	[MORSEL_TABLE_RW] = "rw",
	[MORSEL_TABLE_R] = "r",
	[MORSEL_TABLE_RX] = "rx",
	[MORSEL_TABLE_RWX] = "rwx",
};

const char *table_rights(const struct morsel_table *table)
{
	size_t known = sizeof(rights_names) / sizeof(*rights_names);

	return table->rights < known ? rights_names[table->rights] : "?";
}

static void exact_pages(char *buf, size_t len, uint64_t pages)
{
	exact_size(buf, len, pages * MORSEL_PAGE_SIZE);
}

/* Its range, set in by @depth. */
static void print_place(uint64_t first, uint64_t end, unsigned int depth)
{
	char from[24], to[24], range[50];
	int indent = INDENT * (depth + 1);

	exact_pages(from, sizeof(from), first);
	exact_pages(to, sizeof(to), end);
	snprintf(range, sizeof(range), "%s-%s", from, to);
	printf("%*s%-*s ", indent, "", COLUMN - indent, range);
}

static void print_run(const struct morsel_table *table, struct table_run run,
		      unsigned int depth)
{
	uint64_t pages = table_pages(table), first = table->first;
	char stride[24], end[24];

	print_place(first, first + pages, depth);
	printf("level %u  %3u/512", table->level, table->used);
	if (run.count > 1) {
		exact_pages(stride, sizeof(stride), run.stride);
		exact_pages(end, sizeof(end),
			    first + (run.count - 1) * run.stride + pages);
		printf(" and %zu like it", run.count - 1);
		if (run.stride != pages)
			printf(", every %s,", stride);
		printf(" up to %s", end);
	}
	putchar('\n');
}

/* What tables have in common that are not drawn each. */
struct rest {
	size_t count;
	uint64_t end; /* page */
	unsigned int level_min, level_max;
	unsigned int used_min, used_max;
};

static void rest_add(struct rest *rest, const struct morsel_table *table)
{
	uint64_t end = table->first + table_pages(table);

	rest->count++;
	if (rest->end < end)
		rest->end = end;
	if (rest->level_min > table->level)
		rest->level_min = table->level;
	if (rest->level_max < table->level)
		rest->level_max = table->level;
	if (rest->used_min > table->used)
		rest->used_min = table->used;
	if (rest->used_max < table->used)
		rest->used_max = table->used;
}

/*
 * The tables from @at to @end that have the same one above them, as one line.  Those
 * of a tree that grew meanwhile, with none above them, need not be of one level.
 */
static void print_rest(const struct morsel_table *all, size_t at, size_t end,
		       unsigned int depth)
{
	struct rest rest = { .level_min = UINT_MAX, .used_min = UINT_MAX };
	uint64_t first = all[at].first;

	for (; at < end; at = tables_below(all, at, end))
		rest_add(&rest, &all[at]);
	print_place(first, rest.end, depth);
	if (rest.level_min == rest.level_max)
		printf("level %u  ", rest.level_min);
	else
		printf("levels %u to %u  ", rest.level_min, rest.level_max);
	printf("%zu more, %u/512 to %u/512\n", rest.count, rest.used_min,
	       rest.used_max);
}

static bool too_many(const struct morsel_table *all, size_t at, size_t end)
{
	unsigned int lines = 0;

	for (; at < end && lines <= LINES_MAX; lines++)
		at = table_run_at(all, at, end).next;
	return lines > LINES_MAX;
}

/* The tables from @at to @end, which have the same one above them. */
static void draw(const struct morsel_table *all, size_t at, size_t end,
		 unsigned int depth)
{
	unsigned int left = too_many(all, at, end) ? LINES_DRAWN : LINES_MAX;

	while (at < end) {
		struct table_run run = table_run_at(all, at, end);

		if (!left--) {
			print_rest(all, at, end, depth);
			return;
		}
		print_run(&all[at], run, depth);
		draw(all, at + 1, tables_below(all, at, end), depth + 1);
		at = run.next;
	}
}

/* How many tables there are of each level, and how full they are. */
static void print_density(const struct morsel_table *all, size_t count)
{
	const char *name = table_rights(all);

	for (unsigned int level = MORSEL_ORDER_MAX; level; level--) {
		uint64_t tables = 0, used = 0;

		for (size_t i = 0; i < count; i++) {
			if (all[i].level == level) {
				tables++;
				used += all[i].used;
			}
		}
		if (!tables)
			continue;
		printf("%-4s level %u %9llu table%s %12llu of %llu used, %.1f %%\n",
		       name, level, (unsigned long long)tables,
		       tables == 1 ? " " : "s", (unsigned long long)used,
		       (unsigned long long)tables * 512,
		       used / (tables * 5.12));
		name = "";
	}
}

void draw_tables(const struct tables *tables)
{
	size_t at = 0;

	if (!tables->count)
		puts("no tables");
	while (at < tables->count) {
		size_t end = tables_same_rights(tables, at);

		print_density(&tables->all[at], end - at);
		draw(tables->all, at, end, 0);
		at = end;
	}
}

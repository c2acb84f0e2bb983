// SPDX-License-Identifier: GPL-2.0-only
/*
 * morsel tree: the page tables of a morsel, and who has it mapped.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

struct tree_args {
	struct target target;
	bool json;
};

/* A morsel with all that is known of where it is. */
struct tree {
	struct morsel_info info;
	struct tables tables;
	struct mappings mappings;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct tree_args *args = state->input;

	if (key != OPT_JSON)
		return arg_one_target(key, arg, state, &args->target);
	args->json = true;
	return 0;
}

static const struct argp_option options[] = {
	{ "json", OPT_JSON, NULL, 0, "Print JSON, with every table", 0 },
	{ 0 }
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "ID|FILE",
	.doc = "Draw the page tables of a morsel, and tell where it is mapped.",
};

static int look(const struct target *target, struct tree *tree)
{
	int fd = open_target(target, MORSEL_OPEN_RDONLY, &tree->info), ret;

	if (fd < 0)
		return EXIT_FAILURE;
	ret = tables_read(fd, &tree->tables);
	if (ret) {
		ret = fail_target(STEP_TABLES, target, ret);
	} else {
		ret = mappings_find(fd, &tree->mappings);
		if (ret)
			ret = fail("/proc", strerror(-ret));
	}
	close(fd);
	return ret;
}

static void print_tree(const struct target *target, const struct tree *tree)
{
	const struct morsel_info *info = &tree->info;
	char name[PATH_MAX], size[24];

	exact_size(size, sizeof(size), info->size);
	if (target->path) {
		printable(name, sizeof(name), target->path, "");
		printf("%s: ", name);
	} else {
		printf(ID_FORMAT ": ", (unsigned long long)info->id);
	}
	printf("%s, order %u, data frames %llu, table frames %llu\n", size,
	       info->order, (unsigned long long)info->data_frames,
	       (unsigned long long)info->table_frames);
	draw_tables(&tree->tables);
	mappings_print(&tree->mappings, info);
}

static void print_tree_json(const struct tree *tree)
{
	fputs("{\"info\": ", stdout);
	print_info_json(&tree->info);
	fputs(",\n \"tables\": [", stdout);
	for (size_t i = 0; i < tree->tables.count; i++) {
		const struct morsel_table *table = &tree->tables.all[i];

		printf("%s\n  {\"rights\": \"%s\", \"level\": %u, ",
		       i ? "," : "", table_rights(table), table->level);
		printf("\"offset\": %llu, \"bytes\": %llu, \"used\": %u}",
		       table->first * MORSEL_PAGE_SIZE,
		       table_pages(table) * MORSEL_PAGE_SIZE, table->used);
	}
	fputs("],\n \"mappings\": [", stdout);
	mappings_print_json(&tree->mappings);
	printf("],\n \"unread_processes\": %zu}\n", tree->mappings.unread);
}

int cmd_tree(int argc, char **argv)
{
	struct tree_args args = { 0 };
	struct tree tree = { 0 };
	int ret;

	run_argp(&argp, argc, argv, &args);
	ret = look(&args.target, &tree);
	if (!ret) {
		if (args.json)
			print_tree_json(&tree);
		else
			print_tree(&args.target, &tree);
		ret = flush_output();
	}
	free(tree.tables.all);
	free(tree.mappings.all);
	return ret;
}

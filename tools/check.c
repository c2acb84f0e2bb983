// SPDX-License-Identifier: GPL-2.0-only
/*
 * morsel check, morsel pool info: what is on the medium of a persistent pool.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "medium.h"
#include "tool.h"

/* As fsck(8) has them, but for who reads them: nothing is ever corrected. */
enum { CHECK_CLEAN, CHECK_UNFINISHED, CHECK_DAMAGED, CHECK_FAILED = 8, CHECK_USAGE = 16 };

struct check_args {
	const char *name;
	bool json, force, info;
};

static const char *const states[] = {
	[MEDIUM_NONE] = "none",
	[MEDIUM_OTHER] = "other",
	[MEDIUM_DAMAGED] = "damaged",
	[MEDIUM_UNFINISHED] = "unfinished",
	[MEDIUM_CLEAN] = "clean",
};

static unsigned long long ull(uint64_t value)
{
	return value;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct check_args *args = state->input;
	unsigned int before = args->info;

	switch (key) {
	case OPT_JSON:
		args->json = true;
		return 0;
	case OPT_FORCE:
		args->force = true;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num < before) {
			if (strcmp(arg, "info"))
				argp_error(state, "%s: not a thing to do; there is info", arg);
			return 0;
		}
		if (state->arg_num > before)
			argp_error(state, "one device at a time");
		args->name = arg;
		return 0;
	case ARGP_KEY_END:
		if (!args->name)
			argp_error(state, "which device?");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option check_options[] = {
	{ "json", OPT_JSON, NULL, 0, "Print JSON", 0 },
	{ "force", OPT_FORCE, NULL, 0, "Even while it is mounted, and changes", 0 },
	{ 0 }
};

static const struct argp check_argp = {
	.options = check_options,
	.parser = parse,
	.args_doc = "DEVICE",
	.doc = "Look whether a persistent pool is whole.  Nothing is written.",
};

static const struct argp_option info_options[] = {
	{ "json", OPT_JSON, NULL, 0, "Print JSON", 0 },
	{ 0 }
};

static const struct argp info_argp = {
	.options = info_options,
	.parser = parse,
	.args_doc = "info DEVICE",
	.doc = "Print the facts about a persistent pool.",
};

static void print_wrong(const struct medium_found *found)
{
	if (!found->super)
		printf("%s", found->why);
	else if (found->inode)
		printf("inode %llu %s", ull(found->inode), found->why);
	else
		printf("the pool %s", found->why);
}

static void print_state(const char *name, const struct medium_found *found)
{
	char text[PATH_MAX];

	printable(text, sizeof(text), name, "");
	printf("%s: ", text);
	if (found->state == MEDIUM_DAMAGED)
		printf("damaged: ");
	if (found->state < MEDIUM_UNFINISHED)
		print_wrong(found);
	else
		printf("%s", states[found->state]);
	putchar('\n');
}

static void print_super(const struct medium_found *found)
{
	char uuid[MEDIUM_UUID], size[16];

	medium_uuid(uuid, found->uuid);
	human_size(size, sizeof(size), found->frames * MORSEL_PAGE_SIZE);
	printf("version    %u\n", found->version);
	printf("UUID       %s\n", uuid);
	printf("frames     %llu (%s)\n", ull(found->frames), size);
	printf("base       0x%llx\n", ull(found->base));
	printf("features   0x%llx\n", ull(found->features));
}

static void print_walk(const struct medium_found *found)
{
	printf("inodes     %llu\n", ull(found->inodes));
	printf("names      %llu\n", ull(found->names));
	printf("pages      %llu\n", ull(found->pages));
	printf("tables     %llu\n", ull(found->tables));
	printf("used       %llu\n", ull(found->frames - found->left));
	printf("free       %llu\n", ull(found->left));
	if (found->state != MEDIUM_UNFINISHED)
		return;
	puts("What a crash left, and mounting finishes:");
	if (found->moving)
		puts("  a move to another address");
	if (found->finished)
		printf("  names being moved or exchanged: %llu\n", ull(found->finished));
	if (found->cut)
		printf("  pages behind the end of a file: %llu\n", ull(found->cut));
	if (found->cleared)
		printf("  files with something behind their end: %llu\n", ull(found->cleared));
}

static void print_json(const struct medium_found *found)
{
	char uuid[MEDIUM_UUID];

	printf("{\"state\": \"%s\", ", states[found->state]);
	if (found->why)
		printf("\"why\": \"%s\", \"inode\": %llu", found->why, ull(found->inode));
	else
		printf("\"why\": null, \"inode\": null");
	if (found->super) {
		medium_uuid(uuid, found->uuid);
		printf(", \"version\": %u, \"uuid\": \"%s\", \"frames\": %llu, \"base\": \"0x%llx\"",
		       found->version, uuid, ull(found->frames), ull(found->base));
		printf(", \"features\": %llu", ull(found->features));
	}
	if (found->state >= MEDIUM_UNFINISHED) {
		printf(", \"inodes\": %llu, \"names\": %llu, \"pages\": %llu, \"tables\": %llu",
		       ull(found->inodes), ull(found->names), ull(found->pages),
		       ull(found->tables));
		printf(", \"used\": %llu, \"free\": %llu, \"moving\": %s, \"finished\": %llu",
		       ull(found->frames - found->left), ull(found->left),
		       found->moving ? "true" : "false", ull(found->finished));
		printf(", \"cut\": %llu, \"cleared\": %llu", ull(found->cut), ull(found->cleared));
	}
	puts("}");
}

/* An exit status, 0 when @found is what there is. */
static int look(const struct check_args *args, struct medium_found *found, int failed)
{
	struct medium medium;
	int ret = medium_open(&medium, args->name, false);

	medium_exit_status(failed);
	if (!ret && medium.busy && !args->info && !args->force) {
		fail(args->name, "in use (mounted?); --force looks all the same");
		return failed;
	}
	if (!ret)
		ret = medium_look(&medium, found);
	if (!ret)
		return 0;
	fail_at(STEP_MEDIUM, args->name, ret);
	return failed;
}

int cmd_check(int argc, char **argv)
{
	struct check_args args = { 0 };
	struct medium_found found;
	int ret;

	argp_err_exit_status = CHECK_USAGE;
	run_argp(&check_argp, argc, argv, &args);
	ret = look(&args, &found, CHECK_FAILED);
	if (ret)
		return ret;
	if (args.json) {
		print_json(&found);
	} else {
		print_state(args.name, &found);
		if (found.state >= MEDIUM_UNFINISHED)
			print_walk(&found);
	}
	if (flush_output())
		return CHECK_FAILED;
	return found.state == MEDIUM_CLEAN      ? CHECK_CLEAN :
	       found.state == MEDIUM_UNFINISHED ? CHECK_UNFINISHED :
						  CHECK_DAMAGED;
}

int cmd_pool(int argc, char **argv)
{
	struct check_args args = { .info = true };
	struct medium_found found;
	int ret;

	run_argp(&info_argp, argc, argv, &args);
	ret = look(&args, &found, EXIT_FAILURE);
	if (ret)
		return ret;
	if (args.json) {
		print_json(&found);
	} else {
		print_state(args.name, &found);
		if (found.super)
			print_super(&found);
		if (found.state >= MEDIUM_UNFINISHED)
			print_walk(&found);
	}
	ret = flush_output();
	return found.super ? ret : EXIT_FAILURE;
}

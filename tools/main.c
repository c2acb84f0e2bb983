// SPDX-License-Identifier: GPL-2.0-only
/*
 * morsel(1): finds the command and hands it the rest of the command line.
 */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

const char *argp_program_version = "morsel " MORSEL_VERSION;

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "check", cmd_check },
	{ "chmod", cmd_chmod },
	{ "chown", cmd_chown },
	{ "create", cmd_create },
	{ "get", cmd_get },
	{ "info", cmd_info },
	{ "ls", cmd_ls },
	{ "pool", cmd_pool },
	{ "populate", cmd_populate },
	{ "punch", cmd_punch },
	{ "put", cmd_put },
	{ "rm", cmd_rm },
	{ "stat", cmd_stat },
	{ "top", cmd_top },
	{ "tree", cmd_tree },
};

static const char doc[] =
	"Create, list, fill, read and destroy morsels, the memory objects of /dev/morsel."
	"\vCommands:\n"
	"  check     look whether a persistent pool is whole\n"
	"  chmod     change the mode of a morsel\n"
	"  chown     change the owner and the group of a morsel\n"
	"  create    create a morsel and print its ID\n"
	"  get       write the content of a morsel to a file or standard output\n"
	"  info      print the facts about a morsel\n"
	"  ls        list the morsels you may read\n"
	"  pool      print the facts about a persistent pool\n"
	"  populate  allocate the pages of a morsel ahead of their use\n"
	"  punch     free the pages of a part of a morsel\n"
	"  put       fill a morsel from a file or standard input, print its ID\n"
	"  rm        destroy morsels\n"
	"  stat      print counters of a morsel, or totals over all\n"
	"  top       show the morsels that do most\n"
	"  tree      draw the page tables of a morsel, tell where it is mapped\n\n"
	"`morsel COMMAND --help' describes a command, morsel(1) all of them.";

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const struct command **command = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		for (size_t i = 0; i < sizeof(commands) / sizeof(*commands);
		     i++) {
			if (!strcmp(arg, commands[i].name))
				*command = &commands[i];
		}
		if (!*command)
			argp_error(state, "%s: no such command", arg);
		/* What follows is the command's to parse. */
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no command given");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.parser = parse,
	.args_doc = "COMMAND [ARGUMENT...]",
	.doc = doc,
};

int main(int argc, char **argv)
{
	const struct command *command = NULL;
	char name[32];
	int first;

	/* Which characters there are is all that is taken from the locale. */
	setlocale(LC_CTYPE, "");
	argp_err_exit_status = EXIT_USAGE;
	/* A reader that left is an error to report and clean up after. */
	signal(SIGPIPE, SIG_IGN);

	/* The command is the first argument that is no option. */
	for (first = 1; first < argc && argv[first][0] == '-'; first++)
		;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &command);

	snprintf(name, sizeof(name), "morsel %s", command->name);
	argv[first] = name;
	return command->run(argc - first, argv + first);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program: its subcommands, what they share, and main.
 *
 * Each subcommand is one file with one struct command; main.c lists them.
 */
#pragma once

#include "app/options.h"

enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAULT = 1,	    /* the input or the host is at fault */
	EXIT_USAGE = 2,	    /* an unknown or missing option or argument */
	EXIT_STOPPED = 128, /* and the number of the signal that asked to stop */
};

struct command {
	const char *name;
	const char *summary;	     /* a line of `saker help` */
	const char *arguments;	     /* what follows the name in a usage line */
	const char *details;	     /* shown behind the options; NULL when they say it all */
	unsigned min_args, max_args; /* without the words of a command behind "--" */
	struct option_table options;
	bool takes_command;  /* behind "--" */
	bool ends_by_signal; /* as a matter of course: no EXIT_STOPPED then */
	/* options: a block of options.bytes, zeroed before parsing. */
	enum exit_status (*run)(const void *options, char **args, unsigned n_args);
};

extern const struct command command_check, command_config, command_containers, command_doctor,
	command_gate, command_explain, command_list, command_plugin, command_print, command_record,
	command_replay, command_run;

/* SPDX-License-Identifier: Apache-2.0 */
#include "app/command.h"

#include "app/falco.h"
#include "app/hosts.h"
#include "app/init.h"
#include "app/plugged.h"
#include "app/report.h"
#include "app/settings.h"
#include "app/sink.h"
#include "base/alloc.h"
#include "base/nearest.h"
#include "base/stop.h"
#include "plugin/isolate.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct command *const commands[] = {
	&command_run,	 &command_record,     &command_replay, &command_print,
	&command_check,	 &command_list,	      &command_config, &command_explain,
	&command_doctor, &command_containers, &command_plugin, &command_gate,
};

enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

/* Names that are no subcommand of their own, for suggestions. */
static const char *known_words[N_COMMANDS + 1];

static const struct command *find_command(struct str name)
{
	for (unsigned i = 0; i < N_COMMANDS; i++) {
		if (str_is(name, commands[i]->name))
			return commands[i];
	}
	return NULL;
}

static enum exit_status unknown_command(const char *name)
{
	const char *near;

	for (unsigned i = 0; i < N_COMMANDS; i++)
		known_words[i] = commands[i]->name;
	known_words[N_COMMANDS] = "help";
	near = nearest_name(str_of(name), known_words, N_COMMANDS + 1, sizeof(*known_words));
	if (near)
		report("unknown command '%s'; did you mean '%s'?", name, near);
	else
		report("unknown command '%s'; see 'saker help'", name);
	return EXIT_USAGE;
}

static void overview(struct buf *out)
{
	buf_addz(out, "Saker reads what a machine did and says what it should not have done.\n\n"
		      "usage: saker COMMAND [OPTIONS] ...\n\n");
	for (unsigned i = 0; i < N_COMMANDS; i++)
		buf_addf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	buf_addf(out, "  %-10s %s\n", "falco",
		 "Take the flags of Falco, as under that name: saker falco --help");
	buf_addf(out, "  %-10s %s\n\n", "help", "Explain a command: saker help COMMAND");
	buf_addz(out, "  --version  print the version\n"
		      "  --help     print this\n");
}

static void command_help(const struct command *c, struct buf *out)
{
	buf_addf(out, "usage: saker %s %s\n\n%s.\n", c->name, c->arguments, c->summary);
	if (c->options.n) {
		buf_addc(out, '\n');
		options_help(&c->options, out);
	}
	if (c->details)
		buf_addf(out, "\n%s", c->details);
}

static enum exit_status say(void (*text)(struct buf *out))
{
	struct sink s;

	sink_init(&s);
	text(&s.text);
	return sink_close(&s);
}

static void version(struct buf *out)
{
	buf_addz(out, "saker " SAKER_VERSION "\n");
}

static enum exit_status say_help(const struct command *c)
{
	struct sink s;

	sink_init(&s);
	command_help(c, &s.text);
	return sink_close(&s);
}

static enum exit_status help(char **args, unsigned n_args)
{
	const struct command *c;

	if (!n_args)
		return say(overview);
	if (n_args > 1) {
		report("help: too many arguments; see 'saker help'");
		return EXIT_USAGE;
	}
	c = find_command(str_of(args[0]));
	return c ? say_help(c) : unknown_command(args[0]);
}

static enum exit_status misused(const struct command *c, const char *why)
{
	report("%s: %s; see 'saker help %s'", c->name, why, c->name);
	return EXIT_USAGE;
}

static enum exit_status missing(const struct command *c)
{
	const char *name = c->arguments[0] == '[' ? "FILE" : c->arguments;
	char why[128];

	snprintf(why, sizeof(why), "%.*s is missing", (int)strcspn(name, " "), name);
	return misused(c, why);
}

static bool has_empty(char **args, unsigned n_args)
{
	for (unsigned i = 0; i < n_args; i++) {
		if (!*args[i])
			return true;
	}
	return false;
}

static enum exit_status run_with_hosts(const struct command *c, const void *options, char **args,
				       unsigned n_args)
{
	enum exit_status status;

	hosts_open();
	status = c->run(options, args, n_args);
	hosts_close();
	plugged_close();
	settings_end();
	return status;
}

/* Words of a command to be run, behind "--"; *ret_cut: there is a "--" with none. */
static unsigned count_words(char **args, unsigned n_args, bool *ret_cut)
{
	unsigned i = 0;

	while (i < n_args && strcmp(args[i], "--"))
		i++;
	*ret_cut = i + 1 == n_args;
	return i < n_args ? n_args - i - 1 : 0;
}

/* An exit status as shells know it. */
static int run_command(const struct command *c, char **args, unsigned n_args)
{
	void *options = xcalloc(1, c->options.bytes + 1);
	enum exit_status status;
	struct err e = {0};
	bool is_cut = false;
	unsigned n_words = c->takes_command ? count_words(args, n_args, &is_cut) : 0;
	int r = options_parse(&c->options, args, &n_args, options, &e);

	if (c->ends_by_signal)
		stop_on_signals(); /* loading rules and programs takes its time */
	if (r > 0)
		status = say_help(c);
	else if (r < 0)
		status = misused(c, e.msg);
	else if (n_args < c->min_args + n_words)
		status = missing(c);
	else if (is_cut)
		status = misused(c, "a command is missing behind '--'");
	else if (has_empty(args, n_args))
		status = misused(c, "an argument is empty");
	else if (n_args - n_words > c->max_args)
		status = misused(c, c->takes_command
					    ? "too many arguments; a command stands behind '--'"
					    : "too many arguments");
	else
		status = run_with_hosts(c, options, args, n_args);
	options_done(&c->options, options);
	free(options);
	return stop_signal && !c->ends_by_signal ? (int)EXIT_STOPPED + stop_signal : (int)status;
}

/*
 * A file must never be opened as standard output or error because the caller closed those.  What
 * takes their place cannot be written to, so data that nobody receives is still an error.
 */
static void hold_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	close(fd);
}

static bool is_falco(const char *program)
{
	const char *slash = strrchr(program, '/');

	return !strcmp(slash ? slash + 1 : program, "falco");
}

/* What Saker starts for a plugin is Saker, too: "saker plugin-process FILE BYTES". */
enum { PLUGIN_PROCESS_ARGS = 4, PLUGIN_PROCESS_FD = 3 };

int main(int argc, char **argv)
{
	const struct command *c;

	if (argc == PLUGIN_PROCESS_ARGS && !strcmp(argv[1], "plugin-process"))
		return isolate_serve(argv[2], strtoull(argv[3], NULL, 10), PLUGIN_PROCESS_FD);
	init_if_first();
	hold_standard_files();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* writing fails then, which is told */
	if (argc && is_falco(argv[0]))
		return falco_main(argv + 1, (unsigned)argc - 1);
	if (argc > 1 && !strcmp(argv[1], "falco"))
		return falco_main(argv + 2, (unsigned)argc - 2);
	if (argc < 2) {
		report("a command is missing; see 'saker help'");
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V"))
		return say(version);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return help(argv + 2, (unsigned)argc - 2);
	if (argv[1][0] == '-') {
		report("unknown option '%s'; see 'saker help'", argv[1]);
		return EXIT_USAGE;
	}
	c = find_command(str_of(argv[1]));
	if (!c)
		return unknown_command(argv[1]);
	return run_command(c, argv + 2, (unsigned)argc - 2);
}

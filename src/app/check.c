/* SPDX-License-Identifier: Apache-2.0 */
/* saker check: are these rule files right, and what is doubtful in them? */
#include "app/command.h"

#include "app/plugged.h"
#include "app/report.h"
#include "app/rulefiles.h"
#include "app/settings.h"

struct check_options {
	struct settings_options settings;
	bool json;
	struct plugged_options plugged;
};

static bool add_files(struct loader *l, char **args, unsigned n_args)
{
	bool good = true;

	if (!n_args)
		return rulefiles_add_configured(l) == 0;
	for (unsigned i = 0; i < n_args; i++)
		good = rulefiles_add(l, args[i]) == 0 && good;
	return good;
}

static enum exit_status run(const void *options, char **args, unsigned n_args)
{
	const struct check_options *o = options;
	enum exit_status status = settings_begin(&o->settings);
	size_t n_configured;
	struct loader *l;

	if (!status)
		status = plugged_load(&o->plugged);
	if (status)
		return status;
	rulefiles_configured(&n_configured);
	if (!n_args && !n_configured && !o->settings.path) {
		report("check: FILE is missing; see 'saker help check'");
		return EXIT_USAGE;
	}
	l = rulefiles_loader(&RULEFILES_CONFIG);
	if (!add_files(l, args, n_args))
		status = EXIT_FAULT;
	return rulefiles_verdict(l, o->json, status);
}

static const struct option_row rows[] = {
	SETTINGS_ROWS(struct check_options, settings),
	{"json", 'j', OPTION_FLAG, offsetof(struct check_options, json), NULL,
	 "the verdict as one line of JSON"},
	PLUGGED_ROWS(struct check_options, plugged),
};

const struct command command_check = {
	.name = "check",
	.summary = "Check rule files, or a configuration and its own, and print what is wrong or "
		   "doubtful in them",
	.arguments = "[--json] " SETTINGS_ARGUMENTS " [--plugin FILE[:CONFIG]]... [FILE...]",
	.details = "Files are loaded in order, each on top of those before it.  Of a folder, its "
		   "*.yaml\n"
		   "and *.yml are, by name; '-' is standard input.  Without any: those that the\n"
		   "configuration names.\n",
	.min_args = 0,
	.max_args = 10000,
	.options = {rows, sizeof(rows) / sizeof(rows[0]), sizeof(struct check_options)},
	.run = run,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* saker check: are these rule files right, and what is doubtful in them? */
#include "app/command.h"

#include "app/plugged.h"
#include "app/rulefiles.h"
#include "app/sink.h"

struct check_options {
	bool json;
	struct plugged_options plugged;
};

static enum exit_status run(const void *options, char **args, unsigned n_args)
{
	const struct check_options *o = options;
	enum exit_status status = plugged_load(&o->plugged), written;
	struct loader *l;
	struct sink s;

	if (status)
		return status;
	l = rulefiles_loader(&RULEFILES_CONFIG);

	for (unsigned i = 0; i < n_args; i++) {
		if (rulefiles_add(l, args[i]) < 0)
			status = EXIT_FAULT;
	}
	sink_init(&s);
	if (o->json) {
		loader_results_json(l, &s.text);
		buf_addc(&s.text, '\n');
	} else {
		loader_results_text(l, true, &s.text);
	}
	written = sink_close(&s);
	loader_free(l);
	return status ? status : written;
}

static const struct option_row rows[] = {
	{"json", 'j', OPTION_FLAG, offsetof(struct check_options, json), NULL,
	 "the verdict as one line of JSON"},
	PLUGGED_ROWS(struct check_options, plugged),
};

const struct command command_check = {
	.name = "check",
	.summary = "Check rule files and print what is wrong or doubtful in them",
	.arguments = "[--json] [--plugin FILE[:CONFIG]]... FILE...",
	.details = "Files are loaded in order, each on top of those before it.  Of a folder, its "
		   "*.yaml\n"
		   "and *.yml are, by name; '-' is standard input.\n",
	.min_args = 1,
	.max_args = 10000,
	.options = {rows, sizeof(rows) / sizeof(rows[0]), sizeof(struct check_options)},
	.run = run,
};

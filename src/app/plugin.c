/* SPDX-License-Identifier: Apache-2.0 */
/* saker plugin: what a plugin is and what it can do. */
#include "app/command.h"

#include "app/listing.h"
#include "app/plugged.h"
#include "app/report.h"
#include "app/sink.h"

#include <string.h>

struct plugin_options {
	bool json;
	const char *reconfigure;
};

static enum exit_status run(const void *options, char **args, unsigned n_args)
{
	const struct plugin_options *o = options;
	const char *file = args[1];
	const struct plugged_options one = {.plugins = {&file, 1}};
	enum exit_status status;
	struct err e = {0};
	struct sink s;

	if (strcmp(args[0], "info") != 0) {
		report("plugin: 'info' is wanted, not '%s'", args[0]);
		return EXIT_USAGE;
	}
	status = plugged_load(&one);
	if (!status && o->reconfigure && plugins_set_config(plugged(), 0, o->reconfigure, &e) < 0) {
		report("%s", e.msg);
		status = EXIT_FAULT;
	}
	if (status)
		return status;
	sink_init(&s);
	listing_plugins(o->json ? LISTING_JSON : LISTING_VERBOSE, &s.text);
	return sink_close(&s);
}

#define ROW(...) OPTION_ROW(struct plugin_options, __VA_ARGS__)

static const struct option_row rows[] = {
	ROW("json", 'j', FLAG, json, NULL, "as one line of JSON"),
	ROW("reconfigure", 0, TEXT, reconfigure, "CONFIG",
	    "then give it this configuration, without beginning anew"),
};

const struct command command_plugin = {
	.name = "plugin",
	.summary = "Say what a plugin is and what it can do",
	.arguments = "info FILE[:CONFIG] [--reconfigure CONFIG] [--json]",
	.details = "The plugin is loaded and begun with CONFIG, as `saker run --plugin` would.\n",
	.min_args = 2,
	.max_args = 2,
	.options = {rows, sizeof(rows) / sizeof(rows[0]), sizeof(struct plugin_options)},
	.run = run,
};

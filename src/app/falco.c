/* SPDX-License-Identifier: Apache-2.0 */
#include "app/falco.h"

#include "app/hosts.h"
#include "app/replay.h"
#include "app/report.h"
#include "app/rulefiles.h"
#include "app/rulekeys.h"
#include "app/run.h"
#include "app/settings.h"
#include "app/sink.h"
#include "base/alloc.h"
#include "base/stop.h"
#include "config/schema.h"
#include "field/eventsource.h"
#include "plugin/library.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#define USUAL_CONFIG "/etc/falco/falco.yaml"

struct falco {
	struct falco_options o;
	char **words; /* of the command line, as they were */
	unsigned n_words;
	struct arena arena;
	struct settings_options settings;
	enum listing_form form;
	struct run_options run;
	struct replay_options replay;
	bool json;
};

/* ---- what is printed and is all ---- */

static enum exit_status print(const struct falco *f,
			      void (*what)(const struct falco *f, struct buf *out))
{
	struct sink s;

	sink_init(&s);
	what(f, &s.text);
	return sink_close(&s);
}

static void print_help(const struct falco *f, struct buf *out)
{
	buf_addz(out, "Saker, as Falco\nUsage:\n  falco [OPTION...]\n\n");
	options_help(&falco_options, out);
}

static void print_config_schema(const struct falco *f, struct buf *out)
{
	config_schema(out);
}

static void print_rule_schema(const struct falco *f, struct buf *out)
{
	schema_json(out);
}

static void print_ignored(const struct falco *f, struct buf *out)
{
	falco_ignored(out);
}

static void print_events(const struct falco *f, struct buf *out)
{
	listing_events(f->form, out);
}

static void print_versions(const struct falco *f, struct buf *out)
{
	falco_versions(f->json, out);
}

static void print_page_size(const struct falco *f, struct buf *out)
{
	buf_addf(out, "Your system page size is: %ld bytes\n", sysconf(_SC_PAGESIZE));
}

static void print_plugins(const struct falco *f, struct buf *out)
{
	buf_addf(out, "%zu Plugins Loaded:\n\n", plugged() ? plugins_count(plugged()) : 0);
	listing_plugins(LISTING_VERBOSE, out);
}

static void print_support(const struct falco *f, struct buf *out)
{
	falco_support(&f->o, f->words, f->n_words, out);
}

static enum exit_status list_plugins(const struct falco *f)
{
	return print(f, print_plugins);
}

static enum exit_status plugin_info(const struct falco *f)
{
	size_t n = plugged() ? plugins_count(plugged()) : 0;
	struct sink s;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(plugins_get(plugged(), i)->name, f->o.plugin_info) != 0)
			continue;
		sink_init(&s);
		listing_plugin(i, &s.text);
		return sink_close(&s);
	}
	report("no plugin '%s' is loaded", f->o.plugin_info);
	return EXIT_FAULT;
}

static enum exit_status list_fields(const struct falco *f)
{
	uint32_t sources = UINT32_MAX;
	struct sink s;

	if (*f->o.list) {
		int number = event_source_find(str_of(f->o.list));

		if (number < 0) {
			report("there is no event source '%s'", f->o.list);
			return EXIT_FAULT;
		}
		sources = 1u << number;
	}
	sink_init(&s);
	if (f->o.names_only)
		listing_field_names(sources, f->form == LISTING_JSON, &s.text);
	else
		listing_fields_of(sources, f->form, &s.text);
	return sink_close(&s);
}

/* ---- rules ---- */

static enum exit_status validate(const struct falco *f)
{
	struct loader *l = rulefiles_loader(&RULEFILES_CONFIG);
	enum exit_status status = EXIT_DONE;

	for (size_t i = 0; i < f->o.validate.n; i++) {
		if (rulefiles_add(l, f->o.validate.items[i]) < 0)
			status = EXIT_FAULT;
	}
	return rulefiles_verdict(l, f->json, status);
}

static enum exit_status describe(const struct falco *f)
{
	struct loader_config cfg = RULEFILES_CONFIG;
	enum exit_status status = EXIT_FAULT;
	struct ruleset *set;
	struct arena a;
	struct sink s;
	size_t i = 0;

	arena_init(&a, 0);
	cfg.describe = true;
	rulekeys_switches(&cfg, &a);
	rulekeys_appends(&cfg, &a);
	set = rulefiles_load(&f->o.rules, &cfg);
	while (set && f->o.describe && i < set->n_all && !str_is(set->all[i].name, f->o.describe))
		i++;
	if (set && f->o.describe && i == set->n_all) {
		report("there is no rule '%s'", f->o.describe);
	} else if (set) {
		sink_init(&s);
		falco_rules(set, f->o.describe, f->json, &s.text);
		status = sink_close(&s);
	}
	ruleset_free(set);
	arena_done(&a);
	return status;
}

/* ---- watching ---- */

static void tell_start(void)
{
	const struct config_source *file;
	struct utsname u;
	size_t n;
	const struct str *rules = rulefiles_configured(&n);

	report_info("Falco initialized with configuration files:");
	for (size_t i = 0; (file = config_file(settings(), i)); i++)
		report_info("   %s | schema validation: ok", file->name);
	if (uname(&u) == 0)
		report_info("System info: %s %s %s %s", u.sysname, u.release, u.version, u.machine);
	report_info("Loading rules from:");
	for (size_t i = 0; i < n; i++) {
		if (access(rules[i].p, R_OK) == 0)
			report_info("   %s", rules[i].p);
	}
}

static bool write_pid(const char *path)
{
	FILE *out = path ? fopen(path, "we") : NULL;
	bool good = !path || (out && fprintf(out, "%ld\n", (long)getpid()) > 0);

	if (out && fclose(out))
		good = false;
	if (!good)
		report("%s: %s", path, strerror(errno));
	return good;
}

static void choose_rules(const struct falco *f, struct watch_options *o)
{
	o->choice.rules = f->o.rules;
	o->choice.format = f->o.print;
	o->ends_as_falco = true;
}

static enum exit_status replay(struct falco *f)
{
	choose_rules(f, &f->replay.watch);
	f->replay.watch.event_seconds = f->o.seconds;
	f->replay.dry_run = f->o.dry_run;
	return replay_configured(&f->replay,
				 config_text(settings(), CONFIG_KEY_ENGINE_REPLAY_FILE));
}

static enum exit_status watch(struct falco *f)
{
	const char *kind = config_word(settings(), CONFIG_KEY_ENGINE_KIND);

	if (!f->o.rules.n)
		tell_start();
	if (!write_pid(f->o.pidfile))
		return EXIT_FAULT;
	if (!strcmp(kind, "replay"))
		return replay(f);
	choose_rules(f, &f->run.watch);
	f->run.settings = f->settings;
	f->run.sources = f->o.sources;
	f->run.seconds = f->o.seconds;
	f->run.quiet = true;
	f->run.dry_run = f->o.dry_run;
	stop_on_signals();
	return run_configured(&f->run);
}

static bool has_rules(const struct falco *f)
{
	size_t n;

	rulefiles_configured(&n);
	if (n || f->o.rules.n)
		return true;
	report("there are no rules: neither rules_files in the configuration nor -r");
	return false;
}

/* ---- in this order ---- */

static bool find_config(struct falco *f)
{
	f->settings.path = f->o.config ? f->o.config : USUAL_CONFIG;
	if (access(f->settings.path, F_OK) == 0)
		return true;
	if (f->o.config)
		report("Could not find configuration file at %s", f->o.config);
	else
		f->settings.path = NULL;
	return !f->o.config;
}

static enum exit_status configured(struct falco *f)
{
	static const struct plugged_options none;

	f->json = config_bool(settings(), CONFIG_KEY_JSON_OUTPUT);
	if (f->o.version)
		return print(f, print_versions);
	if (f->o.page_size)
		return print(f, print_page_size);
	if (!f->settings.path) {
		report("there is no configuration at " USUAL_CONFIG ", and none was given with -c");
		return EXIT_FAULT;
	}
	if (plugged_load(&none))
		return EXIT_FAULT;
	if (f->o.plugin_info)
		return plugin_info(f);
	if (f->o.list_plugins)
		return list_plugins(f);
	if (f->o.list)
		return list_fields(f);
	if (f->o.validate.n)
		return validate(f);
	if (!has_rules(f))
		return EXIT_FAULT;
	if (f->o.describe_all || f->o.describe)
		return describe(f);
	if (f->o.support)
		return print(f, print_support);
	return watch(f);
}

static bool find_form(struct falco *f)
{
	static const char *const names[] = {
		[LISTING_TEXT] = "text",
		[LISTING_VERBOSE] = "",
		[LISTING_MARKDOWN] = "markdown",
		[LISTING_JSON] = "json",
	};
	const char *name = f->o.format ? f->o.format : f->o.markdown ? "markdown" : "text";

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (*name && !strcmp(name, names[i])) {
			f->form = i == LISTING_TEXT && f->o.verbose ? LISTING_VERBOSE
								    : (enum listing_form)i;
			return true;
		}
	}
	report("--format wants text, markdown or json, not '%s'", name);
	return false;
}

static enum exit_status act(struct falco *f)
{
	enum exit_status status;

	if (!find_form(f))
		return EXIT_FAULT;
	if (f->o.config_schema)
		return print(f, print_config_schema);
	if (f->o.rule_schema)
		return print(f, print_rule_schema);
	if (f->o.ignored)
		return print(f, print_ignored);
	if (f->o.list_events)
		return print(f, print_events);
	if (falco_settings(&f->o, &f->arena, &f->settings.set) < 0 || !find_config(f))
		return EXIT_FAULT;
	status = settings_begin(&f->settings);
	if (!status) {
		report_as_log(config_bool(settings(), CONFIG_KEY_TIME_ISO_8601));
		settings_log();
		status = configured(f);
	}
	return status;
}

static enum exit_status start(struct falco *f, char **args, unsigned n)
{
	struct err e = {0};
	int r = options_parse(&falco_options, args, &n, &f->o, &e);

	if (r > 0)
		return print(f, print_help);
	if (r < 0) {
		report("%s", e.msg);
		return EXIT_FAULT;
	}
	if (n) {
		report("'%s' is no option", args[0]);
		return EXIT_FAULT;
	}
	hosts_open();
	r = (int)act(f);
	hosts_close();
	return (enum exit_status)r;
}

int falco_main(char **args, unsigned n)
{
	struct falco f = {.n_words = n};
	enum exit_status status;

	f.words = xmemdup(args, (n + 1) * sizeof(*args));
	arena_init(&f.arena, 0);
	report_as_log(false);
	status = start(&f, args, n);
	plugged_close();
	settings_end();
	options_done(&falco_options, &f.o);
	arena_done(&f.arena);
	free(f.words);
	if (status)
		report_error();
	return status ? EXIT_FAULT : EXIT_DONE;
}

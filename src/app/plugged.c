/* SPDX-License-Identifier: Apache-2.0 */
#include "app/plugged.h"

#include "app/report.h"
#include "base/alloc.h"
#include "field/eventsource.h"
#include "plugin/library.h"

#include <errno.h>
#include <stdlib.h>

static struct plugins *loaded;

struct plugins *plugged(void)
{
	return loaded;
}

void plugged_close(void)
{
	plugged_tell();
	plugins_free(loaded);
	loaded = NULL;
}

void plugged_tell(void)
{
	char line[PLUGIN_LINE_MAX];

	while (loaded && plugins_next_line(loaded, line))
		report("%s", line);
}

static void tell_metric(void *arg, const struct plugin_metric *m)
{
	report("%12.0f  plugins.%s.%.*s", m->value, m->plugin, STR_ARG(m->name));
}

void plugged_tell_metrics(void)
{
	if (loaded)
		plugins_metrics(loaded, tell_metric, NULL);
}

int plugged_add(const struct plugin_config *cfg, struct err *e)
{
	int r;

	if (!loaded)
		loaded = plugins_new();
	r = plugins_add(loaded, cfg, e);
	plugged_tell();
	return r;
}

/* What --open-params says of the plugin of this name; NULL: nothing. */
static const char *find_open_params(const struct plugged_options *o, const char *name, bool *used)
{
	const char *found = NULL;

	for (size_t i = 0; i < o->open_params.n; i++) {
		const char *text = o->open_params.items[i];
		size_t n = strcspn(text, "=");

		if (text[n] && strlen(name) == n && !memcmp(text, name, n)) {
			found = text + n + 1;
			used[i] = true;
		}
	}
	return found;
}

/* "FILE:CONFIG" */
static int add(const struct plugged_options *o, const char *text, bool *used, struct err *e)
{
	size_t n = strcspn(text, ":");
	char *path = xstrndup(text, n), *name = NULL;
	struct plugin_config cfg = {.path = path, .init_config = text[n] ? text + n + 1 : NULL};
	struct plugin *p;
	int r = o->open_params.n ? plugin_open(path, &p, e) : 0;

	/* Whose parameters those are is known once the plugin said its name. */
	if (!r && o->open_params.n) {
		name = xstrdup(p->name);
		plugin_close(p);
		cfg.open_params = find_open_params(o, name, used);
	}
	if (!r)
		r = plugged_add(&cfg, e);
	free(name);
	free(path);
	return r;
}

enum exit_status plugged_load(const struct plugged_options *o)
{
	bool *used = xcalloc(o->open_params.n + 1, sizeof(*used));
	enum exit_status status = EXIT_DONE;
	struct err e = {0};

	for (size_t i = 0; i < o->plugins.n && !status; i++) {
		if (add(o, o->plugins.items[i], used, &e) < 0) {
			report("%s", e.msg);
			status = EXIT_FAULT;
		}
	}
	for (size_t i = 0; i < o->open_params.n && !status; i++) {
		if (!used[i]) {
			report("--open-params '%s' is of no plugin that is loaded",
			       o->open_params.items[i]);
			status = EXIT_USAGE;
		}
	}
	free(used);
	return status;
}

static enum exit_status add_bits(const struct option_texts *names, uint32_t *bits)
{
	for (size_t i = 0; i < names->n; i++) {
		int number = event_source_find(str_of(names->items[i]));

		if (number < 0) {
			report("there is no event source '%s'", names->items[i]);
			return EXIT_USAGE;
		}
		*bits |= 1u << number;
	}
	return EXIT_DONE;
}

enum exit_status plugged_choose(const struct sources_options *o, uint32_t *ret)
{
	uint32_t all = (uint32_t)((1ull << event_source_count()) - 1), on = 0, off = 0;
	enum exit_status status = add_bits(&o->enable, &on);
	struct err e = {0};

	if (!status)
		status = add_bits(&o->disable, &off);
	*ret = (on ? on : all) & ~off;
	if (!status && !*ret) {
		report("no event source is left to watch");
		status = EXIT_USAGE;
	}
	if (!status && *ret & 1 && loaded && plugins_check_schema(loaded, &e) < 0) {
		report("%s", e.msg);
		status = EXIT_FAULT;
	}
	return status;
}

int plugged_begin(uint32_t sources, struct err *e)
{
	return loaded ? plugins_begin(loaded, sources, e) : 0;
}

enum exit_status plugged_end(void)
{
	if (!loaded)
		return EXIT_DONE;
	plugins_end(loaded);
	plugged_tell();
	return plugins_failed(loaded) ? EXIT_FAULT : EXIT_DONE;
}

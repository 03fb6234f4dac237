/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/life.h"

#include "base/alloc.h"
#include "plugin/async.h"
#include "plugin/lines.h"
#include "plugin/routine.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { SCHEMA_TEXT_MAX = 64 };

const char *life_error(ss_plugin_owner_t *owner)
{
	return ((struct life *)owner)->error;
}

int life_refuse(struct life *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(l->error, sizeof(l->error), fmt, ap);
	va_end(ap);
	return SS_PLUGIN_FAILURE;
}

/* Of any thread. */
static void take_line(ss_plugin_owner_t *owner, const char *component, const char *msg,
		      ss_plugin_log_severity severity)
{
	const struct life *l = owner;

	if (msg && severity <= SS_PLUGIN_LOG_SEV_INFO)
		lines_add(plugins_lines(l->host), "plugin %s: %.*s",
			  component && *component ? component : l->plugin->name, PLUGIN_LINE_MAX,
			  msg);
}

static void set_all(struct event_types *t)
{
	memset(t->words, 0xff, sizeof(t->words));
}

static void set_type(struct event_types *t, unsigned type)
{
	t->words[type / 64] |= 1ULL << (type % 64);
}

/* None listed: all of them, but without system calls those of plugins are all that there are. */
static void take_types(struct event_types *t, const struct names *sources, const uint16_t *list,
		       uint32_t n)
{
	if (!list || !n) {
		if (names_have(sources, "syscall"))
			set_all(t);
		else
			set_type(t, EV_PLUGINEVENT_E);
		return;
	}
	for (uint32_t i = 0; i < n && i < EV_COUNT; i++)
		if (list[i] < EV_COUNT)
			set_type(t, list[i]);
}

bool event_types_are_plugins(const struct event_types *t)
{
	struct event_types only = {0};

	set_type(&only, EV_PLUGINEVENT_E);
	for (unsigned w = 0; w < sizeof(t->words) / sizeof(t->words[0]); w++)
		if (t->words[w] & ~only.words[w])
			return false;
	return true;
}

/* What a plugin that says nothing was written for. */
#define SCHEMA_OF_OLD "3.0.0"

int life_check_schema(const struct life *l, struct err *e)
{
	const struct plugin *p = l->plugin;
	const char *text = NULL, *why = NULL;
	uint32_t need[3], ours[3];

	if (event_types_are_plugins(&l->extracts) && event_types_are_plugins(&l->parses))
		return 0;
	if (p->api.get_required_event_schema_version)
		text = PLUGIN_CALL(p, get_required_event_schema_version, l->state);
	if (!text)
		text = SCHEMA_OF_OLD;
	plugin_version_parse(SCHEMA_VERSION, ours);
	if (strnlen(text, SCHEMA_TEXT_MAX) == SCHEMA_TEXT_MAX || !plugin_version_parse(text, need))
		return err_set(e, -EINVAL,
			       "plugin '%.64s' requires an event schema version that is none: "
			       "'%.64s'",
			       p->name, text);
	if (need[0] != ours[0])
		why = "major versions disagree";
	else if (need[1] > ours[1])
		why = "the minor version in use is less";
	else if (need[1] == ours[1] && need[2] > ours[2])
		why = "the patch version in use is less";
	if (!why)
		return 0;
	return err_set(e, -EINVAL,
		       "plugin '%.64s' required event schema version '%.64s' not compatible with "
		       "the event schema version in use '%s': %s",
		       p->name, text, SCHEMA_VERSION, why);
}

static void read_types(struct life *l)
{
	struct plugin *p = l->plugin;
	const uint16_t *list = NULL;
	uint32_t n = 0;

	if (p->abilities & PLUGIN_EXTRACTS) {
		if (p->api.get_extract_event_types)
			list = PLUGIN_CALL(p, get_extract_event_types, &n, l->state);
		take_types(&l->extracts, &p->extract_sources, list, n);
	}
	list = NULL;
	n = 0;
	if (p->abilities & PLUGIN_PARSES) {
		if (p->api.get_parse_event_types)
			list = PLUGIN_CALL(p, get_parse_event_types, &n, l->state);
		take_types(&l->parses, &p->parse_sources, list, n);
	}
}

static int check_config(const struct plugin *p, const char **config, struct err *e)
{
	if (!p->schema)
		return 0;
	if (!**config)
		*config = "{}";
	if (schema_validate(p->schema, *config, e) < 0)
		return err_prepend(e, "init config: ");
	return 0;
}

int life_begin(struct plugin *p, struct plugins *host, const char *config, struct life **ret,
	       struct err *e)
{
	struct life *l = xcalloc(1, sizeof(*l));
	ss_plugin_init_input in = {.config = config,
				   .owner = l,
				   .get_owner_last_error = life_error,
				   .log_fn = take_line};
	ss_plugin_rc rc = SS_PLUGIN_SUCCESS;
	int r;

	l->plugin = p;
	l->host = host;
	visit_init(&l->visit, l, plugins_tables(host));
	if (p->abilities & (PLUGIN_EXTRACTS | PLUGIN_PARSES))
		in.tables = tables_for_init();
	r = check_config(p, &in.config, e);
	if (r < 0)
		goto fail;
	l->state = LIFE_CALL(l, ACCESS_WRITE, init, &in, &rc);
	if (rc != SS_PLUGIN_SUCCESS || !l->state) {
		r = err_set(e, -EINVAL, "could not initialize plugin: %s",
			    l->state ? plugin_last_error(p, l->state)
				     : "plugin_init gave no state, and no reason");
		goto fail;
	}
	read_types(l);
	*ret = l;
	return 0;

fail:
	life_end(l);
	return r;
}

void life_end(struct life *l)
{
	if (!l)
		return;
	if (l->state)
		PLUGIN_DO(l->plugin, destroy, l->state);
	tables_forget(l->visit.tables, l);
	visit_done(&l->visit);
	async_free(l->async);
	routines_free(l);
	free(l);
}

int life_set_config(struct life *l, const char *config, struct err *e)
{
	const struct plugin *p = l->plugin;
	ss_plugin_set_config_input in = {.config = config};

	if (!p->api.set_config)
		return err_set(e, -ENOTSUP, "plugin '%.64s': it takes no other configuration",
			       p->name);
	if (check_config(p, &in.config, e) < 0)
		return err_prepend(e, "plugin '%.64s': ", p->name);
	if (LIFE_CALL(l, ACCESS_READ, set_config, l->state, &in) != SS_PLUGIN_SUCCESS)
		return err_set(e, -EINVAL, "plugin '%.64s': it refuses the configuration: %s",
			       p->name, plugin_last_error(p, l->state));
	return 0;
}

bool life_is_here(const struct life *l)
{
	return !l->is_lost && (!l->puller || puller_is_here(l->puller));
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/plugins.h"

#include "base/alloc.h"
#include "field/eventsource.h"
#include "plugin/extract.h"
#include "plugin/isolate.h"
#include "plugin/running.h"
#include "plugin/watchdog.h"

#include <errno.h>
#include <stdlib.h>

struct plugins *plugins_new(void)
{
	struct plugins *ps = xcalloc(1, sizeof(*ps));

	lines_init(&ps->lines);
	ps->tables = tables_new();
	bell_init(&ps->bell);
	return ps;
}

static void end_one(struct running *r)
{
	life_end(r->plugin->own);
	life_end(r->plugin->other);
	plugin_close(r->plugin);
	free(r->open_params);
	free(r->listed_params);
}

void plugins_free(struct plugins *ps)
{
	if (!ps)
		return;
	plugins_end(ps);
	event_sources_reset();
	if (ps->is_stuck)
		return;
	for (size_t i = ps->n; i-- > 0;)
		end_one(&ps->list[i]);
	tables_free(ps->tables);
	lines_done(&ps->lines);
	bell_done(&ps->bell);
	free(ps);
}

/* ---- loading ---- */

static bool is_built_in(const char *name)
{
	return !strcmp(name, "container") || !strcmp(name, "k8smeta");
}

static int check_name(const struct plugins *ps, const struct plugin *p,
		      const struct plugin_config *cfg, struct err *e)
{
	if (cfg->name && strcmp(cfg->name, p->name) != 0)
		return err_set(e, -EINVAL, "it is the plugin '%.64s', not '%.64s'", p->name,
			       cfg->name);
	if (is_built_in(p->name))
		return err_set(e, -EEXIST, "what it does is built in; leave it out");
	if (ps->n == PLUGINS_MAX)
		return err_set(e, -ENOSPC, "there are more than %d plugins", PLUGINS_MAX);
	for (size_t i = 0; i < ps->n; i++) {
		if (!strcmp(ps->list[i].plugin->name, p->name))
			return err_set(e, -EEXIST, "a plugin of this name is loaded already");
		if (p->id && ps->list[i].plugin->id == p->id)
			return err_set(e, -EEXIST, "its id %u is that of the plugin '%.64s'", p->id,
				       ps->list[i].plugin->name);
	}
	return 0;
}

/* Bits of the sources that it names; what no plugin loaded so far declares is not there. */
static uint32_t sources_named(const struct names *n)
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < event_source_count(); i++)
		if (names_have(n, event_source_get(i)->name))
			bits |= 1u << i;
	return bits;
}

static int add_source(struct plugin *p, struct err *e)
{
	struct event_source s = {p->source, p->name, plugin_describe, p};
	int number;

	if (!p->source)
		return 0;
	number = event_source_add(&s);
	if (number < 0)
		return err_set(e, number, "there are more than %d event sources", SOURCES_MAX);
	p->source_number = (unsigned)number;
	return 0;
}

static int add_fields(struct plugin *p, uint32_t sources, struct err *e)
{
	for (size_t i = 0; i < p->n_fields; i++) {
		int r = field_add(&p->fields[i].info, sources, e);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Earlier plugins may look at the events of a source that is new with this one. */
static int widen(struct plugins *ps, const struct plugin *p, struct err *e)
{
	uint32_t bit = 1u << p->source_number;
	int r = 0;

	for (size_t i = 0; p->source && i < ps->n && !r; i++) {
		struct plugin *other = ps->list[i].plugin;

		if (other != p && names_have(&other->extract_sources, p->source))
			r = add_fields(other, bit, e);
	}
	return r;
}

static int add_names(const struct plugin *p, struct err *e)
{
	for (size_t i = 0; i < p->async_names.n; i++)
		if (async_name_add(p->async_names.list[i]) < 0)
			return err_set(e, -ENOSPC, "there are too many names of async events");
	return 0;
}

/* Whether it looks at events of others besides its own. */
static bool looks_around(const struct plugin *p)
{
	return p->source && (p->extract_sources.n > 1 || p->parse_sources.n > 1);
}

static bool is_useful(const struct plugin *p)
{
	return p->abilities & (PLUGIN_SOURCES | PLUGIN_LISTENS) ||
	       (p->abilities & PLUGIN_EXTRACTS && sources_named(&p->extract_sources)) ||
	       (p->abilities & PLUGIN_PARSES && sources_named(&p->parse_sources)) ||
	       (p->abilities & PLUGIN_ASYNC && sources_named(&p->async_sources));
}

static int begin(struct plugins *ps, struct plugin *p, const char *config, struct err *e)
{
	int r = life_begin(p, ps, config, &p->own, e);

	if (!r && looks_around(p))
		r = life_begin(p, ps, config, &p->other, e);
	if (!r)
		r = add_source(p, e);
	if (!r && !is_useful(p))
		r = err_set(e, -EINVAL,
			    "it is loaded but unused, as not compatible with any known event "
			    "source");
	if (!r)
		r = add_fields(p, sources_named(&p->extract_sources), e);
	if (!r)
		r = widen(ps, p, e);
	if (!r)
		r = add_names(p, e);
	return r;
}

static int add(struct plugins *ps, const struct plugin_config *cfg, struct err *e)
{
	struct plugin_version *v = &ps->versions[ps->n];
	struct running *slot = &ps->list[ps->n];
	const plugin_api *api = cfg->api;
	struct plugin *p;
	int r = cfg->is_isolated ? isolate_api(cfg->path, cfg->memory_max, &api, e) : 0;

	if (!r)
		r = plugin_open(cfg->path, api, &p, e);
	if (r < 0)
		return r;
	p->is_isolated = cfg->is_isolated;
	r = check_name(ps, p, cfg, e);
	if (r < 0) {
		err_prepend(e, "plugin '%.64s': ", p->name);
		plugin_close(p);
		return r;
	}
	*slot = (struct running){.plugin = p};
	if (cfg->open_params)
		slot->open_params = xstrdup(cfg->open_params);
	*v = (struct plugin_version){p->name, {p->number[0], p->number[1], p->number[2]}};
	ps->n++; /* what it has registered by now may not go before everything does */
	r = begin(ps, p, cfg->init_config ? cfg->init_config : "", e);
	return r < 0 ? err_prepend(e, "plugin '%.64s': ", p->name) : 0;
}

int plugins_add(struct plugins *ps, const struct plugin_config *cfg, struct err *e)
{
	struct watchdog *w = watchdog_begin();
	int r = add(ps, cfg, e);

	watchdog_end(w);
	return r;
}

size_t plugins_count(const struct plugins *ps)
{
	return ps->n;
}

bool plugins_are_ours(const struct plugins *ps)
{
	for (size_t i = 0; i < ps->n; i++)
		if (ps->list[i].plugin->library || ps->list[i].plugin->is_isolated)
			return false;
	return true;
}

const struct plugin *plugins_get(const struct plugins *ps, size_t i)
{
	return i < ps->n ? ps->list[i].plugin : NULL;
}

const struct plugin_version *plugins_versions(const struct plugins *ps, size_t *ret_n)
{
	*ret_n = ps->n;
	return ps->versions;
}

unsigned plugins_source_of(const struct plugins *ps, size_t i)
{
	return ps->list[i].plugin->source_number;
}

const char *plugins_open_params(struct plugins *ps, size_t i)
{
	struct running *r = &ps->list[i];
	ss_plugin_rc rc = SS_PLUGIN_SUCCESS;
	const char *text;

	if (!r->plugin->api.list_open_params || !r->plugin->own)
		return NULL;
	text = PLUGIN_CALL(r->plugin, list_open_params, r->plugin->own->state, &rc);
	if (!text || rc != SS_PLUGIN_SUCCESS)
		return NULL;
	free(r->listed_params);
	r->listed_params = xstrndup(text, strnlen(text, PLUGIN_TEXT_MAX));
	return r->listed_params;
}

/* ---- running ---- */

/* The source that a plugin's async events are of; -1: none that is watched. */
static int source_of_async(const struct plugin *p, uint32_t sources)
{
	if (!(p->abilities & PLUGIN_ASYNC))
		return -1;
	for (unsigned i = 0; i < event_source_count(); i++)
		if (sources >> i & 1 && names_have(&p->async_sources, event_source_get(i)->name))
			return (int)i;
	return -1;
}

static int begin_async(struct plugins *ps, struct running *r, uint32_t sources, struct err *e)
{
	int source = source_of_async(r->plugin, sources), error;
	const struct running *owner;

	if (source < 0)
		return 0;
	owner = source ? plugins_find_source(ps, (unsigned)source) : NULL;
	error = async_begin(r->plugin->own, (unsigned)source, owner ? owner->plugin->id : 0,
			    &ps->bell, e);
	if (!error)
		r->async = r->plugin->own->async;
	return error;
}

static int begin_one(struct plugins *ps, struct running *r, uint32_t sources, struct err *e)
{
	int error = begin_async(ps, r, sources, e);

	if (error || !r->plugin->source_number || !(sources >> r->plugin->source_number & 1))
		return error;
	listen_begin(ps, r->plugin->own); /* later it is busy with its source */
	return puller_begin(r->plugin->own, r->open_params, &ps->bell, &r->puller, e);
}

int plugins_begin(struct plugins *ps, uint32_t sources, struct err *e)
{
	int error = 0;

	ps->is_heard = false;
	if (ps->n && !ps->watchdog)
		ps->watchdog = watchdog_begin();
	for (size_t i = 0; i < ps->n && !error; i++)
		error = begin_one(ps, &ps->list[i], sources, e);
	return error;
}

void plugins_end_puller(struct plugins *ps, struct running *r)
{
	const char *why;

	if (!r->puller)
		return;
	if (puller_has_ended(r->puller, &why) && why) {
		lines_add(&ps->lines, "plugin '%.64s': %s", r->plugin->name, why);
		ps->has_failed = true;
	}
	if (!puller_end(r->puller)) {
		lines_add(&ps->lines, "plugin '%.64s' does not come back from plugin_next_batch",
			  r->plugin->name);
		ps->has_failed = ps->is_stuck = true;
	}
	r->puller = NULL;
}

int plugins_dump(struct plugins *ps, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < ps->n && !r; i++)
		if (ps->list[i].async)
			r = async_dump(ps->list[i].async, e);
	return r;
}

static void end_async(struct plugins *ps, struct running *r)
{
	uint64_t n;

	/* It is in a call that does not end. */
	if (!r->async || r->plugin->own->is_lost)
		return;
	n = async_end(r->async);
	r->async = NULL;
	if (n)
		lines_add(&ps->lines, "plugin '%.64s': %llu async events found no room",
			  r->plugin->name, (unsigned long long)n);
}

void plugins_end(struct plugins *ps)
{
	for (size_t i = 0; i < ps->n; i++) {
		plugins_end_puller(ps, &ps->list[i]);
		listen_end(ps, ps->list[i].plugin);
		end_async(ps, &ps->list[i]);
	}
	ps->is_heard = false;
	watchdog_end(ps->watchdog);
	ps->watchdog = NULL;
}

bool plugins_are_open(const struct plugins *ps)
{
	uint64_t unused;

	for (size_t i = 0; i < ps->n; i++)
		if (ps->list[i].puller ||
		    (ps->list[i].async && async_first_ts(ps->list[i].async, &unused)))
			return true;
	return false;
}

void plugins_wait(struct plugins *ps, uint64_t timeout_ns)
{
	bell_wait(&ps->bell, timeout_ns);
}

struct running *plugins_find_source(struct plugins *ps, unsigned source)
{
	for (size_t i = 0; i < ps->n; i++)
		if (ps->list[i].plugin->source_number == source)
			return &ps->list[i];
	return NULL;
}

bool plugins_moment(struct plugins *ps, const struct record *r, struct moment *ret)
{
	struct running *run = plugins_find_source(ps, r->event.source);

	*ret = (struct moment){.fd_num = -1};
	if (!run || event_decode(r->event.p, r->event.n, &ret->ev, NULL) < 0)
		return false;
	ret->ev.num = run->n_events;
	ret->is_first = run->n_events == 1;
	if (ret->is_first)
		run->first_ts = ret->ev.ts;
	ret->first_ts = run->first_ts;
	ret->prev_ts = run->prev_ts;
	run->prev_ts = ret->ev.ts;
	return true;
}

unsigned plugins_source_of_event(const struct plugins *ps, const struct event *ev)
{
	uint32_t id;

	if (ev->type != EV_PLUGINEVENT_E && ev->type != EV_ASYNCEVENT_E)
		return SOURCE_SYSCALL;
	id = (uint32_t)event_u64(ev, 0);
	for (size_t i = 0; i < ps->n && id; i++)
		if (ps->list[i].plugin->id == id)
			return ps->list[i].plugin->source_number;
	return ev->type == EV_ASYNCEVENT_E && !id ? SOURCE_SYSCALL : SOURCE_NONE;
}

struct lines *plugins_lines(struct plugins *ps)
{
	return &ps->lines;
}

struct tables *plugins_tables(struct plugins *ps)
{
	return ps->tables;
}

struct state *plugins_state(const struct plugins *ps)
{
	return ps->tables->state;
}

void plugins_bind(struct plugins *ps, struct state *s)
{
	tables_bind(ps->tables, s);
}

int plugins_set_config(struct plugins *ps, size_t i, const char *config, struct err *e)
{
	const struct plugin *p = ps->list[i].plugin;
	int r = life_set_config(p->own, config, e);

	return !r && p->other ? life_set_config(p->other, config, e) : r;
}

bool plugins_next_line(struct plugins *ps, char ret[PLUGIN_LINE_MAX])
{
	return lines_take(&ps->lines, ret);
}

bool plugins_failed(const struct plugins *ps)
{
	return ps->has_failed;
}

uint64_t plugins_n_events(const struct plugins *ps)
{
	uint64_t n = 0;

	for (size_t i = 0; i < ps->n; i++)
		n += ps->list[i].n_events;
	return n;
}

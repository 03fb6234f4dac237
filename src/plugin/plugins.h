/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugins of a program: loaded before rules are, then part of the stream of events.
 *
 * All functions are for the event thread.  A plugin with an event source of its own is read by a
 * thread of its own, which hands over a batch of events and waits until they are done with, so that
 * the plugin is never called twice at a time.
 */
#pragma once

#include "capture/source.h"
#include "field/field.h"
#include "rules/ruleset.h"

#include <saker/plugin.h>

struct plugin;
struct plugins;

/* One plugin to load: what configuration says of it.  Borrowed. */
struct plugin_config {
	const char *path;
	const plugin_api
		*api;	     /* it is part of the program, and path is its name; NULL: it is not */
	bool is_isolated;    /* in a process of its own (plugin/isolate.h) */
	uint64_t memory_max; /* of that process */
	const char *name;    /* that it must have; NULL: any */
	const char *init_config; /* text or JSON; NULL: empty */
	const char *open_params; /* NULL: empty */
};

struct plugins *plugins_new(void);
/* Ends what runs.  Event sources and fields of plugins are gone then. */
void plugins_free(struct plugins *ps); /* NULL is fine */

/*
 * Load one more and begin with it.  Its event source, fields and names of async events can be used
 * by rules from here on.  *e names the plugin.
 */
int plugins_add(struct plugins *ps, const struct plugin_config *cfg, struct err *e);

size_t plugins_count(const struct plugins *ps);
/* Whether all of them are part of the program. */
bool plugins_are_ours(const struct plugins *ps);
const struct plugin *plugins_get(const struct plugins *ps, size_t i);
/* For rule files. */
const struct plugin_version *plugins_versions(const struct plugins *ps, size_t *ret_n);
/* Number of the plugin's event source; 0: it has none. */
unsigned plugins_source_of(const struct plugins *ps, size_t i);
/* list_open_params() as JSON, borrowed until the next call; NULL: the plugin says nothing. */
const char *plugins_open_params(struct plugins *ps, size_t i);

/*
 * Before the first event.  sources: bits by number, of those that are watched; 0 for a capture,
 * whose events are there already.
 */
int plugins_begin(struct plugins *ps, uint32_t sources, struct err *e);
/* Have them say, as events, what whoever reads a recording from here on needs to know. */
int plugins_dump(struct plugins *ps, struct err *e);
/* The first event is about to come, or nothing is to come for now: tell those who listen. */
void plugins_listen(struct plugins *ps);
void plugins_end(struct plugins *ps);

/*
 * A source of events of plugins, and of those of `inner`, in turn; it takes inner over, which may
 * be NULL.  It gives 0 when there is none at the moment.
 */
struct source *plugins_source(struct plugins *ps, struct source *inner);
/* Sleep until a plugin may have events, no longer than that. */
void plugins_wait(struct plugins *ps, uint64_t timeout_ns);
/* Whether events may still come from a plugin's source, and whether there was one at all. */
bool plugins_are_open(const struct plugins *ps);

/*
 * The event of a record that has a source (record.event.source) as a moment.  False: it is none.
 */
bool plugins_moment(struct plugins *ps, const struct record *r, struct moment *ret);
/* What the state is that plugins may use; NULL: none any more. */
void plugins_bind(struct plugins *ps, struct state *s);
/* Plugins follow the event at hand, of this source, which state has been told of. */
void plugins_parse(struct plugins *ps, unsigned source, struct moment *m);
/* Which events of system calls they follow: bits are set in addition. */
void plugins_want(const struct plugins *ps, uint64_t events[(EV_COUNT + 63) / 64]);
/* Whether calls without a type of their own are among them. */
bool plugins_want_generic(const struct plugins *ps);
/* Whether any looks at events of system calls, and so at the tables of state. */
bool plugins_use_state(const struct plugins *ps);
/* Another configuration for plugin i. */
int plugins_set_config(struct plugins *ps, size_t i, const char *config, struct err *e);

/* The source of an event of a capture; 0 for system calls, SOURCE_NONE when nobody knows. */
unsigned plugins_source_of_event(const struct plugins *ps, const struct event *ev);

struct plugin_metric {
	const char *plugin;
	struct str name;
	double value;
	bool only_grows;
};
typedef void plugin_metric_fn(void *arg, const struct plugin_metric *m);

/* What plugins count, those of them that are not busy right now. */
void plugins_metrics(struct plugins *ps, plugin_metric_fn *fn, void *arg);
/*
 * Whether every plugin that looks at events of system calls knows the schema that the kernel's are
 * of.
 */
int plugins_check_schema(const struct plugins *ps, struct err *e);

/* What a plugin said or what was amiss with it, one line at a time; false: nothing. */
enum { PLUGIN_LINE_MAX = 512 };
bool plugins_next_line(struct plugins *ps, char ret[PLUGIN_LINE_MAX]);
/* Whether a plugin failed, as opposed to coming to its end. */
bool plugins_failed(const struct plugins *ps);
uint64_t plugins_n_events(const struct plugins *ps);

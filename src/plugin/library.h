/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One plugin: a shared object that speaks saker/plugin.h, loaded and asked who it is.
 *
 * What it says is hostile input: texts are copied and bounded here, once, and nothing it returned
 * is looked at again.  Its functions are called through plugin_call_begin(), so that a crash is
 * told by the plugin's name.
 */
#pragma once

#include "base/arena.h"
#include "field/field.h"
#include "saker/plugin.h"

enum plugin_ability {
	PLUGIN_SOURCES = 1 << 0,
	PLUGIN_EXTRACTS = 1 << 1,
	PLUGIN_PARSES = 1 << 2,
	PLUGIN_ASYNC = 1 << 3,
	PLUGIN_LISTENS = 1 << 4,
	PLUGIN_ABILITIES = 5,
};

/* "sources", "extracts" ...: bit i. */
extern const char *const plugin_ability_names[PLUGIN_ABILITIES];

enum {
	PLUGIN_TEXT_MAX = 4 << 20, /* bytes of a text that a plugin returns */
	PLUGIN_FIELDS_MAX = 1024,
	PLUGIN_NAMES_MAX = 256,		   /* in a list of sources or async events */
	PLUGIN_EVENT_MAX = 64 << 20,	   /* bytes of one event */
	PLUGIN_BATCH_MAX = 1 << 20,	   /* events of one batch */
	PLUGIN_VALUES_MAX = 64 << 10,	   /* of a list */
	PLUGIN_VALUE_BYTES_MAX = 16 << 20, /* of one value */
};

struct life;
struct plugin;

struct plugin_field {
	struct field_info info; /* first: a field_info of a plugin is one of these */
	struct plugin *plugin;
	uint32_t number;
};

struct names {
	const char **list;
	size_t n;
};

struct plugin {
	char *path;
	void *library; /* NULL: it is part of the program, or in a process of its own */
	bool is_isolated;
	plugin_api api;
	struct arena arena; /* of all that is below */
	const char *name, *description, *contact, *version, *api_version;
	uint32_t number[3];
	unsigned abilities;	/* enum plugin_ability */
	uint32_t id;		/* 0: no event source of its own */
	const char *source;	/* NULL without */
	unsigned source_number; /* field/eventsource.h; 0 without */
	const char *schema;	/* of its configuration, JSON; NULL without */
	struct plugin_field *fields;
	size_t n_fields;
	/* No names: all sources. */
	struct names extract_sources, parse_sources, async_sources;
	struct names async_names;
	struct life *own, *other; /* while it runs: plugin/life.h */
};

/*
 * Load and ask.  api: of a plugin that is part of the program, and path is just its name; NULL: the
 * file at path is one.  -EINVAL and so on with *e, which names the file, and the plugin once that
 * said its name.
 */
int plugin_open(const char *path, const plugin_api *api, struct plugin **ret, struct err *e);
void plugin_close(struct plugin *p); /* NULL is fine */

/* Whether the list, empty for all, has the source. */
bool names_have(const struct names *n, const char *source);

/* get_last_error() in one line; good until the thread's next call. */
const char *plugin_last_error(const struct plugin *p, ss_plugin_t *state);

/* "1.2.3" and nothing else. */
bool plugin_version_parse(const char *text, uint32_t ret[3]);

/* ---- parts of plugin_open() with files of their own ---- */

/* fields.c: get_fields() as rows. */
int plugin_read_fields(struct plugin *p, struct err *e);
/* A JSON array of texts.  what: for the message. */
int plugin_read_names(struct plugin *p, const char *text, const char *what, struct names *ret,
		      struct err *e);
/* schema.c: whether a configuration, JSON text, is what a JSON schema asks for. */
int schema_validate(const char *schema, const char *config, struct err *e);

/* ---- call.c ---- */

struct plugin_call {
	const char *plugin, *function;
};

/*
 * What the thread is about to call: a crash from here on is this plugin's.  Gives what it called
 * before, for plugin_call_end().
 */
struct plugin_call plugin_call_begin(const char *plugin, const char *function);
void plugin_call_end(struct plugin_call before);
/* The calls of the thread that asks, for another one to look at as long as it lives. */
struct plugin_calls;
struct plugin_calls *plugin_calls_of_thread(void);
/* False: it is in none.  The number changes with each call that begins or ends. */
bool plugin_calls_look(struct plugin_calls *c, uint64_t *ret_number, struct plugin_call *ret);
/* Have crashes told on standard error, before what would have happened anyway. */
void plugin_tell_crashes(void);

/* The same for functions that return nothing: PLUGIN_DO. */
#define PLUGIN_DO(plugin, function, ...)                                                           \
	do {                                                                                       \
		struct plugin_call before_ = plugin_call_begin((plugin)->name, #function);         \
		(plugin)->api.function(__VA_ARGS__);                                               \
		plugin_call_end(before_);                                                          \
	} while (0)

#define PLUGIN_CALL(plugin, function, ...)                                                         \
	({                                                                                         \
		struct plugin_call before_ = plugin_call_begin(                                    \
			(plugin)->name ? (plugin)->name : (plugin)->path, #function);              \
		__auto_type result_ = (plugin)->api.function(__VA_ARGS__);                         \
		plugin_call_end(before_);                                                          \
		result_;                                                                           \
	})

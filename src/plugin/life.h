/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin that runs: what plugin_init() gave, and everything that is called with it.
 *
 * A life is used by one thread at a time, as plugins may expect.  One that has an event source of
 * its own and looks at others' events as well has two lives, the second one for those.
 */
#pragma once

#include "plugin/library.h"
#include "plugin/plugins.h"
#include "plugin/table.h"

#include <pthread.h>

enum { LIFE_ERROR_MAX = 256 };

/* Bits by event code. */
struct event_types {
	uint64_t words[(EV_COUNT + 63) / 64];
};

struct life {
	struct plugin *plugin;
	struct plugins *host;
	ss_plugin_t *state;
	struct event_types extracts, parses;
	char error[LIFE_ERROR_MAX]; /* what its owner last refused */
	struct visit visit;	    /* its calls on the event thread, and the first one */
	struct async *async;	    /* NULL: no async event yet */
	struct puller *puller;	    /* NULL: nobody reads its source */
	struct routines *routines;  /* NULL: it has subscribed none yet */
	bool is_listening;	    /* it has been told that the stream of events has begun */
	bool is_lost;		    /* it did not come back from a call */
};

/* config: text, checked against the plugin's schema.  plugin_init() and the types of events. */
int life_begin(struct plugin *p, struct plugins *host, const char *config, struct life **ret,
	       struct err *e);
void life_end(struct life *l); /* NULL is fine */

/* The one for events of this source; NULL: the plugin does not run. */
static inline struct life *life_of(const struct plugin *p, unsigned source)
{
	return p->other && source != p->source_number ? p->other : p->own;
}

static inline bool event_types_have(const struct event_types *t, unsigned type)
{
	return t->words[type / 64] >> (type % 64) & 1;
}

/* A call of the event thread, during which the plugin may use tables. */
#define LIFE_CALL(who, access, function, ...)                                                      \
	({                                                                                         \
		struct life *life_ = (who);                                                        \
		struct visit *outer_;                                                              \
		bool may_ = visit_begin(&life_->visit, access, &outer_);                           \
		__auto_type given_ = PLUGIN_CALL(life_->plugin, function, __VA_ARGS__);            \
		if (may_)                                                                          \
			visit_end(&life_->visit, outer_);                                          \
		given_;                                                                            \
	})

/* Whether there is nothing but events of plugins among them. */
bool event_types_are_plugins(const struct event_types *t);
/* Whether it knows the events of system calls as they are here; *e names it. */
int life_check_schema(const struct life *l, struct err *e);
/* Another configuration: text, checked like the first one. */
int life_set_config(struct life *l, const char *config, struct err *e);
/* Whether the event thread may call it: nobody else is in a call of it. */
bool life_is_here(const struct life *l);

/* What the plugin is told was the matter with its call; for get_owner_last_error. */
const char *life_error(ss_plugin_owner_t *owner);
int life_refuse(struct life *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

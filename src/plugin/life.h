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

/* What the plugin is told was the matter with its call; for get_owner_last_error. */
const char *life_error(ss_plugin_owner_t *owner);
int life_refuse(struct life *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* SPDX-License-Identifier: Apache-2.0 */
/* How events are shown, those of each event source (field/eventsource.h) with its fields. */
#pragma once

#include "field/eventsource.h"
#include "filter/message.h"

/* What nobody says otherwise of: of system calls, and of plugins' sources. */
#define EVENT_FORMAT "%evt.num %evt.time %evt.cpu %proc.name (%thread.tid) %evt.type %evt.args"
#define PLUGIN_EVENT_FORMAT "%evt.num %evt.time %evt.source %evt.plugininfo"

struct event_format {
	struct message *message; /* NULL: events of this source are not shown */
	struct message_token *values;
	size_t n_values;
};

struct event_formats {
	struct arena arena;
	struct event_format of[SOURCES_MAX];
};

void event_formats_init(struct event_formats *f);
void event_formats_done(struct event_formats *f);
/*
 * Show events like this, of the sources that have all fields of the text; false when none has,
 * which has been reported.
 */
bool event_formats_given(struct event_formats *f, struct str text);
/* The usual way, details of events of system calls behind it. */
bool event_formats_usual(struct event_formats *f, struct str details);

static inline const struct event_format *event_format_of(const struct event_formats *f,
							 unsigned source)
{
	return &f->of[source < SOURCES_MAX ? source : SOURCE_SYSCALL];
}

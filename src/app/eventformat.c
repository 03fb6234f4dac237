/* SPDX-License-Identifier: Apache-2.0 */
#include "app/eventformat.h"

#include "app/report.h"
#include "base/buf.h"

void event_formats_init(struct event_formats *f)
{
	*f = (struct event_formats){0};
	arena_init(&f->arena, 0);
}

void event_formats_done(struct event_formats *f)
{
	arena_done(&f->arena);
}

static bool compile(struct event_formats *f, struct str text, unsigned source, bool tell)
{
	struct message_fields *fields = message_fields_new(source);
	struct event_format *format = &f->of[source];
	struct position at;
	struct err e = {0};

	if (message_compile(text, fields, &f->arena, &format->message, &at, &e) < 0) {
		format->message = NULL;
		if (tell)
			report_at("format", text, at, &e);
	} else {
		format->n_values = message_values(format->message, &f->arena, &format->values);
	}
	message_fields_free(fields);
	return format->message;
}

bool event_formats_given(struct event_formats *f, struct str text)
{
	bool any = false;

	for (unsigned i = 0; i < event_source_count(); i++)
		any |= compile(f, text, i, false);
	return any || compile(f, text, SOURCE_SYSCALL, true);
}

bool event_formats_usual(struct event_formats *f, struct str details)
{
	struct buf text;
	bool ok;

	buf_init(&text, 4096);
	buf_addz(&text, EVENT_FORMAT);
	if (details.n) {
		buf_addc(&text, ' ');
		buf_adds(&text, details);
	}
	ok = compile(f, arena_str(&f->arena, buf_str(&text)), SOURCE_SYSCALL, true);
	buf_done(&text);
	for (unsigned i = SOURCE_SYSCALL + 1; i < event_source_count() && ok; i++)
		ok = compile(f, STR(PLUGIN_EVENT_FORMAT), i, true);
	return ok;
}

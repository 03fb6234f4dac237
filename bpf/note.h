/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Saker's own notes between the events: asyncevents, whose name says what their data is. */
#pragma once

#include "event.h"

enum {
	/* The lengths of such an event have 32 bits. */
	NOTE_LENGTHS_AT = RECORD_HEADER_BYTES,
	NOTE_VALUES_AT = NOTE_LENGTHS_AT + 4 * EVENT_PARAMS_ASYNCEVENT_E,
	/* Those of the parts that its data is made of are nobody's business: behind all records. */
	NOTE_PARTS_AT = PROBE_RECORD_MAX,
};

#define NOTE_DATA_AT(name) (NOTE_VALUES_AT + 4 + sizeof(name))

/* name: an array, with its NUL. */
#define NOTE_BEGIN(e, lane, name) note_begin(e, lane, name, sizeof(name))
#define NOTE_END(e, name, tid) note_end(e, NOTE_DATA_AT(name), tid)

ALWAYS void note_head(struct event *e, const char *name, u32 name_bytes)
{
	*(u32 *)(e->p + NOTE_LENGTHS_AT) = 4;
	*(u32 *)(e->p + NOTE_LENGTHS_AT + 4) = name_bytes;
	*(u32 *)(e->p + NOTE_VALUES_AT) = 0;
	bpf_probe_read_kernel(e->p + NOTE_VALUES_AT + 4, name_bytes, name);
	e->at = NOTE_PARTS_AT;
	e->pos = NOTE_VALUES_AT + 4 + name_bytes;
}

ALWAYS bool note_begin(struct event *e, u32 lane, const char *name, u32 name_bytes)
{
	if (!event_begin(e, lane, EV_ASYNCEVENT_E, EVENT_PARAMS_ASYNCEVENT_E))
		return false;
	note_head(e, name, name_bytes);
	return true;
}

ALWAYS void note_length(struct event *e, u32 data_at)
{
	*(u32 *)(e->p + NOTE_LENGTHS_AT + 8) = e->pos - data_at;
}

ALWAYS void note_end(struct event *e, u32 data_at, u32 tid)
{
	note_length(e, data_at);
	event_end_of(e, tid);
}

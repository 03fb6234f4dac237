/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a recording's lists of processes and descriptors have no room for, gathered for notes that
 * are written behind them (schema/note.h): with it, a replay makes of the picture what the watch
 * made.
 */
#pragma once

#include "base/buf.h"
#include "capture/record.h"
#include "event/event.h"
#include "schema/note.h"

enum { PICTURE_NOTE_ENTRIES = 2048 };

struct picturenote {
	struct buf entries; /* struct note_picture; as many as the picture's limits allow */
	size_t taken;	    /* bytes of them */
	uint64_t last_ns;   /* when the last of all was read */
	bool is_told;
	uint8_t bytes[PICTURE_NOTE_ENTRIES * sizeof(struct note_picture) + 128];
};

void picturenote_init(struct picturenote *n);
void picturenote_done(struct picturenote *n);
/* A record of the picture; of other kinds than processes and descriptors there is nothing to note.
 */
void picturenote_add(struct picturenote *n, const struct record *r);
/*
 * Behind the picture, as lists must not come after events: the next note as a record; false when
 * there is none left.  *ret is good until the next call.
 */
bool picturenote_take(struct picturenote *n, struct record *ret);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a recording's lists of processes and descriptors have no room for, gathered into notes that
 * are written between them (schema/note.h): with it, a replay makes of the picture what the watch
 * made.
 */
#pragma once

#include "capture/record.h"
#include "event/event.h"
#include "schema/note.h"

enum { PICTURE_NOTE_ENTRIES = 2048 };

struct picturenote {
	size_t n;
	uint64_t last_ns, told_ns; /* when the last of all was read; of what has been taken */
	struct note_picture entries[PICTURE_NOTE_ENTRIES];
	uint8_t bytes[PICTURE_NOTE_ENTRIES * sizeof(struct note_picture) + 128];
};

/* A record of the picture; of other kinds than processes and descriptors there is nothing to note.
 */
void picturenote_add(struct picturenote *n, const struct record *r);
bool picturenote_is_full(const struct picturenote *n); /* take it before the next record */
/* As a record, and begin the next; false without anything new.  *ret is good until the next call.
 */
bool picturenote_take(struct picturenote *n, struct record *ret);

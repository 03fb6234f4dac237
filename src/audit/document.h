/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON of one event, parsed once for all fields that are asked of it, and texts made of it.
 *
 * The event comes from outside: what is no JSON is no document, and nothing is ever written to it.
 */
#pragma once

#include "base/arena.h"

#include <jansson.h>
#include <saker/plugin.h>

enum {
	DOCUMENT_VALUES_MAX = 4096,
	/* What a text may make us build is limited before it is built. */
	JSON_DEPTH_MAX = 128,
	JSON_LISTS_MAX = 256 << 10, /* and objects */
	JSON_VALUES_MAX = 1 << 20,
};

struct document {
	json_t *root; /* NULL: it is no JSON */
	const ss_plugin_event *of;
	uint64_t number, ts;
	struct arena arena; /* of what the last extraction gave */
};

/* Several texts, in the document's arena. */
struct texts {
	struct document *d;
	const char **list;
	uint64_t n;
};

void document_init(struct document *d);
void document_done(struct document *d);
/* Look at this event.  False: it is none of a plugin, or no JSON object or list. */
bool document_read(struct document *d, const ss_plugin_event_input *in);

/* Parsed; NULL when it is no JSON or is beyond the limits.  Numbers that no integer holds become
 * floating-point ones. */
json_t *json_read(struct str text);

/* Texts as they are, everything else as JSON; for the lifetime of d's arena. */
const char *document_text(struct document *d, const json_t *v);
void texts_begin(struct texts *t, struct document *d);
/* Beyond DOCUMENT_VALUES_MAX nothing is added. */
void texts_add(struct texts *t, const char *text);

/*
 * What stands at a path, words with a blank between; lists on the way are entered: all of their
 * items, or only the one of the index, which is not -1.
 */
typedef void walk_fn(void *arg, const json_t *v);
void json_walk(const json_t *v, const char *path, int64_t index, walk_fn *fn, void *arg);
/* The same for the first; NULL: there is none. */
const json_t *json_at(const json_t *v, const char *path);

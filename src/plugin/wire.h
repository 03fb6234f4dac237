/* SPDX-License-Identifier: Apache-2.0 */
/* What Saker and the process of a plugin say to each other: a question, an answer. */
#pragma once

#include "base/buf.h"

#include <saker/plugin.h>

enum wire_question {
	WIRE_WHO,      /* "": texts of enum wire_text, each with its NUL, behind struct wire_who */
	WIRE_INIT,     /* the configuration */
	WIRE_OPEN,     /* parameters of the source */
	WIRE_BATCH,    /* "": events */
	WIRE_EXTRACT,  /* struct wire_extract, source, key, event: values */
	WIRE_DESCRIBE, /* the same: a text */
};

enum wire_text {
	WIRE_API_VERSION,
	WIRE_NAME,
	WIRE_DESCRIPTION,
	WIRE_CONTACT,
	WIRE_VERSION,
	WIRE_SOURCE,
	WIRE_FIELDS,
	WIRE_EXTRACT_SOURCES,
	WIRE_SCHEMA,
	WIRE_TEXTS,
};

struct wire_who {
	uint32_t id, texts; /* texts: bits of those that there are */
	ss_plugin_bool has_source, has_fields, has_others;
};

struct wire_head {
	int32_t what; /* enum wire_question, or ss_plugin_rc */
	uint32_t n;   /* bytes that follow */
};

struct wire_extract {
	uint64_t number, index;
	uint32_t field, type, is_list, has_argument, has_key;
	uint32_t n_source, n_key; /* with their NULs */
};

/* Whole, by the time of the monotonic clock in ms; -ETIMEDOUT, -EPIPE or what else was wrong. */
int wire_send(int fd, int32_t what, const void *p, size_t n, int64_t until_ms);
/* The bytes are in the buffer, whose limit is theirs: -E2BIG. */
int wire_receive(int fd, int32_t *ret_what, struct buf *ret, int64_t until_ms);
int64_t wire_now_ms(void);

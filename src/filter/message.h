/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages: text with %field, %transformer(...) and %<width>field in it.
 */
#pragma once

#include "filter/program.h"

struct message;
struct message_fields;

/*
 * One distinct field of a message.  Read it after message_format(): for fields that count how
 * often they are read the reference's order is seen in the values.
 */
struct message_token {
	struct str text; /* "proc.aname[2]" */
	struct extractor *x;
};

/*
 * What several messages have in common: a field that one of them has read is the same extractor
 * in the next, except where it remembers.  All of them must be made in one arena.
 */
/* source: whose fields count (field/eventsource.h). */
struct message_fields *message_fields_new(unsigned source);
void message_fields_free(struct message_fields *f); /* messages stay good; NULL is fine */

/*
 * shared may be NULL: of system calls.  A leading '*' is accepted (print "<NA>" for null, which is
 * always done). -EINVAL: "unknown filter: ..." / "invalid formatting token ..." and *e; *ret_at,
 * which may be NULL, is where in the text.
 */
int message_compile(struct str text, struct message_fields *shared, struct arena *a,
		    struct message **ret, struct position *ret_at, struct err *e);
/* Append the message, its values as utf8_add_printable() makes them. */
void message_format(struct message *m, const struct field_ctx *c, struct buf *out);
/* Keep the values of all fields of the message; false when one is unknown. */
bool message_keep(const struct message *m, const struct field_ctx *c, struct kept *k);
/* Distinct fields in order of appearance, those within transformers included. */
const struct message_token *message_tokens(const struct message *m, size_t *ret_n);
/* What a message prints, each once: fields, and transformers with what they are of. */
size_t message_values(const struct message *m, struct arena *a, struct message_token **ret);

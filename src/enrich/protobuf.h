/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Protocol buffers' wire form, as far as the runtimes' messages need it: no schema, a message is
 * walked field by field.
 */
#pragma once

#include "base/buf.h"

struct proto_field {
	uint32_t number;
	bool is_bytes;	  /* text, bytes or a message, in `bytes`; else a number */
	uint64_t value;	  /* of all kinds of numbers */
	struct str bytes; /* borrowed from the message */
};

/*
 * The next field of *message, which is shortened by it.  1; 0 at the end; -EINVAL when the rest
 * makes no sense.
 */
int proto_next(struct str *message, struct proto_field *ret);

/* The last field `number` that is bytes, as the form demands; empty when there is none. */
struct str proto_bytes(struct str message, uint32_t number);
/* The last field `number` that is a number, or 0. */
uint64_t proto_number(struct str message, uint32_t number);
/* The value of a map's (repeated key = 1, value = 2) entry; false when it is not there. */
bool proto_map_find(struct str message, uint32_t number, const char *key, struct str *ret);
/* Whether the message can be walked to its end. */
bool proto_is_sound(struct str message);

void proto_add_bytes(struct buf *out, uint32_t number, struct str bytes);
void proto_add_number(struct buf *out, uint32_t number, uint64_t value);

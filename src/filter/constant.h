/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Constants of conditions: the text on the right-hand side as a value of the field's type.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/hostname.h"
#include "field/value.h"

enum { CONSTANT_MAX_TEXT = 255 };

struct constant {
	union {
		uint64_t u;
		int64_t i;
		double d;
		struct hostname *host; /* NULL: there are no names */
	};
	struct str s;	     /* text, bytes, or an address in network order */
	uint8_t prefix_bits; /* of a network */
};

/* What is used of text is copied into the arena.  -EINVAL: text is no value of type t. */
int constant_parse(struct str text, enum param_type t, struct arena *a, struct constant *ret,
		   struct err *e);
/* Pairs of hex digits as bytes: the operand of bcontains and bstartswith. */
int constant_parse_hex(struct str text, struct arena *a, struct constant *ret, struct err *e);

/* Whether an address (4 or 16 bytes) is in the network c. */
bool constant_net_has(const struct constant *c, struct str address);

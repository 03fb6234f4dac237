/* SPDX-License-Identifier: Apache-2.0 */
/* Typed values, as fields yield them. */
#pragma once

#include "base/buf.h"
#include "schema/schema.h"

/*
 * A value's type is that of the field or expression it came from.  By type:
 *   strings, paths, byte buffers   s (no NUL counted)
 *   IPADDR, IPV4ADDR, IPV6ADDR     s: 4 or 16 bytes in network order
 *   signed numbers                 i;  unsigned numbers, BOOL, PORT, times  u;  DOUBLE  d
 * Lists: items and n_items instead.
 */
struct value {
	union {
		uint64_t u;
		int64_t i;
		double d;
		struct str s;
	};
	struct value *items; /* lists only; in the scratch arena */
	uint32_t n_items;
	bool is_list;
	/* enum param_type and enum print_format, where they differ per event (evt.rawarg); else 0
	 */
	uint8_t type, format;
};

enum field_result {
	FIELD_NULL, /* no value: every comparison is false */
	FIELD_OK,
	FIELD_UNKNOWN, /* on its way: metadata that is known to be coming */
};

static inline bool type_is_string(enum param_type t)
{
	return t == PT_CHARBUF || t == PT_FSPATH || t == PT_FSRELPATH;
}

static inline bool type_is_ip(enum param_type t)
{
	return t == PT_IPADDR || t == PT_IPV4ADDR || t == PT_IPV6ADDR;
}

/* The value is a text or bytes: addresses too. */
bool type_has_text(enum param_type t);

static inline bool type_is_ipnet(enum param_type t)
{
	return t == PT_IPNET || t == PT_IPV4NET || t == PT_IPV6NET;
}

/*
 * As messages print it (lists as "(a,b)").  Bytes of strings unchanged.  The type and format of
 * the value itself go first.  A number without a format is "<NA>", and null in JSON.
 */
void value_text(const struct value *v, enum param_type t, enum print_format f, struct buf *out);
/* As a member of output_fields: numbers, strings, booleans, arrays; text UTF-8 clean. */
void value_json(const struct value *v, enum param_type t, enum print_format f, struct buf *out);

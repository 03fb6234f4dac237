/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event records of older captures become records of today: schema/convert.def carried out.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "schema/schema.h"

enum {
	CONVERT_MAX_BYTES = 64 << 10, /* of a converted record */
};

enum {
	PASS_ANY = 0xffff,
	PASS_NEVER = 0xfffe, /* more parameters than any block has room for */
};

struct converter {
	/*
	 * By type: records with 16-bit lengths and this number of parameters are today's
	 * already, so that convert() need not be asked.
	 */
	uint16_t pass[EV_COUNT];
	struct enters *enters; /* NULL until one is kept */
	uint8_t *out[2];       /* two, as a step reads what the last one wrote */
	unsigned turn;
	uint64_t n_absorbed;
};

enum converted {
	CONVERTED_DROP,	 /* taken in, or of a type without meaning: not an event */
	CONVERTED_ASIS,	 /* *rec is today's record */
	CONVERTED_OTHER, /* *rec is a new record, good until the next call */
};

void converter_init(struct converter *c);
void converter_done(struct converter *c);
/* A new section: no exit will come for the enters that wait. */
void converter_restart(struct converter *c);
uint64_t converter_evicted(const struct converter *c);

/*
 * *rec: an event record of a known type whose lengths were checked; raw: the block it is in.
 * *ret_enter: the block of the enter record that went into it, good until the next call; empty
 * if none.  enum converted, or -EINVAL and *e.
 */
int convert(struct converter *c, struct str *rec, struct str raw, struct str *ret_enter,
	    struct err *e);

/*
 * A record of version 1, whose header has no number of parameters, becomes one of version 2.
 * n: how many bytes there are, at least 22.  -EINVAL and *e if its lengths fit no number.
 */
int convert_v1(struct converter *c, const uint8_t *p, size_t n, struct str *ret, struct err *e);

/* Whether the header's, the lengths' and the parameters' sizes agree and lie within n bytes. */
int record_check(const uint8_t *rec, size_t n, struct err *e);

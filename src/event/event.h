/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events: one record checked once, then read without further checks.
 *
 * A record is the little-endian, packed form that capture files, plugins and ring buffers share:
 *   ts u64 | tid u64 | len u32 | type u16 | n_params u32 | lengths | parameters back to back
 * Lengths are u16, or u32 for types with EF_LARGE_PAYLOAD.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "schema/schema.h"

struct event {
	const uint8_t *rec; /* the record, borrowed */
	uint32_t len;	    /* of the record */
	uint16_t type;	    /* enum event_code */
	uint8_t n_params;   /* decoded: at most what the table has */
	uint16_t cpu;
	uint64_t ts;	    /* ns since the epoch; live: machine time (capture/wall.h) */
	int64_t wall_by_ns; /* as the record says; set by the state engine */
	int64_t tid;
	uint64_t num; /* 1 for the first event; set by the state engine */
	const struct event_info *info;
	uint32_t off[EVENT_MAX_PARAMS + 1]; /* of parameter i in rec; its end is off[i + 1] */
};

/*
 * Check a record of n bytes and fill *ev.
 *
 * -EINVAL: the record lies about its lengths; *e says how.  -ENOENT: a type this schema
 * does not know (a newer writer's), to be skipped.  The view borrows rec.
 */
int event_decode(const uint8_t *rec, size_t n, struct event *ev, struct err *e);

/* What clocks showed: for people, while ts is for reckoning. */
static inline uint64_t event_wall_ns(const struct event *ev)
{
	return ev->ts + (uint64_t)ev->wall_by_ns;
}

static inline bool event_has(const struct event *ev, unsigned i)
{
	return i < ev->n_params && ev->off[i + 1] > ev->off[i];
}

/* Parameter i; empty when the record does not have it. */
static inline struct str event_param(const struct event *ev, unsigned i)
{
	if (i >= ev->n_params)
		return STR_EMPTY;
	return (struct str){(const char *)ev->rec + ev->off[i], ev->off[i + 1] - ev->off[i]};
}

/* Little-endian number of 1 to 8 bytes. */
static inline uint64_t str_le(struct str s)
{
	uint64_t v = 0;

	/* Nearly all have one of two sizes, and a copy of a known size is one load. */
	if (s.n >= 8)
		memcpy(&v, s.p, 8);
	else if (s.n == 4)
		memcpy(&v, s.p, 4);
	else if (s.n)
		memcpy(&v, s.p, s.n);
	return v;
}

/* Parameter i as a number; 0 when absent. */
static inline uint64_t event_u64(const struct event *ev, unsigned i)
{
	return str_le(event_param(ev, i));
}

static inline int64_t event_i64(const struct event *ev, unsigned i)
{
	struct str s = event_param(ev, i);
	uint64_t v = str_le(s);
	unsigned shift = s.n && s.n < 8 ? 64 - 8 * (unsigned)s.n : 0;

	return (int64_t)(v << shift) >> shift;
}

/*
 * Parameter i as text (CHARBUF, FSPATH, FSRELPATH) without its NUL.  Absent, empty or the
 * literal "(NULL)" of old captures: false, and *ret is "<NA>".
 */
bool event_text(const struct event *ev, unsigned i, struct str *ret);

/* Index of the parameter called name in events of this type, or -1. */
int event_param_index(const struct event_info *info, struct str name);

/* One parameter for event_encode(). */
struct event_arg {
	const void *p;
	uint32_t n;
};

/*
 * Write a record into out and return its length; -ENOSPC when it does not fit in max,
 * -EINVAL when a parameter is longer than its length field can say.
 */
int event_encode(uint8_t *out, size_t max, uint16_t type, uint64_t ts, int64_t tid,
		 const struct event_arg *args, unsigned n_args);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where records come from: a capture file, the kernel, a test.  Four functions each.
 */
#pragma once

#include "base/err.h"
#include "capture/record.h"

struct source_stats {
	uint64_t n_events;   /* event records given */
	uint64_t n_bytes;    /* read, uncompressed */
	uint64_t n_skipped;  /* event records of unknown (newer) types */
	uint64_t n_absorbed; /* enter records that conversion took in */
	uint64_t n_evicted;  /* of all enter records kept, thrown out before their exit came */
};

struct source;

struct source_ops {
	/*
	 * 1 and the next record; 0 at the end; negative and *e on a broken input.
	 * After an error or the end only stats and close are allowed.
	 */
	int (*next)(struct source *s, struct record *ret, struct err *e);
	void (*stats)(const struct source *s, struct source_stats *ret);
	void (*close)(struct source *s);
};

struct source {
	const struct source_ops *ops;
};

static inline int source_next(struct source *s, struct record *ret, struct err *e)
{
	return s->ops->next(s, ret, e);
}

static inline void source_stats(const struct source *s, struct source_stats *ret)
{
	s->ops->stats(s, ret);
}

static inline void source_close(struct source *s)
{
	if (s)
		s->ops->close(s);
}

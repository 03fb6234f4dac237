/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many alerts told as one: of a rule with `saker.rollup` the first alert of a key goes out at once,
 * those that follow in the interval are held and counted, and at its end one summary goes out with
 * the fields of the last.  A summary begins the next interval.
 *
 * Time is that of events, so a replay gives the same each time.  The table knows rules by their
 * names and outlives them.  What there is no room for is told early, never dropped.
 */
#pragma once

#include "output/sender.h"
#include "output/alert.h"

struct rollup;

struct rollup_config {
	size_t max_keys, max_bytes;
	const struct alert_config *alerts; /* borrowed */
	/* Give out a summary, whose seq is 0; false when nobody receives alerts. */
	bool (*say)(void *arg, const struct alert *a);
	void *arg;
};

struct rollup_stats {
	uint64_t n_held;      /* alerts that are only counted in a summary */
	uint64_t n_summaries; /* given out ... */
	uint64_t n_early;     /* ... of which before their time, as there was no room */
};

struct rollup *rollup_new(const struct rollup_config *cfg);
void rollup_free(struct rollup *r); /* NULL is fine; what is held is dropped */
/* True: this alert is to go out now; else it has been counted. */
bool rollup_admit(struct rollup *r, const struct rule *rule, const struct field_ctx *c);
/* Give out the summaries that are due at this event time; false as say(). */
bool rollup_tick(struct rollup *r, uint64_t now_ns);
/* Those of what is still held. */
bool rollup_finish(struct rollup *r);
const struct rollup_stats *rollup_stats(const struct rollup *r);

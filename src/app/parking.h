/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events whose verdict, or what an alert of them says, depends on metadata of a container that
 * is still on its way.  They wait here, in order for each container, until state says that the
 * metadata has come or will not come.
 *
 * State moves on meanwhile.  So everything but container fields is read when the event is there:
 * what is left of each condition (filter/residue.h), and what alerts say (field/kept.h).
 */
#pragma once

#include "output/alert.h"

struct parking;

enum { PARKING_DELAYS = 1024 };

struct parking_stats {
	uint64_t n_parked, n_pushed_out;
	uint64_t n_ended[METADATA_NONE + 1]; /* by enum metadata_status */
	uint64_t max_ns;
	uint64_t n_by_ms[PARKING_DELAYS]; /* how long they waited; the last: that or longer */
};

/* 0: the usual ones.  With more the oldest event is decided as at the deadline. */
struct parking_config {
	uint64_t max_events, max_bytes;
	bool all_matches;	     /* every rule that matches, not just the first */
	struct parking_stats *stats; /* counted in, borrowed; NULL: its own */
	/* More to keep of the moment for when alerts are given: kept.noted.  NULL: nothing. */
	const void *(*note)(void *arg, const struct field_ctx *c, struct arena *a);
};

/* A rule matched at that moment; false when nobody can receive more. */
typedef bool (*parking_alert)(void *arg, uint32_t id, const struct field_ctx *c);

struct parking *parking_new(const struct parking_config *cfg, struct ruleset *r, struct state *s,
			    parking_alert alert, void *arg);
void parking_free(struct parking *p); /* NULL is fine; what waits is dropped */
/*
 * After program_eval() at c's moment, *ids being its result: those whose alerts can be given now.
 * The others, and those that could not be decided, wait here.
 */
size_t parking_sift(struct parking *p, const struct field_ctx *c, const uint32_t **ids, size_t n);
/* Decide what can be decided now, at event time now_ns.  False as parking_alert's. */
bool parking_settle(struct parking *p, uint64_t now_ns);
/* No more metadata will come. */
bool parking_finish(struct parking *p);
/* Whether state has news for what waits. */
bool parking_is_due(const struct parking *p);
/* Events that wait. */
size_t parking_count(const struct parking *p);
const struct parking_stats *parking_stats(const struct parking *p);
/* How long the part (0.5, 0.99 ...) of the events waited that waited shortest, in ms, rounded up.
 */
unsigned parking_delay_ms(const struct parking *p, double part);

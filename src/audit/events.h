/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Audit events that wait for the event thread: from JSON that came from outside, one event, an
 * EventList or a list of them, into events of a plugin, in order.
 *
 * Any thread puts, one takes.  What waits is limited in bytes; what finds no room is refused as a
 * whole, so that whoever sent it may send it again.
 */
#pragma once

#include "base/str.h"

#include <pthread.h>
#include <saker/plugin.h>
#include <stdatomic.h>

enum {
	AUDIT_EVENT_BYTES_USUAL = 256 << 10,
	AUDIT_BODY_BYTES_USUAL = 12 << 20,
	AUDIT_BODY_BYTES_MAX = 64 << 20,
	AUDIT_BATCH = 64, /* events that are handed over at once */
};

struct waiting {
	struct waiting *next;
	ss_plugin_event event; /* and what belongs to it behind */
};

struct audit_events {
	pthread_mutex_t lock; /* of first, last, n_bytes */
	pthread_cond_t some;
	struct waiting *first, **last;
	uint64_t n_bytes, max_bytes, event_max;
	ss_plugin_event *batch[AUDIT_BATCH]; /* taken last */
	uint32_t n_batch;
	atomic_uint_least64_t n_taken, n_broken, n_long, n_refused;
};

/* max_bytes: of what waits; event_max: of one event. */
void audit_events_init(struct audit_events *q, uint64_t max_bytes, uint64_t event_max);
void audit_events_done(struct audit_events *q);

enum audit_verdict {
	AUDIT_TAKEN,  /* what is broken in it is counted and left out */
	AUDIT_BROKEN, /* no JSON, or nothing in it is an audit event */
	AUDIT_FULL,   /* not now: nothing of it was taken */
};

enum audit_verdict audit_events_put(struct audit_events *q, struct str json);
/* The next ones, at most AUDIT_BATCH; good until the next call.  Waits no longer than that. */
uint32_t audit_events_take(struct audit_events *q, unsigned timeout_ms);

/* Nanoseconds since the epoch of a time as in audit events (RFC 3339); false: it is none. */
bool audit_time(const char *text, uint64_t *ret);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One runtime at its socket: connects, lists, subscriptions, looks containers up, and does it all
 * again when the runtime was away.  One thread.
 */
#pragma once

#include "enrich/call.h"
#include "enrich/kind.h"

enum runtime_state {
	RUNTIME_ABSENT,	 /* there is no socket */
	RUNTIME_OPENING, /* its first list is under way */
	RUNTIME_READY,
	RUNTIME_DENIED, /* its socket may not be opened */
	RUNTIME_FAILED,
};

struct runtime;

/* What a runtime tells; `facts` is borrowed. */
struct runtime_listener {
	/* It has this container: look it up unless it is known.  by_event: in any case. */
	void (*found)(void *arg, struct runtime *r, struct str id, bool by_event);
	void (*gone)(void *arg, struct runtime *r, struct str id);
	/* early: more comes. */
	void (*facts)(void *arg, struct runtime *r, const struct facts *f, bool early);
	/* A look-up ended without facts. */
	void (*missing)(void *arg, struct runtime *r, struct str id, enum call_outcome why);
	/* All that it has was told to `found` since the list began. */
	void (*listed)(void *arg, struct runtime *r);
	void *arg;
};

struct runtime_config {
	unsigned timeout_ms;	/* of each question */
	unsigned max_questions; /* look-ups at the same time */
	size_t max_queue;	/* look-ups that wait; more are refused */
	bool watch;		/* else one list is all */
	bool with_size;
};

struct runtime_stats {
	uint64_t n_lists, n_lookups, n_failed, n_refused, n_notes, n_bad_notes, n_connects;
	uint64_t n_listed; /* ids in its last list */
};

/* Everything pointed to must outlive it. */
struct runtime *runtime_new(const struct runtime_kind *kind, const char *path, struct calls *calls,
			    const struct runtime_config *cfg, const struct runtime_listener *to);
void runtime_free(struct runtime *r); /* NULL is fine */

/* Start what is due.  Returns when to come again. */
int64_t runtime_tick(struct runtime *r, int64_t now_ms);
/* Ask for one container; false when too many wait.  The answer goes to the listener. */
bool runtime_lookup(struct runtime *r, struct str id);

/* Nothing is under way and nothing waits. */
bool runtime_is_idle(const struct runtime *r);
enum runtime_state runtime_state(const struct runtime *r);
const char *runtime_why(const struct runtime *r); /* it failed; "" when it did not */
const char *runtime_path(const struct runtime *r);
/* Its socket belonged, when it was last looked at, to an ordinary user. */
bool runtime_is_of_user(const struct runtime *r);
const struct runtime_kind *runtime_kind_of(const struct runtime *r);
void runtime_get_stats(const struct runtime *r, struct runtime_stats *ret);
/* Counts lists: what a list does not name is gone when the next `listed` comes. */
uint32_t runtime_generation(const struct runtime *r);

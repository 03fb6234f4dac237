/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last records of the stream, in a ring of so many bytes, and the machine as it was before the
 * oldest of them: a state of its own, to which records are applied when they leave the ring.
 */
#pragma once

#include "state/state.h"

struct window;

struct window_config {
	size_t bytes;
	struct state_config state; /* its limits; nothing is asked or awaited */
	/* A record leaves: it has been applied.  May be NULL. */
	void (*leave)(void *arg, const struct record *r);
	void *arg;
};

struct window *window_new(const struct window_config *cfg);
void window_free(struct window *w); /* NULL is fine */
/* What is no event: it was there before all that is in the ring, or fills a gap of it. */
void window_learn(struct window *w, const struct record *r);
/* An event. */
void window_put(struct window *w, const struct record *r);
/* Each event in the ring, oldest first, until fn is negative, which is returned. */
int window_each(struct window *w, int (*fn)(void *arg, const struct record *r, struct err *e),
		void *arg, struct err *e);
/* The time of the oldest of them; 0: there is none. */
uint64_t window_begin_ns(const struct window *w);
/* Before it; borrowed. */
const struct state *window_state(const struct window *w);

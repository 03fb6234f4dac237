/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events of the running kernel on their way to state, with what state lacks for them found out
 * in time where that can be: an event that rules look at is held for a moment, as records are
 * held anyway to be put in order, while another thread reads /proc.
 *
 * An answer is used at once if nothing that is still to come has changed what it tells; else
 * when all events older than it have been applied.
 */
#pragma once

#include "capture/healer.h"
#include "capture/live.h"
#include "state/state.h"

struct healing;

struct healing_stats {
	uint64_t n_held;    /* events that waited for an answer */
	uint64_t held_ns;   /* in all */
	uint64_t n_hasty;   /* events that could not wait: there was too much of it */
	uint64_t n_expired; /* waited in vain */
	struct healer_stats asked;
};

/* patience: 1; on an emulated machine, so many times as long is waited for answers. */
int healing_open(struct live *l, unsigned patience, struct healing **ret, struct err *e);
void healing_close(struct healing *h); /* NULL is fine */
/*
 * Before a record is applied: apply what has been found out, and ask for what is lacking.  False
 * when the record should wait; then the same one is to be shown again after a short sleep.
 */
bool healing_admit(struct healing *h, struct state *s, const struct record *r);
/* Have each record of an answer given to learn, too, when state has it. */
void healing_listen(struct healing *h, void (*learn)(void *arg, const struct record *r), void *arg);
/* There is no record at the moment: apply what has been found out. */
void healing_rest(struct healing *h, struct state *s);
void healing_get_stats(const struct healing *h, struct healing_stats *ret); /* NULL: zeros */

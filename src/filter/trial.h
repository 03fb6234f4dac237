/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: programs of many random conditions (shared, specialised by event type, looked up,
 * remembered between events) against asking every comparison on its own, over made-up events.
 */
#pragma once

#include "filter/program.h"

enum { TRIAL_RECORD_MAX = 4096, N_TEXTS = 17 };

/* What values of text are. */
extern const char *const trial_texts[N_TEXTS];

/* Set random_state first: equal ones give equal trials. */
extern uint32_t random_state;
uint32_t pick(uint32_t n); /* below n */

/*
 * Called at every event, with how many conditions hold, before the next evaluation; NULL for c: the
 * program goes.
 */
extern void (*trial_also)(struct program *p, const struct field_ctx *c, size_t n_found);

/* Write one condition. */
typedef void (*add_condition_fn)(struct buf *out);

/* Checks every condition at every event; their types are some of these. */
void trial_run(size_t n_conditions, add_condition_fn add, unsigned n_events, const uint16_t *types,
	       uint32_t n_types);

/* Threads 1 to 8, the last ones of one process. */
void trial_processes(struct state *s);
int trial_add(struct program *p, struct str text, struct arena *a, struct ast **ret,
	      struct event_set *events);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is done about events that were lost, and about a silence that is too long, as
 * syscall_event_drops and syscall_event_timeouts say.
 *
 * Losses are those that the kernel's programs counted (capture/loss.h): looked at every second.
 */
#pragma once

#include "app/watch.h"
#include "capture/live.h"

struct drops {
	struct watch *watch;
	struct live *live;
	unsigned actions; /* bits, by enum in drops.c */
	double threshold, rate, max_burst, tokens;
	bool simulates;
	uint64_t due_ns, at_ns; /* machine time: of the next look, of the last */
	uint64_t events_before, lost_before;
	struct live_stats before;      /* when something had been lost last */
	uint64_t n_times, n_actions;   /* too much was lost, and something was done about it */
	uint64_t max_silent, n_silent; /* pauses without an event since the last one */
	uint64_t silent_events;	       /* how many events there were then */
};

void drops_begin(struct drops *d, struct watch *w, struct live *l);
/* At each pause; idle: there is no event at the moment.  False: this is the end, as configured. */
bool drops_look(struct drops *d, bool idle);
/* How often, as the reference says it in the end. */
void drops_tell(const struct drops *d);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wall clock, which can be set at any time, beside the machine's, which only goes on.
 *
 * All that watches the running kernel reckons in machine time: nanoseconds since the machine was
 * started, and what the wall clock showed then when the watch began.  So order, spans and ages
 * stay right whatever becomes of the wall clock.  What it was set by is added where a time is
 * shown or written.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum { WALL_STEPS_MAX = 16 };

struct wall {
	uint64_t (*read)(clockid_t clock); /* ns; CLOCK_REALTIME and CLOCK_BOOTTIME */
	uint64_t epoch_ns;		   /* what it showed at the machine's start, at first */
	int64_t now_by_ns;		   /* set by, since then */
	/* The latest times that it was set: until then it differed by so much.  Oldest first. */
	struct wall_step {
		uint64_t until_ns; /* machine time */
		int64_t by_ns;
	} steps[WALL_STEPS_MAX];
	unsigned n_steps;
};

uint64_t wall_read(clockid_t clock);
void wall_init(struct wall *w, uint64_t (*read)(clockid_t clock));
/* Machine time. */
uint64_t wall_now(const struct wall *w);
/* Find out whether the clock was set since the last look; true when it was. */
bool wall_look(struct wall *w);
/* By how much the wall clock differed from machine time then. */
int64_t wall_by(const struct wall *w, uint64_t machine_ns);

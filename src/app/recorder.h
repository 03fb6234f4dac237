/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recording on alert (`capture`): when a rule fires that wants it, a capture file begins with the
 * machine as it was, what happened in the window before (`saker.capture.window`), and then every
 * event until its time is over.  An alert meanwhile makes it longer.
 *
 * Everything here happens on the event thread, which writes nothing itself (app/diskwriter.h).
 */
#pragma once

#include "app/diskwriter.h"
#include "output/internal.h"
#include "state/state.h"

struct recorder;

struct recorder_config {
	struct state_config state; /* of the window's own state; live: nothing waits for the disk */
	/* Tell that a file has reached its longest.  False: nobody receives alerts. */
	bool (*say)(void *arg, const struct internal_alert *a);
	void *arg;
};

struct recorder_stats {
	uint64_t n_alerts;    /* that began a file or made it longer */
	uint64_t n_too_large; /* not begun, as the machine has more than may wait for the disk */
	uint64_t longest_ns;  /* the event thread spent on beginning one */
	struct diskwriter_stats disk;
};

/* Whether the configuration wants it; then these needs (app/privilege.h) come with it. */
bool recorder_is_wanted(void);
unsigned recorder_needs(void);
/* NULL in *ret where it is not wanted. */
int recorder_open(const struct recorder_config *cfg, struct recorder **ret, struct err *e);
/* The end of what is recorded; tells what went wrong.  NULL is fine.  False: a file is not whole.
 */
bool recorder_finish(struct recorder *r);
void recorder_free(struct recorder *r); /* after that; NULL is fine */

/*
 * A record on its way, when `now` (NULL: not yet) has it applied: what was there before, and each
 * event.  To be called before the rules see it; it must stay until they have.
 */
void recorder_see(struct recorder *r, const struct record *rec, const struct state *now);
/* A rule fired. */
void recorder_fire(struct recorder *r, const struct rule *rule, const struct field_ctx *c);
/* It is so late although no event says so, and what is written may wait no more. */
bool recorder_tick(struct recorder *r, uint64_t now_ns);
void recorder_get_stats(const struct recorder *r, struct recorder_stats *ret);

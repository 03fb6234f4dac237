/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One set of rules with what goes with it: the configuration that it was made with, how its alerts
 * look, and the events whose verdict by these rules is still open.
 *
 * A watch has one in force.  Another is made aside, by any one thread, and put in its place between
 * two events (watch_replace()); what the old one has still to say is said by it.
 */
#pragma once

#include "app/choice.h"
#include "app/parking.h"
#include "config/config.h"
#include "output/alert.h"

struct watch;

struct generation {
	struct watch *watch;
	struct config *config; /* its own; NULL: that of the run */
	struct ruleset *rules;
	struct alert_config alerts;
	bool all_matches;
	struct parking *parking; /* between two events only; NULL before watch_begin() */
	/* By rule: 1 more than the number that the same rule had in the set before, or 0. */
	uint32_t *before;
	bool no_fds, no_closings; /* state_config */
	struct generation *next;  /* among those that were replaced */
};

/*
 * From the settings() of this thread.  Takes over config.  What is wrong with the rules has been
 * reported; *ret is NULL then.
 */
enum exit_status generation_load(struct watch *w, struct config *config, struct generation **ret);
/* Find the rules that were there before, by name and source. */
void generation_follow(struct generation *g, const struct generation *before);
/* A rule that is the same has matched so often already. */
void generation_take_counts(struct generation *g, const struct generation *before);
void generation_free(struct generation *g); /* NULL is fine */

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate: for each type of event, what must be true for any rule to hold, as far as it can be
 * decided from the event's own record and from what is already known of its process.
 *
 * It is a necessary condition: an event that does not pass can be cut and no alert changes, but
 * for event numbers and times between events.  Whatever the gate cannot decide is true.
 */
#pragma once

#include "base/buf.h"
#include "filter/program.h"
#include "rules/ruleset.h"

/* What a test of the gate looks at. */
enum gate_input {
	GATE_RESULT,	/* what the call returned, and whether that was an error */
	GATE_FLAGS,	/* what a file is opened for */
	GATE_PATH,	/* a path that is given in full, on the very bytes that are sent */
	GATE_TEXT,	/* another parameter that is text */
	GATE_NUMBER,	/* a parameter that is a number */
	GATE_PROCESS,	/* what is known of the process: a verdict that is kept with it */
	GATE_CONTAINER, /* the same, and of its container */
	GATE_LINEAGE,	/* the same, and of its ancestors */
	GATE_INPUTS,
};

/* "result", "path" ... */
extern const char *const gate_input_words[GATE_INPUTS];

struct gate;

/*
 * The program is borrowed; gates of event types are made when they are first asked for.
 * rules: whose conditions they are, for people; NULL: they have numbers.
 */
struct gate *gate_new(struct program *p, const struct rule *rules);
void gate_free(struct gate *g);

/*
 * Whether the event may make any rule true; false: none can be.  After state_apply() of the event
 * and before, or without, program_eval() of it.
 */
bool gate_passes(struct gate *g, const struct field_ctx *c);

/* What came of gate_passes() so far: by test's input, and of events by the first rule they pass. */
struct gate_stats {
	uint64_t n_passed, n_cut;
	/* How often a test of that input was true, or could not be decided; and false. */
	uint64_t n_true[GATE_INPUTS], n_false[GATE_INPUTS];
};

void gate_get_stats(const struct gate *g, struct gate_stats *ret);

/* ---- For people ---- */

/* The gates of all event types that any rule is about: conditions, and who forces what open. */
void gate_print(struct gate *g, struct buf *out);
/* By event type: how many passed and were cut, and by which rules they passed. */
void gate_print_stats(struct gate *g, struct buf *out);

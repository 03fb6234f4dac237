/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `saker doctor --exercise`: a `saker run` with the rules at hand watches while harmless things
 * are done (app/act.h), and what it says of them is judged.
 *
 *   exercise.c   watching, doing, and cleaning up
 *   verdict.c    which alerts came of which act, and what they lack; no I/O
 *   sandbox.c    a container for acts that take one
 */
#pragma once

#include "app/act.h"
#include "app/command.h"
#include "app/runtimes.h"
#include "rules/ruleset.h"

enum outcome_kind {
	OUTCOME_FIRED,	 /* a rule that is for it spoke, and lacks nothing */
	OUTCOME_NO_RULE, /* none of the rules is for it */
	OUTCOME_SKIPPED, /* it cannot be done here */
	OUTCOME_PARTLY,	 /* an alert, but something that should be in it is not */
	OUTCOME_MISSED,	 /* no alert */
	OUTCOME_KINDS,
};

struct outcome {
	const struct act *act;
	enum outcome_kind kind;
	bool was_done, was_seen, has_fired; /* seen: an event came; fired: a rule that is for it */
	const struct rule *rule;	    /* the first of the rules that are for it; NULL */
	struct buf alerts;		    /* names of the rules that spoke, separated by "; " */
	struct buf lacks;		    /* fields, separated by ", " */
	struct buf why;			    /* of all but the first kind */
};

struct exercise_options {
	const struct option_texts *rules, *sockets;
	const struct kube_options *kube;
	const char *image; /* NULL: no container */
	bool json;
};

struct exercise {
	const struct exercise_options *o;
	const struct ruleset *rules;
	char mark[MARK_MAX / 2], name[MARK_MAX]; /* name: of the container */
	struct outcome *outcomes;		 /* of acts */
	char container_id[256];			 /* as alerts have it; "" */
	struct buf alerts;			 /* lines that may matter */
};

enum exit_status exercise(const struct exercise_options *o, const struct ruleset *rules);

/* ---- verdict.c ---- */

/* The rule of our own: it speaks of every program that is started with the mark. */
#define EXERCISE_RULE "Saker Doctor Exercise"
void exercise_add_rule(const char *mark, struct buf *out);
/* Keep an alert, a line of JSON, if it may be of something that was done. */
void exercise_take(struct exercise *x, struct str line);
/* Once all have come: fill in what they make of each outcome. */
void exercise_judge(struct exercise *x);
/* For people, and as JSON; false when a rule did not do as it should. */
bool exercise_text(const struct exercise *x, struct buf *out);
bool exercise_json(const struct exercise *x, struct buf *out);
void exercise_init(struct exercise *x, const struct exercise_options *o, const struct ruleset *r);
void exercise_done(struct exercise *x);

/* ---- sandbox.c ---- */

/* Do all acts that take a container, in one that is removed; fills in was_done and why. */
void sandbox_run(struct exercise *x);

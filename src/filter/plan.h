/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans: how all conditions are evaluated for events of one type.
 *
 * What many conditions have in common is asked once and rejects them together.  What differs
 * only in the constants that one operand is compared with is one look-up (lookup.h): it names
 * the conditions that can still be true.  So the cost follows the conditions that come near,
 * not those that are loaded.
 *
 * A plan is code: each step names where to go on when it is true and when it is false.
 */
#pragma once

#include "filter/estimate.h"
#include "filter/lookup.h"

enum code_kind {
	CODE_YES, /* the end: the node asked for is true */
	CODE_NO,
	CODE_LEAF,   /* one value against constants; arg: the slot */
	CODE_OTHER,  /* any other leaf: lists, candidates, another field on the right */
	CODE_NODE,   /* a node whose result is kept; arg: where its own code starts */
	CODE_FOUND,  /* conditions ids[node] to ids[node + arg - 1] are true; go on at yes */
	CODE_LOOKUP, /* lookups[node] to lookups[node + arg - 1]; go on at yes */
};

struct code {
	const struct leaf *leaf;
	uint32_t kind; /* enum code_kind */
	uint32_t node, arg;
	uint32_t yes, no;
};

struct plan {
	struct arena arena;
	struct code *code;
	struct lookup *lookups; /* names are places in the code */
	uint32_t *ids;		/* of conditions */
	uint32_t *ordered;	/* conditions to be asked as written: they read volatile fields */
	uint32_t start;
	size_t n_code, cap_code, n_lookups, cap_lookups, n_ids, cap_ids, n_ordered, cap_ordered;
	/* While the plan is on trial: by code, what came of it. */
	struct tally *tallies;
	uint32_t n_events;
	uint64_t n_runs;       /* events, also of the plans that this one has replaced */
	uint32_t next_sampled; /* of ids: whose time is taken next (cost.c) */
	bool use_memo;
};

/* Events after which a plan is made anew from what was counted. */
enum { PLAN_TRIAL_EVENTS = 256 };

/* One condition, specialised: ref is what is left of it. */
struct plan_condition {
	uint32_t id, ref;
	bool is_ordered;
};

/*
 * list is scratch and gets overwritten.  use_memo: whether results for the process are worth
 * keeping.  before: the plan on trial that this one replaces, or NULL.
 */
struct plan *plan_new(struct graph *g, const struct event_info *info, struct plan_condition *list,
		      size_t n, bool use_memo, const struct plan *before);
void plan_free(struct plan *p);

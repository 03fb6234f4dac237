/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions, checked and compiled: many conditions are one program.
 *
 * Equal sub-expressions are one node; per event type the program is specialised; a node's
 * result is kept for one generation of its scope; results are true, false or unknown.
 */
#pragma once

#include "field/field.h"
#include "filter/ast.h"

struct program;

/* Bit sets of what can satisfy a condition: event codes, and generic calls by portable code. */
struct event_set {
	uint64_t events[(EV_COUNT + 63) / 64];
	uint64_t syscalls[(SC_COUNT + 63) / 64];
};

/* Warnings of one condition: texts with positions.  More than WARNINGS_MAX are only counted. */
struct warning {
	struct position at;
	struct str text;
	bool deprecated; /* a deprecated field: LOAD_DEPRECATED_ITEM instead of
			    LOAD_COMPILE_CONDITION */
};

struct warnings {
	struct arena *arena;
	struct warning *list;
	size_t n, cap, n_more;
};

enum { WARNINGS_MAX = 1000 };

struct program *program_new(void);
void program_free(struct program *p);

/*
 * Add one condition, of events of ast_source(t).  Its number (0, 1, ...) is the return value;
 * negative and *e, *ret_at on an error.  events and w may be NULL.  The tree may be dropped
 * afterwards.
 */
int program_add(struct program *p, const struct ast *t, struct event_set *events,
		struct warnings *w, struct position *ret_at, struct err *e);
/* No more conditions; builds the per-type programs for those that enabled() names. */
void program_seal(struct program *p);

/* Events that any condition could match: one outside need not be evaluated (state_want()). */
const struct event_set *program_wants(const struct program *p);
/* The same of events whose descriptor is a TCP socket. */
const struct event_set *program_wants_on_tcp(const struct program *p);

/* Whether any condition reads a field of which is() says so, given its name. */
bool program_reads(const struct program *p, bool (*is)(struct str field));

/*
 * Which conditions hold at this moment, in ascending order of number.  first: stop at the
 * first.  *ret is borrowed until the next call.  Returns how many.
 */
size_t program_eval(struct program *p, const struct field_ctx *c, bool first, const uint32_t **ret);
/*
 * What a condition has cost so far.  Most of what many have in common is asked once, so its time is
 * a sample of what it would take alone: now and then, of a few conditions.  Conditions that read
 * what remembers (SCOPE_VOLATILE) are not sampled.
 */
struct condition_cost {
	uint64_t n_evaluations; /* events that could have satisfied it */
	uint64_t n_sampled, sampled_ns;
};

/* Of each condition, by number. */
void program_costs(const struct program *p, struct condition_cost *ret);

/*
 * Those that program_eval() could not decide, for some field's value is on its way; in ascending
 * order, borrowed until the next program_eval().
 */
size_t program_undecided(const struct program *p, const uint32_t **ret);

/* One condition's outcome, for `explain`: a part of it that decided, or one that could have. */
struct explain_step {
	enum {
		STEP_PART,
		STEP_NONE_OF,
		STEP_MORE
	} kind;		       /* MORE: text says how many are left out */
	const char *text;      /* "fd.name startswith /etc", "proc.name = sh and fd.num = 0" */
	const char *macro;     /* the macro it came from, or NULL */
	const char *exception; /* the exception it came from, or NULL */
	enum { STEP_FALSE, STEP_TRUE, STEP_UNKNOWN } result; /* of the text itself ... */
	bool negated;	  /* ... which stands under a not: when it is true, the rule is not */
	bool has_value;	  /* it is a single comparison */
	struct str value; /* what the left side was, as text; p NULL: there was nothing */
	unsigned depth;	  /* parts of the step before with a smaller one */
	uint32_t part;	  /* where in the program it stands: equal for equal parts */
};

/* Long lists and long conditions are cut, "(ash, bash, ...)", or shown in full. */
enum explain_length { EXPLAIN_BRIEF, EXPLAIN_WHOLE };

/*
 * Evaluate condition number id on its own.  true, or false and the part that decided in *ret
 * (in arena a): the first that failed, and where all of an OR's did the one that got furthest.
 * ret_n_leaves: how many leaves were evaluated before it (how far it got).
 */
bool program_explain(struct program *p, const struct field_ctx *c, uint32_t id,
		     enum explain_length length, struct arena *a, struct explain_step *ret,
		     unsigned *ret_n_leaves);
/*
 * The same condition at the same moment, after program_explain() gave false: everything that
 * failed, each branch of an OR too, in arena a.  Returns how many.
 */
size_t program_explain_all(struct program *p, uint32_t id, enum explain_length length,
			   struct arena *a, const struct explain_step **ret);

/*
 * An operand that can be evaluated on its own: for messages.
 */
struct extractor;
int extractor_compile(const struct operand *o, struct arena *a, struct extractor **ret,
		      struct err *e);
/* The field that it is; NULL: it is more than that. */
struct field *extractor_field(const struct extractor *x);
enum param_type extractor_type(const struct extractor *x);
enum print_format extractor_format(const struct extractor *x);
uint32_t extractor_flags(const struct extractor *x); /* of the field at its bottom */
enum field_result extractor_get(struct extractor *x, const struct field_ctx *c, struct value *ret);

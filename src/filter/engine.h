/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of a program: shared by program.c (building), eval.c and explain.c.
 */
#pragma once

#include "field/eventsource.h"
#include "filter/events.h"
#include "filter/memo.h"
#include "filter/plan.h"
#include "filter/textmap.h"

/* A condition as written, in prefix order: what explain walks, and what volatile ones run. */
enum step_kind { STEP_AND, STEP_OR, STEP_NOT, STEP_LEAF };

struct step {
	uint32_t span;		   /* steps from here on that belong to it, itself included */
	uint32_t ref;		   /* STEP_LEAF: its edge */
	uint32_t macro, exception; /* index in labels plus one, 0: none */
	uint32_t kind;		   /* enum step_kind */
};

struct condition {
	uint32_t root;
	uint32_t first_step;
	bool is_ordered; /* reads volatile fields: evaluated as written */
	uint8_t source;	 /* field/eventsource.h */
	struct event_set events;
};

struct slot_value {
	uint32_t stamp;
	uint8_t result; /* enum field_result */
	struct value value;
};

struct cost_sample {
	uint64_t n, ns;
};

struct program {
	struct arena arena;
	struct graph graph;
	struct event_names *names;
	struct condition *conditions;
	struct step *steps;
	struct str *labels; /* names of macros and exceptions */
	size_t n_conditions, cap_conditions, n_steps, cap_steps, n_labels, cap_labels;
	/* While conditions are added: text of a leaf to its edge, of an operand to its slot. */
	struct text_map *known_leaves, *known_operands;
	struct buf key;
	uint32_t *refs; /* stack of edges under construction */
	size_t n_refs, cap_refs;

	struct event_set wants, wants_on_tcp;
	struct plan *plans[EV_COUNT];
	/* Enter and exit; the last one is for calls without a known code. */
	struct plan *generic[2][SC_COUNT + 1];
	/* Of plugins' events and async events, by source; system calls' are above. */
	struct plan *plugin[2][SOURCES_MAX];

	/* Evaluation. */
	const struct field_ctx *ctx;
	uint32_t stamp;	   /* of the event at hand; 30 bits, never 0 */
	uint32_t *results; /* by node: stamp << 2 | truth */
	struct slot_value *values;
	uint32_t *found_at; /* by condition: stamp of the event that last found it */
	size_t n_results, n_values;
	struct memo memo;
	struct memo_entry *entry;
	bool has_entered;	     /* entry is this event's */
	bool has_unknown;	     /* some field's value is on its way */
	struct cost_sample *samples; /* by condition */
	uint32_t *found, *undecided; /* conditions */
	size_t n_found, n_undecided;
};

/* Whether events of that type could satisfy the condition; syscall: of generic ones, or SC_COUNT.
 */
bool condition_can_match(const struct condition *c, unsigned source, unsigned type,
			 unsigned syscall);
/* After these a process is another one, so what is found is of no later use. */
bool program_changes_process(unsigned type);

/* Make ready for an event: nothing is known yet. */
void eval_begin(struct program *p, const struct field_ctx *c);
enum truth eval_ref(struct program *p, uint32_t ref);
enum truth eval_leaf(struct program *p, uint32_t node);
/* The condition as written, leaves through eval_ref(). */
enum truth eval_steps(struct program *p, const struct step *s);
/* What condition id came to. */
void eval_found(struct program *p, uint32_t id, enum truth v);

/* What plan says of this event, in p->found. */
void run_plan(struct program *p, struct plan *plan, const struct field_ctx *c);

/* Before an event is evaluated: take the time of some conditions if it is their turn. */
void cost_look(struct program *p, struct plan *plan, const struct field_ctx *c);

void eval_extract(struct program *p, uint32_t slot);
struct memo_entry *eval_enter(struct program *p);

/* An operand's value at this event, extracted once. */
static inline const struct slot_value *eval_slot(struct program *p, uint32_t slot)
{
	if (p->values[slot].stamp != p->stamp)
		eval_extract(p, slot);
	return &p->values[slot];
}

/* The memo of the event's process, or NULL. */
static inline struct memo_entry *eval_memo(struct program *p)
{
	return p->has_entered ? p->entry : eval_enter(p);
}

static inline bool eval_known(const struct program *p, uint32_t node, enum truth *ret)
{
	*ret = (enum truth)(p->results[node] & 3);
	return p->results[node] >> 2 == p->stamp;
}

static inline void eval_keep(struct program *p, uint32_t node, enum truth v)
{
	p->results[node] = p->stamp << 2 | v;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Running a plan over one event.  Whatever turns out unknown is left to eval.c. */
#include "filter/engine.h"

#include <stdlib.h>

static bool run(struct program *p, const struct plan *plan, uint32_t at);

static bool leaf_now(struct program *p, const struct code *c)
{
	const struct slot_value *v = eval_slot(p, c->arg);

	if (__builtin_expect(v->result != FIELD_OK, 0)) {
		p->has_unknown |= v->result == FIELD_UNKNOWN;
		return false;
	}
	return c->leaf->match(c->leaf, &v->value);
}

static bool other_now(struct program *p, const struct code *c)
{
	enum truth v = eval_leaf(p, c->node);

	p->has_unknown |= v == TRUTH_UNKNOWN;
	return v == TRUTH_TRUE;
}

static bool node_now(struct program *p, const struct plan *plan, const struct code *c)
{
	int32_t bit = p->graph.nodes[c->node].bit;
	struct memo_entry *entry = NULL;
	enum truth v;

	if (eval_known(p, c->node, &v))
		return v == TRUTH_TRUE;
	if (plan->use_memo && bit >= 0) {
		entry = eval_memo(p);
		if (entry && memo_get(entry, bit, &v)) {
			eval_keep(p, c->node, v);
			return v == TRUTH_TRUE;
		}
	}
	v = run(p, plan, c->arg) ? TRUTH_TRUE : TRUTH_FALSE;
	if (p->has_unknown)
		return v == TRUTH_TRUE;
	if (entry)
		memo_set(entry, bit, v);
	eval_keep(p, c->node, v);
	return v == TRUTH_TRUE;
}

struct hit {
	struct program *program;
	const struct plan *plan;
};

static void hit_now(void *arg, uint32_t at)
{
	const struct hit *h = arg;

	run(h->program, h->plan, at);
}

/* Not in run(), which would save registers for it at each of its many calls. */
static __attribute__((noinline)) void lookups_now(struct program *p, const struct plan *plan,
						  const struct code *c)
{
	struct hit h = {p, plan};

	for (uint32_t i = 0; i < c->arg; i++) {
		const struct lookup *lk = &plan->lookups[c->node + i];
		const struct slot_value *v = eval_slot(p, lk->slot);

		p->has_unknown |= v->result == FIELD_UNKNOWN;
		if (v->result != FIELD_OK)
			continue;
		if (!v->value.is_list)
			lookup_each(lk, &v->value, hit_now, &h);
		for (uint32_t k = 0; v->value.is_list && k < v->value.n_items; k++)
			lookup_each(lk, &v->value.items[k], hit_now, &h);
	}
}

static void found_now(struct program *p, const struct plan *plan, const struct code *c)
{
	for (uint32_t i = 0; i < c->arg; i++)
		eval_found(p, plan->ids[c->node + i], TRUTH_TRUE);
}

/* From at to the end; what the end says. */
static bool run(struct program *p, const struct plan *plan, uint32_t at)
{
	for (;;) {
		const struct code *c = &plan->code[at];
		bool yes = true;

		switch ((enum code_kind)c->kind) {
		case CODE_YES:
			return true;
		case CODE_NO:
			return false;
		case CODE_LEAF:
			yes = leaf_now(p, c);
			break;
		case CODE_OTHER:
			yes = other_now(p, c);
			break;
		case CODE_NODE:
			yes = node_now(p, plan, c);
			break;
		case CODE_FOUND:
			found_now(p, plan, c);
			break;
		case CODE_LOOKUP:
			lookups_now(p, plan, c);
			break;
		}
		if (__builtin_expect(plan->tallies != NULL, 0)) {
			plan->tallies[at].n++;
			plan->tallies[at].n_true += yes;
		}
		at = yes ? c->yes : c->no;
	}
}

/* Some field was unknown: every condition again, so that unknown is told from false. */
static void run_exactly(struct program *p, const struct plan *plan)
{
	eval_begin(p, p->ctx);
	for (size_t i = 0; i < plan->n_ids; i++) {
		uint32_t id = plan->ids[i];

		eval_found(p, id, eval_ref(p, p->conditions[id].root));
	}
}

void run_plan(struct program *p, struct plan *plan, const struct field_ctx *c)
{
	eval_begin(p, c);
	plan->n_events++;
	run(p, plan, plan->start);
	if (__builtin_expect(p->has_unknown, 0))
		run_exactly(p, plan);
	for (size_t i = 0; i < plan->n_ordered; i++) {
		uint32_t id = plan->ordered[i];

		eval_found(p, id, eval_steps(p, &p->steps[p->conditions[id].first_step]));
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluation: plans over one event. */
#include "filter/engine.h"

#include "base/alloc.h"

#include <stdlib.h>

enum { STAMP_MAX = (1 << 30) - 1 };

static void results_fit(struct program *p)
{
	if (p->n_results < p->graph.n_nodes) {
		p->results = xreallocarray(p->results, p->graph.n_nodes, sizeof(*p->results));
		memset(p->results + p->n_results, 0,
		       (p->graph.n_nodes - p->n_results) * sizeof(*p->results));
		p->n_results = p->graph.n_nodes;
	}
	if (p->n_values < p->graph.n_slots) {
		p->values = xreallocarray(p->values, p->graph.n_slots, sizeof(*p->values));
		memset(p->values + p->n_values, 0,
		       (p->graph.n_slots - p->n_values) * sizeof(*p->values));
		p->n_values = p->graph.n_slots;
	}
}

static void stamps_restart(struct program *p)
{
	memset(p->results, 0, p->n_results * sizeof(*p->results));
	memset(p->values, 0, p->n_values * sizeof(*p->values));
	memset(p->found_at, 0, p->n_conditions * sizeof(*p->found_at));
	p->stamp = 0;
}

void eval_begin(struct program *p, const struct field_ctx *c)
{
	results_fit(p);
	if (p->stamp == STAMP_MAX)
		stamps_restart(p);
	p->stamp++;
	p->results[0] = p->stamp << 2 | TRUTH_TRUE;
	p->ctx = c;
	p->has_entered = false;
	p->n_found = 0;
}

const struct slot_value *eval_slot(struct program *p, uint32_t slot)
{
	struct slot_value *v = &p->values[slot];

	if (v->stamp != p->stamp) {
		v->stamp = p->stamp;
		v->value = (struct value){.s = STR_EMPTY};
		v->result = (uint8_t)extractor_get(p->graph.slots[slot].x, p->ctx, &v->value);
	}
	return v;
}

static enum truth eval_leaf(struct program *p, const struct node *n)
{
	const struct graph_leaf *gl = &p->graph.leaves[n->first];
	const struct slot_value *left, *right;

	left = eval_slot(p, gl->left);
	if (left->result == FIELD_NULL)
		return TRUTH_FALSE;
	if (!gl->leaf->right)
		return leaf_test(gl->leaf, (enum field_result)left->result, &left->value, FIELD_OK,
				 NULL);
	right = eval_slot(p, gl->right);
	return leaf_test(gl->leaf, (enum field_result)left->result, &left->value,
			 (enum field_result)right->result, &right->value);
}

static enum truth eval_and(struct program *p, const struct node *n)
{
	const uint32_t *edges = node_edges(&p->graph, n);
	enum truth v = TRUTH_TRUE;

	for (uint32_t i = 0; i < n->n; i++) {
		enum truth part = eval_ref(p, edges[i]);

		if (part < v)
			v = part;
		if (v == TRUTH_FALSE)
			break;
	}
	return v;
}

static enum truth eval_node(struct program *p, uint32_t i)
{
	const struct node *n = &p->graph.nodes[i];
	struct memo_entry *entry = NULL;
	enum truth v;

	if (n->bit >= 0) {
		if (!p->has_entered) {
			p->entry = memo_enter(&p->memo, p->ctx);
			p->has_entered = true;
		}
		entry = p->entry;
		if (entry && memo_get(entry, n->bit, &v)) {
			p->results[i] = p->stamp << 2 | v;
			return v;
		}
	}
	v = n->n ? eval_and(p, n) : eval_leaf(p, n);
	if (entry && v != TRUTH_UNKNOWN)
		memo_set(entry, n->bit, v);
	p->results[i] = p->stamp << 2 | v;
	return v;
}

enum truth eval_ref(struct program *p, uint32_t ref)
{
	uint32_t known = p->results[ref_node(ref)];
	enum truth v =
		known >> 2 == p->stamp ? (enum truth)(known & 3) : eval_node(p, ref_node(ref));

	return ref & 1 ? (enum truth)(TRUTH_TRUE - v) : v;
}

enum truth eval_steps(struct program *p, const struct step *s)
{
	const struct step *end = s + s->span;
	bool is_and = s->kind == STEP_AND;
	enum truth v = is_and ? TRUTH_TRUE : TRUTH_FALSE;

	if (s->kind == STEP_LEAF)
		return eval_ref(p, s->ref);
	if (s->kind == STEP_NOT)
		return (enum truth)(TRUTH_TRUE - eval_steps(p, s + 1));
	for (const struct step *part = s + 1; part < end; part += part->span) {
		enum truth one = eval_steps(p, part);

		if (is_and ? one < v : one > v)
			v = one;
		if (v == (is_and ? TRUTH_FALSE : TRUTH_TRUE))
			break;
	}
	return v;
}

static void find(struct program *p, uint32_t id)
{
	if (p->found_at[id] == p->stamp)
		return;
	p->found_at[id] = p->stamp;
	p->found[p->n_found++] = id;
}

static void run_test(struct program *p, const struct plan *plan, const struct plan_item *item)
{
	if (eval_ref(p, item->ref) != TRUTH_TRUE)
		return;
	for (uint32_t i = 0; i < item->n; i++)
		find(p, plan->ids[item->first + i]);
}

static void run_hits(struct program *p, const struct plan *plan, const struct plan_index *ix,
		     const uint32_t *start)
{
	for (uint32_t i = start[0]; i < start[1]; i++)
		run_test(p, plan, &plan->items[ix->hits[i]]);
}

static void look_up(struct program *p, const struct plan *plan, const struct plan_index *ix,
		    const struct value *v)
{
	struct str text = ix->is_number ? (struct str){(const char *)&v->u, sizeof(v->u)} : v->s;
	int32_t at;

	if (ix->exact.n && set_has(&ix->exact, text)) {
		at = set_find(&ix->exact, text);
		run_hits(p, plan, ix, &ix->exact_start[at]);
	}
	for (at = ix->prefixes.n ? prefixes_find(&ix->prefixes, text) : -1; at >= 0;
	     at = ix->prefixes.parent[at])
		run_hits(p, plan, ix, &ix->prefix_start[at]);
}

/* false: the value is not known, so nothing is ruled out. */
static bool run_index(struct program *p, const struct plan *plan, const struct plan_index *ix)
{
	const struct slot_value *v = eval_slot(p, ix->slot);

	if (v->result == FIELD_UNKNOWN)
		return false;
	if (v->result == FIELD_NULL)
		return true;
	if (!v->value.is_list) {
		look_up(p, plan, ix, &v->value);
		return true;
	}
	for (uint32_t i = 0; i < v->value.n_items; i++)
		look_up(p, plan, ix, &v->value.items[i]);
	return true;
}

static void run(struct program *p, const struct plan *plan, uint32_t at, uint32_t end);

static void run_indexes(struct program *p, const struct plan *plan, uint32_t at)
{
	const struct plan_item *item = &plan->items[at];

	for (uint32_t i = 0; i < item->n; i++) {
		if (run_index(p, plan, &plan->indexes[item->first + i]))
			continue;
		run(p, plan, at + 1, item->end);
		return;
	}
}

static void run(struct program *p, const struct plan *plan, uint32_t at, uint32_t end)
{
	while (at < end) {
		const struct plan_item *item = &plan->items[at];

		switch ((enum plan_kind)item->kind) {
		case PLAN_GUARD:
			at = eval_ref(p, item->ref) == TRUTH_TRUE ? at + 1 : item->end;
			break;
		case PLAN_TEST:
			run_test(p, plan, item);
			at++;
			break;
		case PLAN_INDEX:
			run_indexes(p, plan, at);
			at = item->end;
			break;
		case PLAN_ORDERED:
			if (eval_steps(p, &p->steps[p->conditions[item->first].first_step]) ==
			    TRUTH_TRUE)
				find(p, item->first);
			at++;
			break;
		}
	}
}

void eval_plan(struct program *p, const struct plan *plan)
{
	run(p, plan, 0, (uint32_t)plan->n_items);
}

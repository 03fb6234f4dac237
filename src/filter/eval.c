/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evaluation with three values, node by node, and what is known of the event at hand.
 *
 * Plans (run.c) do the same faster as long as nothing is unknown.
 */
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
	p->has_unknown = false;
	p->n_found = p->n_undecided = 0;
}

void eval_extract(struct program *p, uint32_t slot)
{
	struct slot_value *v = &p->values[slot];
	struct extractor *x = p->graph.slots[slot].x;

	v->stamp = p->stamp;
	v->value = (struct value){.s = STR_EMPTY};
	if (x->kind == EXTRACT_FIELD)
		v->result = (uint8_t)field_get(x->field, p->ctx, &v->value);
	else
		v->result = (uint8_t)extractor_get(x, p->ctx, &v->value);
}

enum truth eval_leaf(struct program *p, uint32_t node)
{
	const struct graph_leaf *gl = &p->graph.leaves[p->graph.nodes[node].first];
	const struct slot_value *left = eval_slot(p, gl->left), *right = left;

	if (left->result == FIELD_NULL)
		return TRUTH_FALSE;
	if (gl->leaf->right)
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

struct memo_entry *eval_enter(struct program *p)
{
	p->entry = memo_enter(&p->memo, p->ctx);
	p->has_entered = true;
	return p->entry;
}

enum truth eval_ref(struct program *p, uint32_t ref)
{
	uint32_t node = ref_node(ref);
	const struct node *n = &p->graph.nodes[node];
	enum truth v;

	if (!eval_known(p, node, &v)) {
		v = n->n ? eval_and(p, n) : eval_leaf(p, node);
		eval_keep(p, node, v);
	}
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

void eval_found(struct program *p, uint32_t id, enum truth v)
{
	if (v == TRUTH_FALSE || p->found_at[id] == p->stamp)
		return;
	p->found_at[id] = p->stamp;
	if (v == TRUTH_TRUE)
		p->found[p->n_found++] = id;
	else
		p->undecided[p->n_undecided++] = id;
}

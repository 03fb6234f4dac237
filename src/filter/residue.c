/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left of a condition that could not be decided: which of its parts are known, and the
 * fields that its unknown parts read.
 *
 * A part that is unknown has had all its own parts looked at, for only one that decides ends the
 * looking.  So nothing that was not read at the time is ever needed later.
 */
#include "filter/engine.h"
#include "filter/residue.h"

#include "base/alloc.h"
#include "field/kept.h"

#include <stdlib.h>

struct residue_builder {
	struct program *program;
	struct kept *kept;
	uint32_t *known; /* node << 2 | truth */
	size_t n, cap;
};

bool extractor_keep(const struct extractor *x, const struct field_ctx *c, struct kept *k)
{
	bool all = true;

	if (x->kind == EXTRACT_FIELD)
		return kept_add(k, x->field, c);
	for (uint32_t i = 0; i < x->n_args; i++)
		all = extractor_keep(x->args[i], c, k) && all;
	return all;
}

static void keep_leaf(struct residue_builder *b, const struct graph_leaf *gl)
{
	const struct graph *g = &b->program->graph;

	extractor_keep(g->slots[gl->left].x, b->program->ctx, b->kept);
	if (gl->leaf->right)
		extractor_keep(g->slots[gl->right].x, b->program->ctx, b->kept);
}

static void keep_node(struct residue_builder *b, uint32_t node)
{
	struct program *p = b->program;
	const struct node *n = &p->graph.nodes[node];
	enum truth v;

	if (!eval_known(p, node, &v))
		return;
	if (v != TRUTH_UNKNOWN) {
		b->known = xgrow(b->known, &b->cap, b->n + 1, sizeof(*b->known));
		b->known[b->n++] = node << 2 | v;
	} else if (n->n) {
		for (uint32_t i = 0; i < n->n; i++)
			keep_node(b, ref_node(node_edges(&p->graph, n)[i]));
	} else {
		keep_leaf(b, &p->graph.leaves[n->first]);
	}
}

void residue_take(struct program *p, uint32_t id, struct kept *k, struct residue *ret)
{
	struct residue_builder b = {.program = p, .kept = k};
	const struct condition *c = &p->conditions[id];
	const struct step *s = &p->steps[c->first_step];

	if (!c->is_ordered)
		keep_node(&b, ref_node(c->root));
	for (uint32_t i = 0; c->is_ordered && i < s->span; i++) {
		if (s[i].kind == STEP_LEAF)
			keep_node(&b, ref_node(s[i].ref));
	}
	*ret = (struct residue){.id = id, .n = b.n};
	ret->known = arena_alloc(&k->arena, b.n * sizeof(*ret->known));
	if (b.n)
		memcpy(ret->known, b.known, b.n * sizeof(*ret->known));
	free(b.known);
}

enum truth residue_eval(struct program *p, const struct residue *r, const struct field_ctx *c)
{
	const struct condition *cond = &p->conditions[r->id];

	eval_begin(p, c);
	for (size_t i = 0; i < r->n; i++)
		eval_keep(p, r->known[i] >> 2, (enum truth)(r->known[i] & 3));
	if (cond->is_ordered)
		return eval_steps(p, &p->steps[cond->first_step]);
	return eval_ref(p, cond->root);
}

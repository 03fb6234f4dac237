/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/codegen.h"

#include "base/alloc.h"

#include <stdlib.h>

enum { MEMO_MIN_COST = 3 }; /* cheaper leaves are asked again rather than looked up */

uint32_t codegen_emit(struct codegen *cg, struct code c)
{
	struct plan *p = cg->plan;

	p->code = xgrow(p->code, &p->cap_code, p->n_code + 1, sizeof(*p->code));
	p->code[p->n_code] = c;
	return (uint32_t)p->n_code++;
}

void codegen_init(struct codegen *cg, struct plan *p, struct estimator *est, bool use_memo)
{
	size_t n = est->graph->n_nodes;

	*cg = (struct codegen){.plan = p, .est = est, .n_nodes = n, .use_memo = use_memo};
	cg->uses = xcalloc(n, sizeof(*cg->uses));
	cg->block = xcalloc(n, sizeof(*cg->block));
	codegen_emit(cg, (struct code){.kind = CODE_YES});
	codegen_emit(cg, (struct code){.kind = CODE_NO});
}

void codegen_done(struct codegen *cg)
{
	free(cg->uses);
	free(cg->block);
}

void codegen_use(struct codegen *cg, uint32_t ref)
{
	const struct graph *g = cg->est->graph;
	const struct node *n = &g->nodes[ref_node(ref)];

	if (cg->uses[ref_node(ref)]++)
		return;
	for (uint32_t i = 0; i < n->n; i++)
		codegen_use(cg, node_edges(g, n)[i]);
}

static uint32_t leaf_code(struct codegen *cg, uint32_t node, uint32_t yes, uint32_t no)
{
	const struct graph *g = cg->est->graph;
	const struct graph_leaf *gl = &g->leaves[g->nodes[node].first];
	const struct leaf *l = gl->leaf;
	bool plain = !l->right && !l->is_list && !(l->left->flags & (FF_ANY | FF_LIST));
	struct code c = {l, plain ? CODE_LEAF : CODE_OTHER, node, gl->left, yes, no};

	return codegen_emit(cg, c);
}

/* Parts in the order of the least cost, the last one first. */
static uint32_t and_code(struct codegen *cg, uint32_t node, uint32_t yes, uint32_t no)
{
	const struct graph *g = cg->est->graph;
	const struct node *n = &g->nodes[node];
	uint32_t small[64], *refs = n->n > 64 ? xreallocarray(NULL, n->n, sizeof(*refs)) : small;

	memcpy(refs, node_edges(g, n), n->n * sizeof(*refs));
	estimate_order(cg->est, refs, n->n);
	for (uint32_t i = n->n; i-- > 0;)
		yes = codegen_ref(cg, refs[i], yes, no);
	if (refs != small)
		free(refs);
	return yes;
}

static uint32_t node_code(struct codegen *cg, uint32_t node, uint32_t yes, uint32_t no)
{
	return cg->est->graph->nodes[node].n ? and_code(cg, node, yes, no)
					     : leaf_code(cg, node, yes, no);
}

static bool is_remembered(struct codegen *cg, uint32_t node)
{
	const struct node *n = &cg->est->graph->nodes[node];

	return cg->use_memo && n->bit >= 0 &&
	       (n->n || estimate_node(cg->est, node).cost >= MEMO_MIN_COST);
}

/* The node's result is kept: for other uses in this event, or for later events. */
static bool is_kept(struct codegen *cg, uint32_t node)
{
	return cg->uses[node] > 1 || (!cg->in_memo && is_remembered(cg, node));
}

static uint32_t block_code(struct codegen *cg, uint32_t node)
{
	bool outer = cg->in_memo;

	if (!cg->block[node]) {
		cg->in_memo = is_remembered(cg, node);
		cg->block[node] = node_code(cg, node, CODE_YES, CODE_NO);
		cg->in_memo = outer;
	}
	return cg->block[node];
}

uint32_t codegen_ref(struct codegen *cg, uint32_t ref, uint32_t yes, uint32_t no)
{
	uint32_t node = ref_node(ref);

	if (ref & 1) {
		uint32_t swap = yes;

		yes = no;
		no = swap;
	}
	if (node == ref_node(REF_TRUE))
		return yes;
	if (!is_kept(cg, node))
		return node_code(cg, node, yes, no);
	return codegen_emit(cg, (struct code){.kind = CODE_NODE,
					      .node = node,
					      .arg = block_code(cg, node),
					      .yes = yes,
					      .no = no});
}

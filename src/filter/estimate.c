/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/estimate.h"

#include "base/alloc.h"

#include <stdlib.h>

/* Fields that take more than following a pointer. */
static float field_cost(const struct field_info *f)
{
	static const struct {
		const char *prefix;
		float cost;
	} costs[] = {
		{"evt.num", 1},	     {"evt.is_", 1},	 {"evt.rawres", 1}, {"evt.rawarg", 2},
		{"evt.args", 20},    {"evt.info", 20},	 {"evt.arg", 6},    {"evt.time", 10},
		{"evt.", 3},	     {"fd.num", 1},	 {"fd.type", 1},    {"fd.name_changed", 1},
		{"fd.", 3},	     {"fs.path", 12},	 {"proc.name", 2},  {"proc.aname", 4},
		{"proc.cmdline", 8}, {"proc.args", 6},	 {"proc.env", 10},  {"proc.aenv", 30},
		{"proc.", 3},	     {"thread.cap", 20}, {"fdlist.", 20},
	};

	for (size_t i = 0; i < sizeof(costs) / sizeof(costs[0]); i++)
		if (!strncmp(f->name, costs[i].prefix, strlen(costs[i].prefix)))
			return costs[i].cost;
	return 4;
}

static float operand_cost(const struct extractor *x)
{
	float cost = x->kind == EXTRACT_FIELD ? field_cost(x->field->info) : 2;

	for (uint32_t i = 0; i < x->n_args; i++)
		cost += operand_cost(x->args[i]);
	return cost;
}

static float operator_cost(const struct leaf *l)
{
	switch ((enum operator)l->op) {
	case OP_REGEX:
		return 20 * (float)(l->n_constants + 1);
	case OP_GLOB:
	case OP_IGLOB:
	case OP_ICONTAINS:
		return 5 * (float)(l->n_constants + 1);
	case OP_CONTAINS:
	case OP_BCONTAINS:
	case OP_PMATCH:
		return 2 * (float)(l->n_constants + 1);
	case OP_IN:
	case OP_INTERSECTS:
		return 1;
	default:
		return l->modifier == MOD_NONE ? 0 : (float)l->n_constants / 4;
	}
}

float leaf_cost(const struct leaf *l)
{
	float cost = operand_cost(l->left) + operator_cost(l);

	return l->right ? cost + operand_cost(l->right) : cost;
}

float leaf_likely(const struct leaf *l)
{
	bool is_text = l->group >= GROUP_STRING;

	switch ((enum operator)l->op) {
	case OP_EXISTS:
		return 0.8f;
	case OP_NE:
		return 0.8f;
	case OP_EQ:
		if (l->left->text.n >= 7 && str_starts(l->left->text, STR("fd.type")))
			return 0.4f;
		return l->group == GROUP_BOOL ? 0.3f : is_text ? 0.05f : 0.1f;
	case OP_LT:
	case OP_LE:
		return 0.4f;
	case OP_GT:
	case OP_GE:
		return 0.6f;
	default:
		return 0.1f;
	}
}

void estimator_init(struct estimator *est, const struct graph *g, const struct tally *tallies)
{
	*est = (struct estimator){g, xcalloc(g->n_nodes, sizeof(*est->list))};
	est->list[0] = (struct estimate){1, 1};
	for (size_t i = 1; i < g->n_nodes; i++) {
		const struct graph_leaf *gl = &g->leaves[g->nodes[i].first];

		if (g->nodes[i].n)
			continue;
		est->list[i] = (struct estimate){gl->cost, gl->likely};
		if (tallies && tallies[i].n)
			est->list[i].likely =
				((float)tallies[i].n_true + 0.5f) / ((float)tallies[i].n + 1);
	}
}

void estimator_done(struct estimator *est)
{
	free(est->list);
}

/* Asked in order: each part is reached when all before it are true. */
static struct estimate estimate_and(struct estimator *est, const struct node *n)
{
	uint32_t small[64], *refs = n->n > 64 ? xreallocarray(NULL, n->n, sizeof(*refs)) : small;
	struct estimate ret = {0, 1};

	memcpy(refs, node_edges(est->graph, n), n->n * sizeof(*refs));
	estimate_order(est, refs, n->n);
	for (uint32_t i = 0; i < n->n; i++) {
		ret.cost += ret.likely * estimate_node(est, ref_node(refs[i])).cost;
		ret.likely *= estimate_likely(est, refs[i]);
	}
	if (refs != small)
		free(refs);
	return ret;
}

struct estimate estimate_node(struct estimator *est, uint32_t node)
{
	struct estimate *known = &est->list[node];

	if (known->cost == 0)
		*known = estimate_and(est, &est->graph->nodes[node]);
	return *known;
}

float estimate_likely(struct estimator *est, uint32_t ref)
{
	float likely = estimate_node(est, ref_node(ref)).likely;

	return ref & 1 ? 1 - likely : likely;
}

/* Cost for each time that it settles the AND. */
static float rank(struct estimator *est, uint32_t ref)
{
	return estimate_node(est, ref_node(ref)).cost / (1.001f - estimate_likely(est, ref));
}

static int compare_ranks(const void *a, const void *b, void *estimator)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	float rx = rank(estimator, x), ry = rank(estimator, y);

	return rx != ry ? (rx > ry) - (rx < ry) : (x > y) - (x < y);
}

void estimate_order(struct estimator *est, uint32_t *refs, size_t n)
{
	if (n > 1)
		qsort_r(refs, n, sizeof(*refs), compare_ranks, est);
}

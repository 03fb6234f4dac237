/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guesses about leaves: what they cost and how often they are true.  They only order the
 * evaluation, so being wrong costs time and nothing else.
 */
#include "filter/node.h"

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

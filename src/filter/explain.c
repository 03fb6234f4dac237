/* SPDX-License-Identifier: Apache-2.0 */
/* Explain: the same leaves, asked as written, remembering where the answer came from. */
#include "filter/engine.h"

enum { EXPLAIN_TEXT_MAX = 64 << 10 };

struct explaining {
	struct program *program;
	unsigned n_leaves;
};

/* What a part came to, and which of its leaves says why. */
struct reason {
	enum truth v;
	const struct step *leaf;
	uint32_t macro;
	unsigned number; /* leaves evaluated before it */
};

static struct reason explain(struct explaining *x, const struct step *s, uint32_t macro);

/*
 * An AND is false for its first false part.  An OR is false for all of its parts: the one that
 * got furthest is the one that nearly matched.
 */
static struct reason explain_many(struct explaining *x, const struct step *s, uint32_t macro)
{
	bool is_and = s->kind == STEP_AND;
	struct reason ret = {.v = is_and ? TRUTH_TRUE : TRUTH_FALSE};
	enum truth stop = (enum truth)(TRUTH_TRUE - ret.v);
	unsigned reach = 0;

	for (const struct step *part = s + 1; part < s + s->span; part += part->span) {
		unsigned before = x->n_leaves;
		struct reason one = explain(x, part, macro);
		bool further = !is_and && one.v == ret.v && one.number - before > reach;

		if (one.v == stop)
			return one;
		if (!ret.leaf || further || (is_and ? one.v < ret.v : one.v > ret.v)) {
			ret = one;
			reach = one.number - before;
		}
	}
	return ret;
}

static struct reason explain(struct explaining *x, const struct step *s, uint32_t macro)
{
	struct reason ret;

	if (s->macro)
		macro = s->macro;
	if (s->kind == STEP_LEAF) {
		ret = (struct reason){eval_ref(x->program, s->ref), s, macro, x->n_leaves++};
		return ret;
	}
	if (s->kind == STEP_NOT) {
		ret = explain(x, s + 1, macro);
		ret.v = (enum truth)(TRUTH_TRUE - ret.v);
		return ret;
	}
	return explain_many(x, s, macro);
}

static struct str value_of(const struct slot_value *v, const struct extractor *x, struct arena *a)
{
	struct str ret = STR("<NA>");
	struct buf out;

	if (v->result != FIELD_OK)
		return ret;
	buf_init(&out, EXPLAIN_TEXT_MAX);
	/* Numbers that messages cannot show are no secret here. */
	value_text(&v->value, extractor_type(x),
		   extractor_format(x) == PF_NA ? PF_DEC : extractor_format(x), &out);
	ret = arena_str(a, buf_str(&out));
	buf_done(&out);
	return ret;
}

static void fill_step(struct program *p, const struct reason *why, struct arena *a,
		      struct explain_step *ret)
{
	const struct node *n = &p->graph.nodes[ref_node(why->leaf->ref)];
	const struct graph_leaf *gl = &p->graph.leaves[n->first];
	enum truth v = eval_ref(p, why->leaf->ref);
	struct buf text;

	buf_init(&text, EXPLAIN_TEXT_MAX);
	leaf_text(gl->leaf, &text);
	ret->text = arena_str(a, buf_str(&text)).p;
	buf_done(&text);
	ret->macro = why->macro ? p->macros[why->macro - 1].p : NULL;
	ret->result = v == TRUTH_TRUE ? STEP_TRUE : v == TRUTH_FALSE ? STEP_FALSE : STEP_UNKNOWN;
	ret->value = value_of(eval_slot(p, gl->left), gl->leaf->left, a);
}

bool program_explain(struct program *p, const struct field_ctx *c, uint32_t id, struct arena *a,
		     struct explain_step *ret, unsigned *ret_n_leaves)
{
	struct explaining x = {.program = p};
	struct reason why;

	eval_begin(p, c);
	why = explain(&x, &p->steps[p->conditions[id].first_step], 0);
	*ret_n_leaves = why.number;
	fill_step(p, &why, a, ret);
	return why.v == TRUTH_TRUE;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Explain: the same leaves, asked as written, remembering where the answer came from. */
#include "filter/engine.h"

#include "base/alloc.h"

#include <stdlib.h>

enum {
	EXPLAIN_TEXT_MAX = 64 << 10,
	EXPLAIN_STEPS_MAX = 1024,
	BRIEF_CONSTANTS = 2, /* of a list */
	BRIEF_PARTS = 3,     /* of a condition in one line */
	BRIEF_BRANCHES = 10, /* of an OR */
};

/* What stands around a part. */
struct around {
	uint32_t macro, exception; /* labels */
	bool negated;		   /* an odd number of nots */
};

struct explaining {
	struct program *program;
	struct arena *arena;
	enum explain_length length;
	unsigned n_leaves;
	struct explain_step *list;
	size_t n, cap;
};

/* What a condition came to, and which part of it says why. */
struct reason {
	enum truth v;
	const struct step *part;
	struct around at;
	unsigned number; /* leaves evaluated before it */
};

static struct around enter(struct around at, const struct step *s)
{
	if (s->macro)
		at.macro = s->macro;
	if (s->exception)
		at.exception = s->exception;
	if (s->kind == STEP_NOT)
		at.negated = !at.negated;
	return at;
}

static struct reason explain(struct explaining *x, const struct step *s, struct around at);

/*
 * An AND is false for its first false part.  An OR is false for all of its parts: the one that
 * got furthest is the one that nearly matched.  An AND that should not be true is so as a whole.
 */
static struct reason explain_many(struct explaining *x, const struct step *s, struct around at)
{
	bool is_and = s->kind == STEP_AND;
	struct reason ret = {.v = is_and ? TRUTH_TRUE : TRUTH_FALSE};
	enum truth stop = (enum truth)(TRUTH_TRUE - ret.v);
	unsigned reach = 0;

	for (const struct step *part = s + 1; part < s + s->span; part += part->span) {
		unsigned before = x->n_leaves;
		struct reason one = explain(x, part, at);
		bool further = !is_and && one.v == ret.v && one.number - before > reach;

		if (one.v == stop)
			return one;
		if (!ret.part || further || (is_and ? one.v < ret.v : one.v > ret.v)) {
			ret = one;
			reach = one.number - before;
		}
	}
	if (is_and && at.negated && ret.v == TRUTH_TRUE) {
		ret.part = s;
		ret.at = at;
	}
	return ret;
}

static struct reason explain(struct explaining *x, const struct step *s, struct around at)
{
	struct reason ret;

	at = enter(at, s);
	if (s->kind == STEP_LEAF)
		return (struct reason){eval_ref(x->program, s->ref), s, at, x->n_leaves++};
	if (s->kind != STEP_NOT)
		return explain_many(x, s, at);
	ret = explain(x, s + 1, at);
	ret.v = (enum truth)(TRUTH_TRUE - ret.v);
	return ret;
}

/* ---- a part as text ---- */

static const struct graph_leaf *leaf_of(const struct program *p, const struct step *s)
{
	return &p->graph.leaves[p->graph.nodes[ref_node(s->ref)].first];
}

static void add_part(const struct explaining *x, const struct step *s, bool brackets,
		     struct buf *out);

static void add_parts(const struct explaining *x, const struct step *s, struct buf *out)
{
	const char *between = s->kind == STEP_AND ? " and " : " or ";
	unsigned n = 0;

	for (const struct step *part = s + 1; part < s + s->span; part += part->span) {
		if (n)
			buf_addz(out, between);
		if (n++ == BRIEF_PARTS && x->length == EXPLAIN_BRIEF) {
			buf_addz(out, "...");
			return;
		}
		add_part(x, part, true, out);
	}
}

static void add_part(const struct explaining *x, const struct step *s, bool brackets,
		     struct buf *out)
{
	brackets = brackets && s->kind != STEP_LEAF && s->kind != STEP_NOT;
	if (brackets)
		buf_addc(out, '(');
	if (s->kind == STEP_LEAF) {
		leaf_text(leaf_of(x->program, s)->leaf,
			  x->length == EXPLAIN_BRIEF ? BRIEF_CONSTANTS : UINT32_MAX, out);
	} else if (s->kind == STEP_NOT) {
		buf_addz(out, "not ");
		add_part(x, s + 1, true, out);
	} else {
		add_parts(x, s, out);
	}
	if (brackets)
		buf_addc(out, ')');
}

static struct str value_of(const struct slot_value *v, const struct leaf *l, struct arena *a)
{
	const struct extractor *x = l->left;
	struct str ret = {NULL, 0};
	struct buf out;

	/* Of several candidates there may be none; an empty list is a value. */
	if (v->result != FIELD_OK || (v->value.is_list && !v->value.n_items && !l->is_list))
		return ret;
	buf_init(&out, EXPLAIN_TEXT_MAX);
	/* Numbers that messages cannot show are no secret here. */
	value_text(&v->value, extractor_type(x),
		   extractor_format(x) == PF_NA ? PF_DEC : extractor_format(x), &out);
	ret = arena_str(a, buf_str(&out));
	buf_done(&out);
	return ret;
}

static const char *label(const struct program *p, uint32_t number)
{
	return number ? p->labels[number - 1].p : NULL;
}

static struct explain_step describe(const struct explaining *x, const struct step *s,
				    struct around at)
{
	struct program *p = x->program;
	enum truth v = eval_steps(p, s);
	struct explain_step ret = {
		.macro = label(p, at.macro),
		.exception = label(p, at.exception),
		.result = v == TRUTH_TRUE    ? STEP_TRUE
			  : v == TRUTH_FALSE ? STEP_FALSE
					     : STEP_UNKNOWN,
		.negated = at.negated,
		.has_value = s->kind == STEP_LEAF,
		.part = (uint32_t)(s - p->steps),
	};
	struct buf text;

	buf_init(&text, EXPLAIN_TEXT_MAX);
	add_part(x, s, false, &text);
	ret.text = arena_str(x->arena, buf_str(&text)).p;
	buf_done(&text);
	if (ret.has_value) {
		const struct graph_leaf *gl = leaf_of(p, s);

		ret.value = value_of(eval_slot(p, gl->left), gl->leaf, x->arena);
	}
	return ret;
}

/* ---- all that failed ---- */

static void add_step(struct explaining *x, struct explain_step one, unsigned depth)
{
	if (x->n == EXPLAIN_STEPS_MAX)
		return;
	one.depth = depth;
	x->list = xgrow(x->list, &x->cap, x->n + 1, sizeof(*x->list));
	x->list[x->n++] = one;
}

static void add_more(struct explaining *x, unsigned n, unsigned depth)
{
	const char *text = arena_printf(x->arena, "and %u more", n).p;

	add_step(x, (struct explain_step){.kind = STEP_MORE, .text = text}, depth);
}

/* The part that made an AND false, or an OR true: else the first that is not known. */
static const struct step *decider(struct program *p, const struct step *s)
{
	enum truth stop = s->kind == STEP_AND ? TRUTH_FALSE : TRUTH_TRUE;
	const struct step *unknown = NULL;

	for (const struct step *part = s + 1; part < s + s->span; part += part->span) {
		enum truth v = eval_steps(p, part);

		if (v == stop)
			return part;
		if (v == TRUTH_UNKNOWN && !unknown)
			unknown = part;
	}
	return unknown;
}

static void why(struct explaining *x, const struct step *s, struct around at, unsigned depth);

/* All parts of an OR failed, or all of an AND under a not are true. */
static void why_all(struct explaining *x, const struct step *s, struct around at, unsigned depth)
{
	struct explain_step head = describe(x, s, at);
	unsigned n = 0, n_more = 0;

	if (!at.negated)
		head.kind = STEP_NONE_OF;
	add_step(x, head, depth);
	for (const struct step *part = s + 1; part < s + s->span; part += part->span) {
		struct around inner = at;

		if (x->length == EXPLAIN_BRIEF && n++ >= BRIEF_BRANCHES) {
			n_more++;
		} else if (at.negated) {
			inner = enter(inner, part);
			inner.negated = false;
			add_step(x, describe(x, part, inner), depth + 1);
		} else {
			why(x, part, at, depth + 1);
		}
	}
	if (n_more)
		add_more(x, n_more, depth + 1);
}

static void why(struct explaining *x, const struct step *s, struct around at, unsigned depth)
{
	const struct step *one;

	at = enter(at, s);
	if (s->kind == STEP_NOT) {
		why(x, s + 1, at, depth);
		return;
	}
	if (s->kind == STEP_LEAF) {
		add_step(x, describe(x, s, at), depth);
		return;
	}
	one = (s->kind == STEP_AND) != at.negated ? decider(x->program, s) : NULL;
	if (one)
		why(x, one, at, depth);
	else
		why_all(x, s, at, depth);
}

static const struct step *first_step(const struct program *p, uint32_t id)
{
	return &p->steps[p->conditions[id].first_step];
}

bool program_explain(struct program *p, const struct field_ctx *c, uint32_t id,
		     enum explain_length length, struct arena *a, struct explain_step *ret,
		     unsigned *ret_n_leaves)
{
	struct explaining x = {.program = p, .arena = a, .length = length};
	struct reason reason;

	eval_begin(p, c);
	reason = explain(&x, first_step(p, id), (struct around){.macro = 0});
	*ret_n_leaves = reason.number;
	*ret = describe(&x, reason.part, reason.at);
	return reason.v == TRUTH_TRUE;
}

size_t program_explain_all(struct program *p, uint32_t id, enum explain_length length,
			   struct arena *a, const struct explain_step **ret)
{
	struct explaining x = {.program = p, .arena = a, .length = length};
	struct explain_step *list;

	why(&x, first_step(p, id), (struct around){.macro = 0}, 0);
	list = arena_alloc(a, x.n * sizeof(*list));
	if (x.n)
		memcpy(list, x.list, x.n * sizeof(*list));
	free(x.list);
	*ret = list;
	return x.n;
}

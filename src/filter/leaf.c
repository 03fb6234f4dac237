/* SPDX-License-Identifier: Apache-2.0 */
/* Leaves: one value, or several, against the leaf's constants. */
#include "filter/leaf.h"

#include "base/utf8.h"

/* One value, the leaf's constants. */

static bool match_one(const struct leaf *l, const struct value *v)
{
	return l->compare(v, &l->constants[0]);
}

static bool match_any(const struct leaf *l, const struct value *v)
{
	for (uint32_t i = 0; i < l->n_constants; i++)
		if (l->compare(v, &l->constants[i]))
			return true;
	return false;
}

static bool match_all(const struct leaf *l, const struct value *v)
{
	for (uint32_t i = 0; i < l->n_constants; i++)
		if (!l->compare(v, &l->constants[i]))
			return false;
	return l->n_constants > 0;
}

static bool match_exactly_one(const struct leaf *l, const struct value *v)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < l->n_constants && n < 2; i++)
		n += l->compare(v, &l->constants[i]);
	return n == 1;
}

static bool match_true(const struct leaf *l, const struct value *v)
{
	return true;
}

static bool match_none(const struct leaf *l, const struct value *v)
{
	return false;
}

static bool match_set(const struct leaf *l, const struct value *v)
{
	return set_has(l->set, v->s);
}

static bool match_not_in_set(const struct leaf *l, const struct value *v)
{
	return !set_has(l->set, v->s);
}

static bool match_number_set(const struct leaf *l, const struct value *v)
{
	return set_has(l->set, (struct str){(const char *)&v->u, sizeof(v->u)});
}

static bool match_prefixes(const struct leaf *l, const struct value *v)
{
	return prefixes_find(l->prefixes, v->s) >= 0;
}

static bool match_paths(const struct leaf *l, const struct value *v)
{
	return paths_match(l->paths, v->s);
}

/* Whether so many hits of all are what the modifier asks for. */
static bool is_enough(const struct leaf *l, uint32_t hits)
{
	switch ((enum op_modifier)l->modifier) {
	case MOD_ONEOF:
		return hits == 1;
	case MOD_ALLOF:
		return hits && hits == l->n_constants;
	case MOD_NONE:
	case MOD_ANYOF:
	case MOD_COUNT:
		break;
	}
	return hits > 0;
}

static bool match_needles(const struct leaf *l, const struct value *v)
{
	uint32_t hits = 0;

	if (l->n_constants == 1)
		return needle_in(&l->needles[0], v->s);
	for (uint32_t i = 0; i < l->n_constants; i++)
		hits += needle_in(&l->needles[i], v->s);
	return is_enough(l, hits);
}

static bool match_globs(const struct leaf *l, const struct value *v)
{
	uint32_t hits = 0;

	for (uint32_t i = 0; i < l->n_constants; i++)
		hits += glob_match(&l->globs[i], v->s);
	return is_enough(l, hits);
}

static bool is_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

static bool match_clean(const struct leaf *l, struct str text)
{
	uint32_t hits = 0;

	for (uint32_t i = 0; i < l->n_constants; i++)
		hits += regex_match(l->regexes[i], text.p, text.n);
	return is_enough(l, hits);
}

/* The matcher sees well-formed text only. */
static bool match_regexes(const struct leaf *l, const struct value *v)
{
	struct buf clean;
	bool ok;

	if (is_ascii(v->s))
		return match_clean(l, v->s);
	buf_init(&clean, 3 * v->s.n);
	utf8_add(&clean, v->s);
	ok = match_clean(l, buf_str(&clean));
	buf_done(&clean);
	return ok;
}

/* A number read as one of type t. */
static struct constant constant_as(const struct constant *c, enum param_type t)
{
	enum type_group g = type_group(t);
	unsigned shift = 64 - 8 * param_type_size(t);
	struct constant ret = *c;

	if (g == GROUP_SIGNED && shift < 64)
		ret.i = (int64_t)(c->u << shift) >> shift;
	else if (g < GROUP_STRING && shift < 64)
		ret.u = c->u << shift >> shift;
	return ret;
}

/* A number whose type differs from event to event: the constant is read as that type. */
static bool match_dynamic(const struct leaf *l, const struct value *v)
{
	enum type_group g = type_group((enum param_type)v->type);
	compare_fn compare = compare_find(g, (enum operator)l->op);

	if (!compare || (g >= GROUP_STRING) != (l->group >= GROUP_STRING))
		return false;
	for (uint32_t i = 0; i < l->n_constants; i++) {
		struct constant c = constant_as(&l->constants[i], (enum param_type)v->type);

		if (compare(v, &c))
			return true;
	}
	return false;
}

bool leaf_is_same_as(const struct leaf *l, enum param_type t)
{
	if (type_group(t) != l->group || l->group >= GROUP_BOOL)
		return false;
	for (uint32_t i = 0; i < l->n_constants; i++)
		if (constant_as(&l->constants[i], t).u != l->constants[i].u)
			return false;
	return true;
}

/*
 * The reference compares fd.net with the first network of a list only, whatever else the
 * list holds.
 */
static bool match_first_net(const struct leaf *l, const struct value *v)
{
	return l->n_constants && constant_net_has(&l->constants[0], v->s);
}

/* The value is how far away, in milliseconds, the event is. */
static bool match_around(const struct leaf *l, const struct value *v)
{
	return v->u <= l->constants[0].u;
}

static int prepare_regexes(struct leaf *l, struct arena *a, uint32_t *ret_bad, struct err *e)
{
	int r = 0;

	l->match = match_regexes;
	l->regexes = arena_calloc(a, l->n_constants, sizeof(*l->regexes));
	for (uint32_t i = 0; r == 0 && i < l->n_constants; i++) {
		*ret_bad = i;
		r = regex_compile(l->texts[i].p, l->texts[i].n, &l->regexes[i], e);
	}
	return r;
}

static void prepare_globs(struct leaf *l, struct arena *a)
{
	l->match = match_globs;
	l->globs = arena_alloc(a, l->n_constants * sizeof(*l->globs));
	for (uint32_t i = 0; i < l->n_constants; i++)
		glob_build(&l->globs[i], l->texts[i], l->op == OP_IGLOB, a);
}

static void prepare_needles(struct leaf *l, struct arena *a)
{
	l->match = match_needles;
	l->needles = arena_alloc(a, l->n_constants * sizeof(*l->needles));
	for (uint32_t i = 0; i < l->n_constants; i++)
		needle_build(&l->needles[i], l->constants[i].s, l->op == OP_ICONTAINS, a);
}

static bool is_search(const struct leaf *l)
{
	return l->op == OP_CONTAINS || l->op == OP_ICONTAINS || l->op == OP_BCONTAINS;
}

static struct str constant_bytes(const struct leaf *l, uint32_t i)
{
	if (l->group < GROUP_STRING)
		return (struct str){(const char *)&l->constants[i].u, sizeof(uint64_t)};
	return l->constants[i].s;
}

static void prepare_set(struct leaf *l, struct arena *a)
{
	struct str *items = arena_alloc(a, l->n_constants * sizeof(*items));

	for (uint32_t i = 0; i < l->n_constants; i++)
		items[i] = constant_bytes(l, i);
	l->set = arena_alloc(a, sizeof(*l->set));
	set_build(l->set, items, l->n_constants, a);
	l->match = l->op == OP_NE	     ? match_not_in_set
		   : l->group < GROUP_STRING ? match_number_set
					     : match_set;
}

static void prepare_prefixes(struct leaf *l, struct arena *a)
{
	l->match = match_prefixes;
	l->prefixes = arena_alloc(a, sizeof(*l->prefixes));
	prefixes_build(l->prefixes, l->texts, l->n_constants, a);
}

/* Membership, and what is the same: "= anyof", "!= allof". */
static bool is_set_test(const struct leaf *l)
{
	if (l->group == GROUP_NET || l->group == GROUP_DOUBLE || l->group == GROUP_HOST_NAME ||
	    l->n_constants < 2)
		return false;
	if (l->op == OP_NE)
		return l->modifier == MOD_ALLOF && l->group >= GROUP_STRING;
	return l->op == OP_IN || l->op == OP_INTERSECTS ||
	       (l->op == OP_EQ && l->modifier == MOD_ANYOF);
}

static leaf_fn many_fn(const struct leaf *l)
{
	switch ((enum op_modifier)l->modifier) {
	case MOD_ONEOF:
		return match_exactly_one;
	case MOD_ALLOF:
		return match_all;
	case MOD_NONE:
	case MOD_ANYOF:
	case MOD_COUNT:
		break;
	}
	return l->n_constants == 1 ? match_one : match_any;
}

static bool is_membership(const struct leaf *l)
{
	return l->op == OP_IN || l->op == OP_INTERSECTS;
}

static bool left_is(const struct leaf *l, const char *name)
{
	return l->left->kind == EXTRACT_FIELD && !strcmp(l->left->field->info->name, name);
}

int leaf_prepare(struct leaf *l, struct arena *a, uint32_t *ret_bad, struct err *e)
{
	if (l->op == OP_EXISTS) {
		l->match = match_true;
		return 0;
	}
	if (l->op == OP_REGEX)
		return prepare_regexes(l, a, ret_bad, e);
	if (l->op == OP_GLOB || l->op == OP_IGLOB) {
		prepare_globs(l, a);
	} else if (is_search(l)) {
		prepare_needles(l, a);
	} else if (l->op == OP_PMATCH) {
		l->match = match_paths;
		l->paths = arena_alloc(a, sizeof(*l->paths));
		paths_build(l->paths, l->texts, l->n_constants, a);
	} else if (left_is(l, "evt.rawarg")) {
		l->match = match_dynamic;
	} else if (left_is(l, "evt.around")) {
		l->match = match_around;
	} else if (left_is(l, "fd.net") && is_membership(l)) {
		l->match = match_first_net;
	} else if (left_is(l, "fd.ip") && is_membership(l)) {
		/* The reference never finds fd.ip in a list. */
		l->match = match_none;
	} else if (l->op == OP_STARTSWITH && l->group == GROUP_STRING && l->modifier == MOD_ANYOF &&
		   l->n_constants > 1) {
		prepare_prefixes(l, a);
	} else if (!l->n_constants) {
		l->match = match_none;
	} else if (is_set_test(l)) {
		prepare_set(l, a);
	} else {
		l->match = many_fn(l);
	}
	return 0;
}

/* Lists of values. */

/* As many constants as the right side has values. */
static bool match_value(const struct leaf *l, const struct value *v, const struct value *right)
{
	struct constant c;

	if (!l->right)
		return l->match(l, v);
	for (uint32_t i = 0; right->is_list && i < right->n_items; i++) {
		c = (struct constant){.s = right->items[i].s};
		if (l->group < GROUP_STRING)
			c.u = right->items[i].u;
		if (l->compare(v, &c))
			return true;
	}
	if (right->is_list)
		return false;
	c = (struct constant){.s = right->s};
	if (l->group < GROUP_STRING)
		c.u = right->u;
	return l->compare(v, &c);
}

static bool match_items(const struct leaf *l, const struct value *v, const struct value *right,
			bool all)
{
	for (uint32_t i = 0; i < v->n_items; i++)
		if (match_value(l, &v->items[i], right) != all)
			return !all;
	return all;
}

/* Several candidates: any will do, but for some fields != needs them all to differ. */
static bool match_candidates(const struct leaf *l, const struct value *v, const struct value *right)
{
	bool all = l->op == OP_NE && l->left->flags & FF_NE_ALL;

	return v->n_items && match_items(l, v, right, all);
}

enum truth leaf_test(const struct leaf *l, enum field_result left, const struct value *v,
		     enum field_result right, const struct value *r)
{
	bool ok;

	if (left == FIELD_NULL || right == FIELD_NULL)
		return TRUTH_FALSE;
	if (left == FIELD_UNKNOWN || right == FIELD_UNKNOWN)
		return TRUTH_UNKNOWN;
	if (l->op == OP_EXISTS)
		ok = true;
	else if (l->is_list)
		ok = match_items(l, v, r, l->op == OP_IN);
	else if (v->is_list)
		ok = match_candidates(l, v, r);
	else
		ok = match_value(l, v, r);
	return ok ? TRUTH_TRUE : TRUTH_FALSE;
}

enum truth leaf_eval(const struct leaf *l, const struct field_ctx *c)
{
	struct value v = {.s = STR_EMPTY}, r = {.s = STR_EMPTY};
	enum field_result left = extractor_get(l->left, c, &v), right = FIELD_OK;

	if (l->right && left != FIELD_NULL)
		right = extractor_get(l->right, c, &r);
	return leaf_test(l, left, &v, right, &r);
}

void leaf_done(struct leaf *l)
{
	for (uint32_t i = 0; l->op == OP_REGEX && l->regexes && i < l->n_constants; i++)
		regex_free(l->regexes[i]);
}

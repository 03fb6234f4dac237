/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/keys.h"

#include "base/alloc.h"
#include "filter/required.h"

#include <stdlib.h>

static void key_add(struct key_list *k, struct key key)
{
	k->list = xgrow(k->list, &k->cap, k->n + 1, sizeof(*k->list));
	k->list[k->n++] = key;
}

static bool is_equality(const struct leaf *l)
{
	if (l->is_list)
		return l->op == OP_INTERSECTS;
	return l->op == OP_EQ || l->op == OP_IN || l->op == OP_INTERSECTS;
}

static bool left_is(const struct leaf *l, const char *name)
{
	return l->left->kind == EXTRACT_FIELD && !strcmp(l->left->field->info->name, name);
}

/* evt.rawarg has its type from the event: whether these compare it like any other number. */
static bool is_usual_parameter(const struct leaf *l, const struct event_info *info)
{
	const struct field *f = l->left->field;
	int64_t i = f->arg_is_index ? (int64_t)f->index : event_param_index(info, f->arg);

	return i >= 0 && i < info->n_params &&
	       leaf_is_same_as(l, (enum param_type)info->params[i].type);
}

/* Fields whose comparison is one of their own. */
static bool is_special(const struct leaf *l, const struct event_info *info)
{
	if (left_is(l, "evt.rawarg"))
		return l->modifier != MOD_NONE || !is_usual_parameter(l, info);
	return left_is(l, "evt.around");
}

/* Globs that are one piece of text, and where it must be. */
static bool glob_kind(const struct glob *g, enum key_kind *ret)
{
	static const enum key_kind kinds[] = {[GLOB_LITERAL] = KEY_EXACT,
					      [GLOB_PREFIX] = KEY_PREFIX,
					      [GLOB_SUFFIX] = KEY_SUFFIX,
					      [GLOB_INFIX] = KEY_PIECE};

	if (g->kind == GLOB_OTHER)
		return false;
	*ret = kinds[g->kind];
	return true;
}

static struct str lower(struct str s, struct arena *a)
{
	char *p = arena_alloc(a, s.n);

	for (size_t i = 0; i < s.n; i++)
		p[i] = (char)(s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] | 0x20 : s.p[i]);
	return (struct str){p, s.n};
}

/* A glob's key: what it is, or what it must have in it. */
static enum key_kind glob_key(const struct glob *g, struct key *key)
{
	enum key_kind kind = KEY_PIECE;

	key->text = glob_kind(g, &kind) ? g->text : required_by_glob(g->text);
	return kind;
}

/* A path's key: the components that it begins with, or one that it must have. */
static enum key_kind path_key(struct str path, struct arena *a, struct key *key)
{
	char space[PATH_PLAIN_MAX];
	struct str literal;

	key->text = required_by_path(path);
	if (key->text.n >= PIECE_MIN && !glob_is_plain(path))
		return KEY_PIECE;
	literal = path_literal(path, space);
	/* Every path begins with a slash alone. */
	key->text = literal.n > 1 ? arena_str(a, literal) : STR_EMPTY;
	return KEY_PATH;
}

static const struct range *range_new(struct arena *a, struct bound from, struct bound to)
{
	struct range *x = arena_alloc(a, sizeof(*x));

	*x = (struct range){from, to};
	return x;
}

/* From the network's first address to its last one. */
static const struct range *net_range(const struct constant *c, struct arena *a)
{
	size_t n = c->s.n;
	char *first = arena_alloc(a, n), *last = arena_alloc(a, n);

	for (size_t i = 0; i < n; i++) {
		size_t fixed = c->prefix_bits > 8 * i ? c->prefix_bits - 8 * i : 0;
		uint8_t free_bits = (uint8_t)(fixed >= 8 ? 0 : 0xff >> fixed);

		first[i] = (char)(c->s.p[i] & ~free_bits);
		last[i] = (char)(c->s.p[i] | free_bits);
	}
	return range_new(a, (struct bound){{first, n}, BOUND_BEFORE},
			 (struct bound){{last, n}, BOUND_BEHIND});
}

/* What compares with this text, in the order of values, as the operator says; or NULL. */
static const struct range *text_range(enum operator op, struct str text, struct arena *a)
{
	const struct bound before = {text, BOUND_BEFORE}, behind = {text, BOUND_BEHIND};
	const struct bound start = {STR_EMPTY, BOUND_BEFORE}, end = {STR_EMPTY, BOUND_END};

	switch (op) {
	case OP_LT:
		return range_new(a, start, before);
	case OP_LE:
		return range_new(a, start, behind);
	case OP_GT:
		return range_new(a, behind, end);
	case OP_GE:
		return range_new(a, before, end);
	case OP_EQ:
	case OP_IN:
		return range_new(a, before, behind);
	default:
		return NULL;
	}
}

/* The range of values that constant i stands for, where a set of values would not do. */
static const struct range *constant_range(const struct leaf *l, uint32_t i, struct arena *a)
{
	bool has_order = l->op == OP_LT || l->op == OP_LE || l->op == OP_GT || l->op == OP_GE;
	struct str text = l->constants[i].s;

	if (l->group == GROUP_NET)
		return is_equality(l) ? net_range(&l->constants[i], a) : NULL;
	if (l->is_list || (!has_order && l->group != GROUP_DOUBLE))
		return NULL;
	if (l->group < GROUP_STRING)
		text = lookup_number((enum type_group)l->group, l->constants[i].u,
				     arena_alloc(a, RANGE_NUMBER_SIZE));
	return text_range((enum operator)l->op, text, a);
}

/* The key that constant i makes; false: it makes none. */
static bool constant_key(const struct leaf *l, uint32_t i, struct arena *a, struct key *key)
{
	const struct range *range = constant_range(l, i, a);
	enum key_kind kind = KEY_EXACT;

	key->group = l->group;
	if (range) {
		key->kind = KEY_RANGE;
		key->range = range;
		return true;
	}
	key->text = l->constants[i].s;
	switch ((enum operator)l->op) {
	case OP_STARTSWITH:
	case OP_BSTARTSWITH:
		kind = KEY_PREFIX;
		break;
	case OP_ENDSWITH:
		kind = KEY_SUFFIX;
		break;
	case OP_CONTAINS:
	case OP_BCONTAINS:
		kind = KEY_PIECE;
		break;
	case OP_GLOB:
		kind = glob_key(&l->globs[i], key);
		break;
	case OP_ICONTAINS:
		kind = KEY_FOLDED;
		key->text = lower(key->text, a);
		break;
	case OP_IGLOB:
		kind = KEY_FOLDED;
		key->text = lower(required_by_glob(l->texts[i]), a);
		break;
	case OP_REGEX:
		kind = KEY_PIECE;
		key->text = required_by_regex(l->texts[i]);
		break;
	case OP_PMATCH:
		kind = path_key(l->texts[i], a, key);
		break;
	default:
		if (!is_equality(l) || l->group == GROUP_DOUBLE)
			return false;
		break;
	}
	key->kind = (uint8_t)kind;
	if (l->group < GROUP_STRING)
		key->text = (struct str){(const char *)&l->constants[i].u, sizeof(uint64_t)};
	return kind == KEY_EXACT || key->text.n >= (kind >= KEY_PIECE ? PIECE_MIN : 1);
}

static bool leaf_keys(struct key_list *k, const struct graph_leaf *gl, uint32_t owner)
{
	const struct leaf *l = gl->leaf;
	/* All must hold, so one will do. */
	uint32_t n = l->modifier == MOD_ALLOF ? 1 : l->n_constants;

	if (l->right || !l->n_constants || n > KEYS_PER_OWNER_MAX || is_special(l, k->info) ||
	    l->group == GROUP_NONE || l->group == GROUP_BOOL || l->group == GROUP_HOST_NAME)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		struct key key = {.slot = gl->left, .owner = owner};

		if (!constant_key(l, i, k->arena, &key))
			return false;
		key_add(k, key);
	}
	return true;
}

/* Lower is better: few operands to look at, whole values before parts, few keys. */
static float keys_score(const struct key *list, size_t n)
{
	static const float scores[] = {
		[KEY_EXACT] = 1, [KEY_PREFIX] = 2, [KEY_SUFFIX] = 3, [KEY_PATH] = 2,
		[KEY_RANGE] = 4, [KEY_PIECE] = 6,  [KEY_FOLDED] = 8};
	float score = 0;

	for (size_t i = 0; i < n; i++) {
		score += scores[list[i].kind];
		if (i && list[i].slot != list[i - 1].slot)
			score += 64;
	}
	return score;
}

static bool and_keys(struct key_list *k, struct estimator *est, const uint32_t *refs, size_t n,
		     uint32_t owner);

static bool ref_keys(struct key_list *k, struct estimator *est, uint32_t ref, uint32_t owner)
{
	const struct graph *g = est->graph;
	const struct node *n = &g->nodes[ref_node(ref)];
	size_t start = k->n;

	if (!n->n) {
		if (!(ref & 1) && ref != REF_TRUE && leaf_keys(k, &g->leaves[n->first], owner))
			return true;
		k->n = start;
		return false;
	}
	if (!(ref & 1))
		return and_keys(k, est, node_edges(g, n), n->n, owner);
	/* An OR: keys for every side. */
	for (uint32_t i = 0; i < n->n; i++) {
		if (k->n - start <= KEYS_PER_OWNER_MAX &&
		    ref_keys(k, est, ref_not(node_edges(g, n)[i]), owner))
			continue;
		k->n = start;
		return false;
	}
	return true;
}

static bool has_one_value(const struct graph *g, uint32_t slot)
{
	const struct extractor *x = g->slots[slot].x;

	return !x->is_list && !(x->flags & (FF_ANY | FF_LIST));
}

/* The only key of a part, when that is a range. */
static bool is_range(const struct key_list *k, size_t at)
{
	return k->n == at + 1 && k->list[at].kind == KEY_RANGE;
}

/* The range that a part is, when it is one of that operand; or NULL. */
static const struct range *ref_range(const struct key_list *k, const struct graph *g, uint32_t ref,
				     uint32_t slot)
{
	const struct node *n = &g->nodes[ref_node(ref)];
	const struct graph_leaf *gl = &g->leaves[n->first];

	if (n->n || ref & 1 || ref == REF_TRUE || gl->left != slot || gl->leaf->right ||
	    gl->leaf->n_constants != 1 || is_special(gl->leaf, k->info))
		return NULL;
	return constant_range(gl->leaf, 0, k->arena);
}

/*
 * Where the key at the end is a range of an operand with one value, what other parts say of that
 * operand narrows it: "port >= 80 and port < 90".  Returns how likely it is then.
 */
static float keys_narrow(struct key_list *k, struct estimator *est, const uint32_t *refs, size_t n,
			 size_t part)
{
	float likely = estimate_likely(est, refs[part]);
	struct key key = k->list[k->n - 1];
	struct range both = *key.range;

	for (size_t i = 0; i < n; i++) {
		const struct range *x =
			i == part ? NULL : ref_range(k, est->graph, refs[i], key.slot);

		if (!x)
			continue;
		if (bound_compare(&x->from, &both.from) > 0)
			both.from = x->from;
		if (bound_compare(&x->to, &both.to) < 0)
			both.to = x->to;
		likely *= estimate_likely(est, refs[i]);
	}
	k->list[k->n - 1].range = range_new(k->arena, both.from, both.to);
	return likely;
}

/* The keys of the part that gives the best ones. */
static bool and_keys(struct key_list *k, struct estimator *est, const uint32_t *refs, size_t n,
		     uint32_t owner)
{
	size_t start = k->n, best_n = 0;
	float best = 0;

	for (size_t i = 0; i < n; i++) {
		size_t at = k->n;
		float score, likely;

		if (!ref_keys(k, est, refs[i], owner))
			continue;
		likely = is_range(k, at) && has_one_value(est->graph, k->list[at].slot)
				 ? keys_narrow(k, est, refs, n, i)
				 : estimate_likely(est, refs[i]);
		score = keys_score(k->list + at, k->n - at) + 256 * likely;
		if (!best_n || score < best) {
			best = score;
			best_n = k->n - at;
			memmove(k->list + start, k->list + at, best_n * sizeof(*k->list));
		}
		k->n = start + best_n;
	}
	return best_n > 0;
}

bool keys_add(struct key_list *k, struct estimator *est, const uint32_t *refs, size_t n,
	      uint32_t owner)
{
	return and_keys(k, est, refs, n, owner);
}

/* Asking a few conditions is as fast as a look-up, and looking for pieces takes longer. */
enum { WAY_PLAIN, WAY_PIECES, WAY_FOLDED, WAY_COUNT };

static unsigned way_of(const struct key *key)
{
	return key->kind < KEY_PIECE ? WAY_PLAIN : key->kind == KEY_PIECE ? WAY_PIECES : WAY_FOLDED;
}

void keys_prune(struct key_list *k, size_t n_slots, bool *has)
{
	static const uint32_t min[WAY_COUNT] = {3, 8, 8};
	uint32_t(*count)[WAY_COUNT] = xcalloc(n_slots, sizeof(*count)),
	(*last)[WAY_COUNT] = xcalloc(n_slots, sizeof(*last));
	size_t kept = 0;

	/* Keys stand in order of their owners, whom each look-up counts once. */
	for (size_t i = 0; i < k->n; i++) {
		const struct key *key = &k->list[i];

		if (last[key->slot][way_of(key)] == key->owner + 1)
			continue;
		last[key->slot][way_of(key)] = key->owner + 1;
		count[key->slot][way_of(key)]++;
	}
	for (size_t i = 0; i < k->n; i++) {
		const struct key *key = &k->list[i];

		if (count[key->slot][way_of(key)] < min[way_of(key)])
			has[key->owner] = false;
	}
	for (size_t i = 0; i < k->n; i++)
		if (has[k->list[i].owner])
			k->list[kept++] = k->list[i];
	k->n = kept;
	free(count);
	free(last);
}

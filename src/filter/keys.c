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

/* Fields whose comparison is one of their own. */
static bool is_special(const struct leaf *l)
{
	const struct extractor *x = l->left;

	return x->kind == EXTRACT_FIELD && (!strcmp(x->field->info->name, "evt.rawarg") ||
					    !strcmp(x->field->info->name, "evt.around"));
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

/* The key that constant i makes; false: it makes none. */
static bool constant_key(const struct leaf *l, uint32_t i, struct arena *a, struct key *key)
{
	enum key_kind kind = KEY_EXACT;

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
		kind = KEY_PIECE;
		key->text = required_by_path(l->texts[i]);
		break;
	default:
		if (!is_equality(l))
			return false;
		break;
	}
	key->kind = (uint8_t)kind;
	key->is_number = l->group < GROUP_STRING;
	if (key->is_number)
		key->text = (struct str){(const char *)&l->constants[i].u, sizeof(uint64_t)};
	return kind == KEY_EXACT || key->text.n >= (kind >= KEY_PIECE ? PIECE_MIN : 1);
}

static bool leaf_keys(struct key_list *k, const struct graph_leaf *gl, uint32_t owner)
{
	const struct leaf *l = gl->leaf;
	/* All must hold, so one will do. */
	uint32_t n = l->modifier == MOD_ALLOF ? 1 : l->n_constants;

	if (l->right || !l->n_constants || n > KEYS_PER_OWNER_MAX || is_special(l) ||
	    l->group == GROUP_NONE || l->group == GROUP_BOOL || l->group == GROUP_DOUBLE ||
	    l->group == GROUP_NET)
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
	static const float scores[] = {[KEY_EXACT] = 1,
				       [KEY_PREFIX] = 2,
				       [KEY_SUFFIX] = 3,
				       [KEY_PIECE] = 6,
				       [KEY_FOLDED] = 8};
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

/* The keys of the part that gives the best ones. */
static bool and_keys(struct key_list *k, struct estimator *est, const uint32_t *refs, size_t n,
		     uint32_t owner)
{
	size_t start = k->n, best_n = 0;
	float best = 0;

	for (size_t i = 0; i < n; i++) {
		size_t at = k->n;
		float score;

		if (!ref_keys(k, est, refs[i], owner))
			continue;
		score = keys_score(k->list + at, k->n - at) + 256 * estimate_likely(est, refs[i]);
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

/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/keys.h"

#include "base/alloc.h"

#include <stdlib.h>

static void key_add(struct key_list *k, struct key key)
{
	k->list = xgrow(k->list, &k->cap, k->n + 1, sizeof(*k->list));
	k->list[k->n++] = key;
}

static bool is_equality(const struct leaf *l)
{
	if (l->group == GROUP_NONE || l->group == GROUP_BOOL || l->group == GROUP_DOUBLE ||
	    l->group == GROUP_NET)
		return false;
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

static bool leaf_keys(struct key_list *k, const struct graph_leaf *gl, uint32_t owner)
{
	const struct leaf *l = gl->leaf;
	bool is_prefix = l->op == OP_STARTSWITH && l->group == GROUP_STRING;
	/* All must hold, so one will do. */
	uint32_t n = l->modifier == MOD_ALLOF ? 1 : l->n_constants;

	if (l->right || !l->n_constants || n > KEYS_PER_OWNER_MAX || is_special(l) ||
	    (!is_prefix && !is_equality(l)))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		struct key key = {l->constants[i].s, gl->left, owner, is_prefix, false};

		if (is_prefix && !key.text.n)
			return false;
		if (l->group < GROUP_STRING) {
			key.text = (struct str){(const char *)&l->constants[i].u, sizeof(uint64_t)};
			key.is_number = true;
		}
		key_add(k, key);
	}
	return true;
}

static size_t distinct_slots(const struct key *list, size_t n)
{
	size_t distinct = 0;

	for (size_t i = 0; i < n; i++)
		distinct += i == 0 || list[i].slot != list[i - 1].slot;
	return distinct;
}

/* Lower is better: few operands to look at, then whole values before prefixes, then few keys. */
static float keys_score(const struct key *list, size_t n)
{
	float score = 0;

	for (size_t i = 0; i < n; i++)
		score += list[i].is_prefix ? 2 : 1;
	return score + 64 * (float)distinct_slots(list, n);
}

static bool and_keys(struct key_list *k, const struct graph *g, const uint32_t *refs, size_t n,
		     uint32_t owner);

static bool ref_keys(struct key_list *k, const struct graph *g, uint32_t ref, uint32_t owner)
{
	const struct node *n = &g->nodes[ref_node(ref)];

	if (!n->n)
		return !(ref & 1) && ref != REF_TRUE && leaf_keys(k, &g->leaves[n->first], owner);
	if (ref & 1) { /* an OR: a key for each side */
		size_t start = k->n;

		for (uint32_t i = 0; i < n->n; i++)
			if (k->n - start > KEYS_PER_OWNER_MAX ||
			    !ref_keys(k, g, ref_not(node_edges(g, n)[i]), owner)) {
				k->n = start;
				return false;
			}
		return true;
	}
	return and_keys(k, g, node_edges(g, n), n->n, owner);
}

/* The keys of the part that gives the best ones. */
static bool and_keys(struct key_list *k, const struct graph *g, const uint32_t *refs, size_t n,
		     uint32_t owner)
{
	size_t start = k->n, best_n = 0;
	float best = 0;

	for (size_t i = 0; i < n; i++) {
		size_t at = k->n;
		float score;

		if (!ref_keys(k, g, refs[i], owner))
			continue;
		score = keys_score(k->list + at, k->n - at);
		if (!best_n || score < best) {
			best = score;
			best_n = k->n - at;
			memmove(k->list + start, k->list + at, best_n * sizeof(*k->list));
		}
		k->n = start + best_n;
	}
	return best_n > 0;
}

bool keys_add(struct key_list *k, const struct graph *g, const uint32_t *refs, size_t n,
	      uint32_t owner, uint32_t *popular)
{
	size_t start = k->n;

	if (!and_keys(k, g, refs, n, owner))
		return false;
	for (size_t i = start; i < k->n; i++)
		if (i == start || k->list[i].slot != k->list[i - 1].slot)
			popular[k->list[i].slot]++;
	return true;
}

bool keys_has_slot(const struct key_list *k, uint32_t slot)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->list[i].slot == slot)
			return true;
	return false;
}

/* Building an index. */

static int compare_keys(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	int r = str_cmp(x->text, y->text);

	return r ? r : (x->owner > y->owner) - (x->owner < y->owner);
}

/* Position of a key in the set or the prefixes. */
static uint32_t key_place(const struct plan_index *ix, const struct key *key)
{
	return (uint32_t)(key->is_prefix ? prefixes_find(&ix->prefixes, key->text)
					 : set_find(&ix->exact, key->text));
}

/* Hits of one kind of key, in order of the key's place. */
static uint32_t *place_hits(struct plan_index *ix, const struct key *keys, size_t n,
			    const uint32_t *item_of, bool is_prefix, uint32_t n_places,
			    uint32_t *n_hits, struct arena *a)
{
	uint32_t *start = arena_calloc(a, n_places + 2, sizeof(*start)), base = *n_hits;

	for (size_t i = 0; i < n; i++)
		if (keys[i].is_prefix == is_prefix)
			start[key_place(ix, &keys[i]) + 2]++;
	start[0] = start[1] = base;
	for (uint32_t i = 2; i < n_places + 2; i++)
		start[i] += start[i - 1];
	for (size_t i = 0; i < n; i++)
		if (keys[i].is_prefix == is_prefix)
			ix->hits[start[key_place(ix, &keys[i]) + 1]++] = item_of[keys[i].owner];
	*n_hits = start[n_places];
	return start;
}

void plan_index_build(struct plan_index *ix, uint32_t slot, const struct key_list *k,
		      const uint32_t *item_of, struct arena *a)
{
	struct key *keys = xcalloc(k->n, sizeof(*keys));
	struct str *exact = xcalloc(k->n, sizeof(*exact)),
		   *prefixes = xcalloc(k->n, sizeof(*prefixes));
	size_t n = 0, n_exact = 0, n_prefixes = 0;
	uint32_t n_hits = 0;

	*ix = (struct plan_index){.slot = slot};
	for (size_t i = 0; i < k->n; i++)
		if (k->list[i].slot == slot)
			keys[n++] = k->list[i];
	qsort(keys, n, sizeof(*keys), compare_keys);
	ix->is_number = n && keys[0].is_number;
	for (size_t i = 0; i < n; i++) {
		if (keys[i].is_prefix)
			prefixes[n_prefixes++] = keys[i].text;
		else
			exact[n_exact++] = keys[i].text;
	}
	set_build(&ix->exact, exact, n_exact, a);
	prefixes_build(&ix->prefixes, prefixes, n_prefixes, a);
	ix->hits = arena_alloc(a, n * sizeof(*ix->hits));
	ix->exact_start = place_hits(ix, keys, n, item_of, false, ix->exact.n, &n_hits, a);
	ix->prefix_start = place_hits(ix, keys, n, item_of, true, ix->prefixes.n, &n_hits, a);
	ix->n_hits = n_hits;
	free(keys);
	free(exact);
	free(prefixes);
}

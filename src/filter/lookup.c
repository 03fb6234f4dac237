/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/lookup.h"

#include "base/alloc.h"

#include <stdlib.h>

/* The last bytes of text back to front, as many as fit. */
static struct str reverse(struct str text, char *out)
{
	size_t n = text.n < SUFFIX_MAX ? text.n : SUFFIX_MAX;

	for (size_t i = 0; i < n; i++)
		out[i] = text.p[text.n - 1 - i];
	return (struct str){out, n};
}

static int compare_texts(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* The texts of the keys of one kind, each once. */
static size_t texts_of(const struct key *keys, size_t n, enum key_kind kind, struct str *out,
		       struct arena *a)
{
	size_t n_out = 0, kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (keys[i].kind != kind)
			continue;
		out[n_out++] = kind == KEY_SUFFIX
				       ? reverse(keys[i].text, arena_alloc(a, SUFFIX_MAX))
				       : keys[i].text;
	}
	if (!n_out)
		return 0;
	qsort(out, n_out, sizeof(*out), compare_texts);
	for (size_t i = 0; i < n_out; i++)
		if (!kept || !str_eq(out[kept - 1], out[i]))
			out[kept++] = out[i];
	return kept;
}

static uint32_t piece_place(const struct pieces *p, struct str text)
{
	const struct str *at = bsearch(&text, p->items, p->n, sizeof(text), compare_texts);

	return (uint32_t)(at - p->items);
}

/* Which key of its kind it is. */
static uint32_t key_place(const struct lookup *lk, const struct key *key)
{
	char space[SUFFIX_MAX];

	switch ((enum key_kind)key->kind) {
	case KEY_EXACT:
		return (uint32_t)set_find(&lk->exact, key->text);
	case KEY_PREFIX:
		return (uint32_t)prefixes_find(&lk->prefixes, key->text);
	case KEY_SUFFIX:
		return (uint32_t)prefixes_find(&lk->suffixes, reverse(key->text, space));
	case KEY_PATH:
		return (uint32_t)prefixes_find(&lk->paths, key->text);
	case KEY_FOLDED:
		return piece_place(&lk->folded, key->text);
	case KEY_RANGE:
	case KEY_PIECE:
	case KEY_KIND_COUNT:
		break;
	}
	return piece_place(&lk->pieces, key->text);
}

/* All that it is; only ranges are in more than one place. */
static size_t key_places(const struct lookup *lk, const struct key *key,
			 uint32_t out[RANGE_PLACES_MAX])
{
	if (key->kind == KEY_RANGE)
		return ranges_places(&lk->ranges, key->range, out);
	out[0] = key_place(lk, key);
	return 1;
}

/* Hits of one kind, sorted by counting. */
static void place_hits(struct lookup *lk, const struct key *keys, size_t n, const uint32_t *names,
		       enum key_kind kind, size_t n_places, struct arena *a)
{
	uint32_t *start = arena_calloc(a, n_places + 2, sizeof(*start));
	uint32_t places[RANGE_PLACES_MAX];

	lk->start[kind] = start;
	for (size_t i = 0; i < n; i++)
		for (size_t k = keys[i].kind == kind ? key_places(lk, &keys[i], places) : 0;
		     k-- > 0;)
			start[places[k] + 2]++;
	start[0] = start[1] = lk->n_hits;
	for (size_t i = 2; i < n_places + 2; i++)
		start[i] += start[i - 1];
	/* Filling moves start[i + 1] from where i's begin to where they end. */
	for (size_t i = 0; i < n; i++)
		for (size_t k = keys[i].kind == kind ? key_places(lk, &keys[i], places) : 0;
		     k-- > 0;)
			lk->hits[start[places[k] + 1]++] = names[keys[i].owner];
	lk->n_hits = start[n_places];
}

static void build_ranges(struct lookup *lk, const struct key *keys, size_t n, struct arena *a)
{
	struct range *list = xcalloc(n, sizeof(*list));
	size_t n_list = 0;

	for (size_t i = 0; i < n; i++)
		if (keys[i].kind == KEY_RANGE)
			list[n_list++] = *keys[i].range;
	ranges_build(&lk->ranges, list, n_list, a);
	free(list);
}

static size_t count_hits(const struct lookup *lk, const struct key *keys, size_t n)
{
	uint32_t places[RANGE_PLACES_MAX];
	size_t n_hits = 0;

	for (size_t i = 0; i < n; i++)
		n_hits += keys[i].kind == KEY_RANGE ? key_places(lk, &keys[i], places) : 1;
	return n_hits;
}

void lookup_build(struct lookup *lk, const struct key *keys, size_t n, const uint32_t *names,
		  struct arena *a)
{
	struct str *texts = xcalloc(n, sizeof(*texts));
	size_t count[KEY_KIND_COUNT];

	*lk = (struct lookup){.slot = keys[0].slot, .group = (enum type_group)keys[0].group};
	count[KEY_EXACT] = texts_of(keys, n, KEY_EXACT, texts, a);
	set_build(&lk->exact, texts, count[KEY_EXACT], a);
	count[KEY_PREFIX] = texts_of(keys, n, KEY_PREFIX, texts, a);
	prefixes_build(&lk->prefixes, texts, count[KEY_PREFIX], a);
	count[KEY_SUFFIX] = texts_of(keys, n, KEY_SUFFIX, texts, a);
	prefixes_build(&lk->suffixes, texts, count[KEY_SUFFIX], a);
	count[KEY_PATH] = texts_of(keys, n, KEY_PATH, texts, a);
	prefixes_build(&lk->paths, texts, count[KEY_PATH], a);
	build_ranges(lk, keys, n, a);
	count[KEY_RANGE] = ranges_n_places(&lk->ranges);
	count[KEY_PIECE] = texts_of(keys, n, KEY_PIECE, texts, a);
	pieces_build(&lk->pieces, texts, count[KEY_PIECE], false, a);
	count[KEY_FOLDED] = texts_of(keys, n, KEY_FOLDED, texts, a);
	pieces_build(&lk->folded, texts, count[KEY_FOLDED], true, a);
	lk->hits = arena_alloc(a, count_hits(lk, keys, n) * sizeof(*lk->hits));
	for (unsigned kind = 0; kind < KEY_KIND_COUNT; kind++)
		place_hits(lk, keys, n, names, (enum key_kind)kind, count[kind], a);
	free(texts);
}

struct hit_call {
	const struct lookup *lk;
	void (*fn)(void *arg, uint32_t name);
	void *arg;
};

static void call_hits(const struct hit_call *h, enum key_kind kind, uint32_t place)
{
	const uint32_t *start = h->lk->start[kind] + place;

	for (uint32_t i = start[0]; i < start[1]; i++)
		h->fn(h->arg, h->lk->hits[i]);
}

static void call_prefixes(const struct hit_call *h, enum key_kind kind, const struct prefixes *p,
			  struct str text)
{
	for (int32_t at = prefixes_find(p, text); at >= 0; at = p->parent[at])
		call_hits(h, kind, (uint32_t)at);
}

static void call_range(void *arg, uint32_t place)
{
	call_hits(arg, KEY_RANGE, place);
}

static void call_piece(void *arg, uint32_t place)
{
	call_hits(arg, KEY_PIECE, place);
}

static void call_folded(void *arg, uint32_t place)
{
	call_hits(arg, KEY_FOLDED, place);
}

struct str lookup_number(enum type_group g, uint64_t bits, char out[RANGE_NUMBER_SIZE])
{
	double d;

	if (g == GROUP_SIGNED)
		return range_signed((int64_t)bits, out);
	if (g != GROUP_DOUBLE)
		return range_unsigned(bits, out);
	memcpy(&d, &bits, sizeof(d));
	return range_double(d, out);
}

/* A slot's values are all numbers or all texts, and numbers have but two kinds of keys. */
static void each_number(const struct hit_call *h, const struct value *v)
{
	const struct lookup *lk = h->lk;
	char space[RANGE_NUMBER_SIZE];
	struct str bytes = {(const char *)&v->u, sizeof(v->u)};
	int32_t at;

	if (set_may_have(&lk->exact, bytes) && (at = set_find(&lk->exact, bytes)) >= 0)
		call_hits(h, KEY_EXACT, (uint32_t)at);
	ranges_each(&lk->ranges, lookup_number(lk->group, v->u, space), call_range, (void *)h);
}

void lookup_each(const struct lookup *lk, const struct value *v,
		 void (*fn)(void *arg, uint32_t name), void *arg)
{
	struct hit_call h = {lk, fn, arg};
	char space[SUFFIX_MAX], path[PATH_PLAIN_MAX];
	struct str text;
	int32_t at;

	if (lk->group < GROUP_STRING) {
		each_number(&h, v);
		return;
	}
	text = v->s;
	if (set_may_have(&lk->exact, text) && (at = set_find(&lk->exact, text)) >= 0)
		call_hits(&h, KEY_EXACT, (uint32_t)at);
	if (lk->prefixes.n)
		call_prefixes(&h, KEY_PREFIX, &lk->prefixes, text);
	if (lk->suffixes.n)
		call_prefixes(&h, KEY_SUFFIX, &lk->suffixes, reverse(text, space));
	if (lk->paths.n)
		call_prefixes(&h, KEY_PATH, &lk->paths, path_plain(text, path));
	ranges_each(&lk->ranges, text, call_range, &h);
	pieces_each(&lk->pieces, text, call_piece, &h);
	pieces_each(&lk->folded, text, call_folded, &h);
}

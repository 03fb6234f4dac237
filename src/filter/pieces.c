/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/pieces.h"

#include "base/alloc.h"

#include <stdlib.h>

static uint32_t four(const char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Four bytes with ASCII letters in lower case. */
static uint32_t lower_four(uint32_t v)
{
	const uint32_t ones = 0x01010101;
	uint32_t low7 = v & ones * 0x7f;
	uint32_t from_a = low7 + ones * (0x80 - 'A'), behind_z = low7 + ones * (0x7f - 'Z');

	return v | ((from_a & ~behind_z & ~v & ones * 0x80) >> 2);
}

static uint32_t hash_four(uint32_t v, uint32_t shift)
{
	return v * 0x9e3779b1u >> shift;
}

/* How many items have what hashes like this; large enough that few do by chance. */
static uint32_t *count_fours(const struct str *items, size_t n, uint32_t *ret_shift)
{
	size_t total = 0, size = 1024;
	uint32_t *counts, shift = 22;

	for (size_t i = 0; i < n; i++)
		total += items[i].n;
	for (; size < total * 4 && shift > 8; size *= 2)
		shift--;
	counts = xcalloc(size, sizeof(*counts));
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k + 4 <= items[i].n; k++)
			counts[hash_four(four(items[i].p + k), shift)]++;
	*ret_shift = shift;
	return counts;
}

static uint32_t rarest(struct str item, const uint32_t *counts, uint32_t shift)
{
	uint32_t best = 0, best_count = UINT32_MAX;

	for (uint32_t k = 0; k + 4 <= item.n; k++) {
		uint32_t count = counts[hash_four(four(item.p + k), shift)];

		if (count < best_count) {
			best = k;
			best_count = count;
		}
	}
	return best;
}

static void tables_make(struct pieces *p, struct arena *a)
{
	size_t size = 1024;

	for (p->shift = 22; size < (size_t)p->n * 32 && p->shift > 12; size *= 2)
		p->shift--;
	p->bits = arena_calloc(a, size / 64, sizeof(*p->bits));
	p->first = arena_calloc(a, size, sizeof(*p->first));
	p->next = arena_calloc(a, p->n, sizeof(*p->next));
	for (uint32_t i = 0; i < p->n; i++) {
		uint32_t h = hash_four(four(p->items[i].p + p->offset[i]), p->shift);

		p->bits[h / 64] |= 1ULL << (h % 64);
		p->next[i] = p->first[h];
		p->first[h] = i + 1;
	}
}

void pieces_build(struct pieces *p, const struct str *items, size_t n, bool fold, struct arena *a)
{
	uint32_t *counts, shift;

	*p = (struct pieces){.n = (uint32_t)n, .fold = fold};
	if (!n)
		return;
	counts = count_fours(items, n, &shift);
	p->items = arena_alloc(a, n * sizeof(*p->items));
	p->offset = arena_alloc(a, n * sizeof(*p->offset));
	memcpy(p->items, items, n * sizeof(*items));
	for (size_t i = 0; i < n; i++)
		p->offset[i] = rarest(items[i], counts, shift);
	free(counts);
	tables_make(p, a);
}

static bool is_folded(const char *p, struct str item)
{
	for (size_t i = 0; i < item.n; i++)
		if ((p[i] >= 'A' && p[i] <= 'Z' ? p[i] | 0x20 : p[i]) != item.p[i])
			return false;
	return true;
}

static bool is_at(const struct pieces *p, uint32_t i, struct str text, size_t at)
{
	struct str item = p->items[i];
	const char *start;

	if (at < p->offset[i] || at - p->offset[i] + item.n > text.n)
		return false;
	start = text.p + at - p->offset[i];
	return p->fold ? is_folded(start, item) : !memcmp(start, item.p, item.n);
}

void pieces_each(const struct pieces *p, struct str text, void (*fn)(void *arg, uint32_t i),
		 void *arg)
{
	for (size_t at = 0; p->n && at + 4 <= text.n; at++) {
		uint32_t v = four(text.p + at);
		uint32_t h = hash_four(p->fold ? lower_four(v) : v, p->shift);

		if (!(p->bits[h / 64] >> (h % 64) & 1))
			continue;
		for (uint32_t i = p->first[h]; i; i = p->next[i - 1])
			if (is_at(p, i - 1, text, at))
				fn(arg, i - 1);
	}
}

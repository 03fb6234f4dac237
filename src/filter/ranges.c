/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/ranges.h"

#include <endian.h>
#include <stdlib.h>

static const uint64_t TOP_BIT = 1ULL << 63;

int bound_compare(const struct bound *a, const struct bound *b)
{
	int order;

	if (a->side == BOUND_END || b->side == BOUND_END)
		return (a->side == BOUND_END) - (b->side == BOUND_END);
	order = str_cmp(a->text, b->text);
	return order ? order : (int)a->side - (int)b->side;
}

static int compare_bounds(const void *a, const void *b)
{
	return bound_compare(a, b);
}

static uint64_t head_of(struct str text)
{
	uint64_t v = 0;

	if (text.n)
		memcpy(&v, text.p, text.n < sizeof(v) ? text.n : sizeof(v));
	return be64toh(v);
}

/* Segment i ends at bound i; the last one has no end. */
static uint32_t n_segments(const struct ranges *r)
{
	return r->n + 1;
}

/* The tree is an array: the node above i is i / 2, and the segments are its second half. */
size_t ranges_n_places(const struct ranges *r)
{
	return 2 * (size_t)n_segments(r);
}

/* The segment behind a bound. */
static uint32_t segment_from(const struct ranges *r, const struct bound *b)
{
	const struct bound *at = bsearch(b, r->bounds, r->n, sizeof(*b), compare_bounds);

	return (uint32_t)(at - r->bounds) + 1;
}

size_t ranges_places(const struct ranges *r, const struct range *x, uint32_t *out)
{
	uint32_t lo = segment_from(r, &x->from) + n_segments(r);
	uint32_t hi = segment_from(r, &x->to) + n_segments(r);
	size_t n = 0;

	for (; lo < hi; lo /= 2, hi /= 2) {
		if (lo & 1)
			out[n++] = lo++;
		if (hi & 1)
			out[n++] = --hi;
	}
	return n;
}

static void find_near(struct ranges *r, const struct range *list, size_t n, struct arena *a)
{
	uint32_t places[RANGE_PLACES_MAX];

	r->near = arena_calloc(a, ranges_n_places(r), sizeof(*r->near));
	for (size_t i = 0; i < n; i++)
		for (size_t k = ranges_places(r, &list[i], places); k-- > 0;)
			r->near[places[k]] = places[k];
	for (uint32_t i = 1; i < ranges_n_places(r); i++)
		if (!r->near[i])
			r->near[i] = r->near[i / 2];
}

void ranges_build(struct ranges *r, const struct range *list, size_t n, struct arena *a)
{
	*r = (struct ranges){.n = 0};
	if (!n)
		return;
	r->bounds = arena_alloc(a, 2 * n * sizeof(*r->bounds));
	r->heads = arena_alloc(a, 2 * n * sizeof(*r->heads));
	for (size_t i = 0; i < n; i++) {
		r->bounds[2 * i] = list[i].from;
		r->bounds[2 * i + 1] = list[i].to;
	}
	qsort(r->bounds, 2 * n, sizeof(*r->bounds), compare_bounds);
	for (size_t i = 0; i < 2 * n; i++)
		if (!r->n || bound_compare(&r->bounds[r->n - 1], &r->bounds[i]))
			r->bounds[r->n++] = r->bounds[i];
	for (uint32_t i = 0; i < r->n; i++)
		r->heads[i] =
			r->bounds[i].side == BOUND_END ? UINT64_MAX : head_of(r->bounds[i].text);
	find_near(r, list, n, a);
}

static bool is_behind(const struct ranges *r, uint32_t i, struct str text, uint64_t head)
{
	const struct bound *b = &r->bounds[i];
	int order;

	if (r->heads[i] != head)
		return r->heads[i] < head;
	if (b->side == BOUND_END)
		return false;
	order = str_cmp(b->text, text);
	return order < 0 || (!order && b->side == BOUND_BEFORE);
}

void ranges_each(const struct ranges *r, struct str text, void (*fn)(void *arg, uint32_t place),
		 void *arg)
{
	uint64_t head = head_of(text);
	uint32_t lo = 0, hi = r->n;

	if (!r->n)
		return;
	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (is_behind(r, mid, text, head))
			lo = mid + 1;
		else
			hi = mid;
	}
	for (uint32_t place = r->near[lo + n_segments(r)]; place; place = r->near[place / 2])
		fn(arg, place);
}

struct str range_unsigned(uint64_t v, char *out)
{
	v = htobe64(v);
	memcpy(out, &v, sizeof(v));
	return (struct str){out, sizeof(v)};
}

struct str range_signed(int64_t v, char *out)
{
	return range_unsigned((uint64_t)v ^ TOP_BIT, out);
}

/* The bits of positive ones are in order, those of negative ones in the opposite one. */
struct str range_double(double v, char *out)
{
	uint64_t bits;

	v += 0.0; /* no negative zero */
	memcpy(&bits, &v, sizeof(v));
	return range_unsigned(bits & TOP_BIT ? ~bits : bits | TOP_BIT, out);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of many ranges a value lies in.
 *
 * Values are byte strings in the order of str_cmp(); numbers are written so that this is their
 * order.  The bounds of all ranges cut the order into segments, the leaves of a binary tree.  A
 * range is the few nodes of the tree that make it up, its places; a value's ranges stand on the
 * way from its segment to the root.
 */
#pragma once

#include "base/arena.h"

/* Between two values: just before a text, just behind it, or behind everything. */
struct bound {
	struct str text;
	enum { BOUND_BEFORE, BOUND_BEHIND, BOUND_END } side;
};

struct range {
	struct bound from, to; /* nothing is in it unless from < to */
};

struct ranges {
	struct bound *bounds; /* sorted, each once */
	uint64_t *heads;      /* the first 8 bytes of each: mostly they decide */
	uint32_t *near;	      /* by place: it or the next one above that is some range's, 0: none */
	uint32_t n;
};

enum { RANGE_PLACES_MAX = 64, RANGE_NUMBER_SIZE = 8 };

int bound_compare(const struct bound *a, const struct bound *b);

/* The texts are borrowed. */
void ranges_build(struct ranges *r, const struct range *list, size_t n, struct arena *a);
/* Places are numbers below this one. */
size_t ranges_n_places(const struct ranges *r);
/* The places of a range that r was built from; returns how many. */
size_t ranges_places(const struct ranges *r, const struct range *x, uint32_t *out);
/* Call fn with every place that text lies in. */
void ranges_each(const struct ranges *r, struct str text, void (*fn)(void *arg, uint32_t place),
		 void *arg);

/* Numbers as texts that sort as they do; out has RANGE_NUMBER_SIZE bytes. */
struct str range_unsigned(uint64_t v, char *out);
struct str range_signed(int64_t v, char *out);
struct str range_double(double v, char *out);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Estimates: what a node costs and how often it is true.
 *
 * They only order the evaluation, so being wrong costs time and nothing else.  Guesses at first;
 * leaves that have been counted are known better.
 */
#pragma once

#include "filter/node.h"

struct estimate {
	float cost;   /* a bare number comparison is 1; 0: not made yet */
	float likely; /* chance of being true */
};

/* How often a leaf was asked and how often it was true. */
struct tally {
	uint32_t n, n_true;
};

struct estimator {
	const struct graph *graph;
	struct estimate *list; /* by node */
};

/* tallies: by node, or NULL. */
void estimator_init(struct estimator *est, const struct graph *g, const struct tally *tallies);
void estimator_done(struct estimator *est);
struct estimate estimate_node(struct estimator *est, uint32_t node);
float estimate_likely(struct estimator *est, uint32_t ref);
/* The parts of an AND in the order in which asking them costs least. */
void estimate_order(struct estimator *est, uint32_t *refs, size_t n);

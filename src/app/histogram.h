/* SPDX-License-Identifier: Apache-2.0 */
/* Where the events of one rule came to an end. */
#pragma once

#include "base/arena.h"
#include "filter/program.h"

struct histogram_leaf;

struct histogram {
	struct arena arena; /* texts of leaves */
	struct histogram_leaf *leaves;
	size_t n, cap;
	uint64_t n_events, n_matches, n_other;
};

void histogram_init(struct histogram *h);
void histogram_done(struct histogram *h);
/* This event failed at step, so many leaves behind the first. */
void histogram_add(struct histogram *h, const struct explain_step *step, unsigned depth,
		   uint64_t event);
/* In the order of how far events got. */
void histogram_text(struct histogram *h, struct buf *out);
void histogram_json(struct histogram *h, struct buf *out); /* members, without braces */

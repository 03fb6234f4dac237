/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Specialisation: what is left of a condition once the event's type is known.
 */
#pragma once

#include "filter/events.h"
#include "filter/node.h"

struct specialiser {
	struct graph *graph;
	struct moment moment; /* just the event, and of that just the type */
	uint8_t record[64];
	bool has_name;	/* the type says what evt.type is */
	uint32_t *done; /* folded edge of a node's positive edge, plus one */
	size_t n_done;
	struct arena scratch;
};

/*
 * For events of this type; for generic ones also of this portable code, SC_COUNT where the
 * record does not say.
 */
void specialiser_init(struct specialiser *s, struct graph *g, unsigned type, unsigned syscall);
void specialiser_done(struct specialiser *s);
/* The edge that equals ref for such events; adds nodes to the graph. */
uint32_t specialise(struct specialiser *s, uint32_t ref);

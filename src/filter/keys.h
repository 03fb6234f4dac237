/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys: what a value must be, or start with, for a condition to be true.
 */
#pragma once

#include "filter/plan.h"

/* The owner can only be true when slot's value is this text, or starts with it. */
struct key {
	struct str text; /* numbers: their 8 bytes */
	uint32_t slot, owner;
	bool is_prefix, is_number;
};

struct key_list {
	struct key *list; /* free() it */
	size_t n, cap;
};

enum { KEYS_PER_OWNER_MAX = 4096 };

/*
 * Add keys, of which at least one must fit for the AND of these edges to be true.  false: there
 * are none.  popular[slot] is counted up, once for each owner.
 */
bool keys_add(struct key_list *k, const struct graph *g, const uint32_t *refs, size_t n,
	      uint32_t owner, uint32_t *popular);
bool keys_has_slot(const struct key_list *k, uint32_t slot);

/* An index over the keys on this slot; item_of[owner] is what a key names. */
void plan_index_build(struct plan_index *ix, uint32_t slot, const struct key_list *k,
		      const uint32_t *item_of, struct arena *a);

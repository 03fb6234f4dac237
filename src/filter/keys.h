/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys: what an operand's value must look like for a condition to be true.
 */
#pragma once

#include "filter/estimate.h"
#include "filter/lookup.h"

struct key_list {
	struct arena *arena;	       /* for texts of keys that are not the conditions' own */
	const struct event_info *info; /* of the events that they are for */
	struct key *list;	       /* free() it */
	size_t n, cap;
};

enum { KEYS_PER_OWNER_MAX = 4096 };

/*
 * Add keys, of which at least one must fit for the AND of these edges to be true.  false: there
 * are none.
 */
bool keys_add(struct key_list *k, struct estimator *est, const uint32_t *refs, size_t n,
	      uint32_t owner);
/* Drop the keys of owners that have one on a look-up too small to pay; has[owner] says who stays.
 */
void keys_prune(struct key_list *k, size_t n_slots, bool *has);

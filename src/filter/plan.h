/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans: how all conditions are evaluated for events of one type.
 *
 * What many conditions have in common is asked once and rejects them together (guards).  What
 * differs only in the constants that one operand is compared with is one look-up (indexes): it
 * names the conditions that can still be true.  So the cost follows the conditions that come
 * near, not those that are loaded.
 */
#pragma once

#include "filter/match.h"
#include "filter/node.h"

enum plan_kind {
	PLAN_GUARD,   /* unless ref is false, go on behind it; else at `end` */
	PLAN_TEST,    /* ref decides the conditions first, first + 1 ... of `ids` */
	PLAN_INDEX,   /* `n` indexes from `first` on name tests up to `end` to do */
	PLAN_ORDERED, /* condition `first` as written: it reads volatile fields */
};

struct plan_item {
	uint32_t kind; /* enum plan_kind */
	uint32_t ref, end, first, n;
};

/* Keys of one operand's value, each with the items that it names. */
struct plan_index {
	uint32_t slot;
	bool is_number;
	struct set exact;
	struct prefixes prefixes;
	uint32_t *exact_start, *prefix_start; /* key i's are hits[start[i]] to hits[start[i + 1]] */
	uint32_t *hits;
};

struct plan {
	struct arena arena;
	struct plan_item *items;
	struct plan_index *indexes;
	uint32_t *ids;
	size_t n_items, cap_items, n_indexes, cap_indexes, n_ids, cap_ids;
};

/* One condition, specialised: ref is what is left of it. */
struct plan_condition {
	uint32_t id, ref;
	bool is_ordered;
};

/* list is scratch and gets overwritten. */
struct plan *plan_new(struct graph *g, struct plan_condition *list, size_t n);
void plan_free(struct plan *p);

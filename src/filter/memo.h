/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results that outlive an event: what is true of a process stays true until it changes.
 *
 * A bounded cache, keyed by the generations of the thread and its main thread.  Results that
 * also depend on ancestors or on container metadata go when those epochs move.
 */
#pragma once

#include "filter/node.h"

struct memo_entry {
	uint64_t generation, main_generation;
	uint64_t lineage_epoch, container_epoch;
	uint64_t words[]; /* two bits a node: is known, is true */
};

struct memo {
	unsigned char *entries;
	size_t mask, entry_bytes;
	uint32_t first_word[MEMO_COUNT + 1]; /* of each class, then the end */
};

/* Give each node of g that is worth it a bit. */
void memo_init(struct memo *m, struct graph *g);
void memo_done(struct memo *m);
/* The entry for the thread of this moment, stale results dropped; NULL when there is none. */
struct memo_entry *memo_enter(struct memo *m, const struct field_ctx *c);

static inline bool memo_get(const struct memo_entry *e, int32_t bit, enum truth *ret)
{
	uint64_t pair = e->words[bit / 32] >> (2 * (bit % 32));

	*ret = pair & 2 ? TRUTH_TRUE : TRUTH_FALSE;
	return pair & 1;
}

static inline void memo_set(struct memo_entry *e, int32_t bit, enum truth v)
{
	e->words[bit / 32] |= (v == TRUTH_TRUE ? 3ULL : 1ULL) << (2 * (bit % 32));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Look-ups: from one operand's value to what its keys name.
 */
#pragma once

#include "filter/match.h"
#include "filter/pieces.h"

/* What a value is to a key's text. */
enum key_kind {
	KEY_EXACT,
	KEY_PREFIX,
	KEY_SUFFIX,
	KEY_PIECE,
	KEY_FOLDED, /* a piece, in lower case: in whatever case */
	KEY_KIND_COUNT,
};

/* The owner can be true only when the slot's value fits this key, or another one of its. */
struct key {
	struct str text; /* numbers: their 8 bytes */
	uint32_t slot, owner;
	uint8_t kind; /* enum key_kind */
	bool is_number;
};

struct lookup {
	uint32_t slot;
	bool is_number;
	struct set exact;
	struct prefixes prefixes;
	struct prefixes suffixes; /* back to front */
	struct pieces pieces, folded;
	/* What key i of a kind names is hits[start[kind][i]] to hits[start[kind][i + 1] - 1]. */
	uint32_t *start[KEY_KIND_COUNT];
	uint32_t *hits;
	uint32_t n_hits;
};

enum { SUFFIX_MAX = 256 }; /* bytes of a text that are looked at for suffixes */

/* keys: all of one slot.  names[owner] is what an owner's keys name. */
void lookup_build(struct lookup *lk, const struct key *keys, size_t n, const uint32_t *names,
		  struct arena *a);
/* Call fn with what each fitting key names; the same name may come more than once. */
void lookup_each(const struct lookup *lk, struct str text, void (*fn)(void *arg, uint32_t name),
		 void *arg);

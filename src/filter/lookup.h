/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Look-ups: from one operand's value to what its keys name.
 */
#pragma once

#include "filter/leaf.h"
#include "filter/match.h"
#include "filter/pieces.h"
#include "filter/ranges.h"

/* What a value is to a key's text. */
enum key_kind {
	KEY_EXACT,
	KEY_PREFIX,
	KEY_SUFFIX,
	KEY_PATH,  /* components, as path_plain() writes them, that a path begins with */
	KEY_RANGE, /* between two bounds: numbers, networks, texts in order */
	KEY_PIECE,
	KEY_FOLDED, /* a piece, in lower case: in whatever case */
	KEY_KIND_COUNT,
};

/* The owner can be true only when the slot's value fits this key, or another one of its. */
struct key {
	struct str text;	   /* numbers: their 8 bytes */
	const struct range *range; /* KEY_RANGE: instead of text */
	uint32_t slot, owner;
	uint8_t kind;  /* enum key_kind */
	uint8_t group; /* enum type_group of the slot's values */
};

struct lookup {
	uint32_t slot;
	enum type_group group;
	struct set exact;
	struct prefixes prefixes;
	struct prefixes suffixes; /* back to front */
	struct prefixes paths;
	struct ranges ranges;
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
/* Call fn with what each key that v fits names; the same name may come more than once. */
void lookup_each(const struct lookup *lk, const struct value *v,
		 void (*fn)(void *arg, uint32_t name), void *arg);
/* A number of that group, given as the bits of a value, as bounds of ranges are written. */
struct str lookup_number(enum type_group g, uint64_t bits, char out[RANGE_NUMBER_SIZE]);

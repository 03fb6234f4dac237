/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of many pieces occur in a text, in one pass over it.
 *
 * Each piece is known by four bytes of it that few others have.  The pass looks at every four
 * bytes of the text: mostly one bit says that no piece has them.
 */
#pragma once

#include "base/arena.h"

enum { PIECE_MIN = 4 }; /* bytes */

struct pieces {
	uint32_t n, shift;
	bool fold; /* whatever the case of ASCII letters */
	struct str *items;
	uint32_t *offset; /* where in the item its four bytes are */
	uint64_t *bits;	  /* by hash: some item has such four bytes */
	uint32_t *first;  /* by hash: item + 1 */
	uint32_t *next;	  /* by item: another one with this hash, + 1 */
};

/* items: distinct, each of PIECE_MIN bytes or more, in lower case with fold; borrowed. */
void pieces_build(struct pieces *p, const struct str *items, size_t n, bool fold, struct arena *a);
/* Call fn with the index of each item in text, once for each place where it is. */
void pieces_each(const struct pieces *p, struct str text, void (*fn)(void *arg, uint32_t i),
		 void *arg);

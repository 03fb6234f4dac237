/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text that is put together piece by piece in an arena.  What it outgrows stays in the arena
 * until that is reset, so events cost no malloc.
 */
#pragma once

#include "base/arena.h"

enum { TEXT_MAX_BYTES = 1 << 20 }; /* more is left out */

struct text {
	struct arena *arena;
	char *p;
	size_t n, cap;
};

static inline struct text text_start(struct arena *a)
{
	return (struct text){.arena = a};
}

void text_add(struct text *t, struct str s);
void text_addc(struct text *t, char c);
void text_addz(struct text *t, const char *z);
void text_add_u64(struct text *t, uint64_t u);
void text_add_i64(struct text *t, int64_t i);
/* Pieces of a NUL-separated list with sep between them. */
void text_add_list(struct text *t, struct str list, char sep);

static inline struct str text_str(const struct text *t)
{
	return t->n ? (struct str){t->p, t->n} : STR_EMPTY;
}

/* Room for the digits of any number in any of the ways below. */
struct digits {
	char p[24];
};

struct str digits_u64(struct digits *d, uint64_t u);
struct str digits_i64(struct digits *d, int64_t i);
/* With zeros in front up to that width. */
struct str digits_padded(struct digits *d, uint64_t u, unsigned width);
struct str digits_hex(struct digits *d, uint64_t u); /* upper case, no prefix */
struct str digits_hex_lower(struct digits *d, uint64_t u);
struct str digits_oct(struct digits *d, uint64_t u); /* a 0 in front, and 0 for 0 */

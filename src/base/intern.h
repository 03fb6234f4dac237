/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/slab.h"
#include "base/str.h"

/*
 * Interned strings: equal bytes are one object, so equality is a pointer
 * comparison, and what a thousand processes share is stored once.
 *
 * Counted references.  Not thread safe.  NULL stands for "no string": every
 * function takes it.
 */
struct istr {
	struct istr *next; /* hash chain, private */
	uint64_t hash;
	uint32_t refs;
	uint32_t n;
	char s[]; /* n bytes and a NUL */
};

struct intern;

/* Blocks come from s, which must outlive it. */
struct intern *intern_new(struct slab *s);
void intern_free(struct intern *t);
/* One more reference to the interned text; NULL when the slab is full. */
struct istr *intern_get(struct intern *t, struct str text);
/* Without a new reference; NULL when not interned. */
struct istr *intern_find(const struct intern *t, struct str text);
void intern_unref(struct intern *t, struct istr *i);

static inline struct istr *istr_ref(struct istr *i)
{
	if (i)
		i->refs++;
	return i;
}

static inline struct str istr_str(const struct istr *i)
{
	return i ? (struct str){i->s, i->n} : STR_EMPTY;
}

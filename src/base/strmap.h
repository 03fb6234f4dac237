/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"

/*
 * From names to numbers: an open-addressing table.  Keys are borrowed and must outlive it;
 * nothing is ever removed.
 */
struct strmap {
	struct strmap_slot *slots;
	size_t n, cap; /* cap: a power of two, or 0 */
};

#define STRMAP_EMPTY ((struct strmap){NULL, 0, 0})

void strmap_done(struct strmap *m);
/* Add or replace. */
void strmap_put(struct strmap *m, struct str key, uint32_t value);
bool strmap_get(const struct strmap *m, struct str key, uint32_t *ret);

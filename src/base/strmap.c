/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strmap.h"

#include "base/alloc.h"

#include <stdlib.h>

struct strmap_slot {
	struct str key; /* key.p NULL: free */
	uint32_t hash, value;
};

void strmap_done(struct strmap *m)
{
	free(m->slots);
	*m = STRMAP_EMPTY;
}

/* The key's slot, or the free one where it belongs.  There is always a free one. */
static struct strmap_slot *slot_of(const struct strmap *m, struct str key, uint32_t hash)
{
	for (size_t i = hash;; i++) {
		struct strmap_slot *s = &m->slots[i & (m->cap - 1)];

		if (!s->key.p || (s->hash == hash && str_eq(s->key, key)))
			return s;
	}
}

static void grow(struct strmap *m)
{
	struct strmap bigger = {.n = m->n, .cap = m->cap ? m->cap * 2 : 16};

	bigger.slots = xcalloc(bigger.cap, sizeof(*bigger.slots));
	for (size_t i = 0; i < m->cap; i++)
		if (m->slots[i].key.p)
			*slot_of(&bigger, m->slots[i].key, m->slots[i].hash) = m->slots[i];
	free(m->slots);
	*m = bigger;
}

static uint32_t hash_of(struct str key)
{
	return (uint32_t)hash_bytes(key.p, key.n, hash_seed());
}

void strmap_put(struct strmap *m, struct str key, uint32_t value)
{
	uint32_t hash = hash_of(key);
	struct strmap_slot *s;

	if (m->n * 4 >= m->cap * 3)
		grow(m);
	s = slot_of(m, key, hash);
	m->n += !s->key.p;
	*s = (struct strmap_slot){{key.p ? key.p : "", key.n}, hash, value};
}

bool strmap_get(const struct strmap *m, struct str key, uint32_t *ret)
{
	const struct strmap_slot *s;

	if (!m->n)
		return false;
	s = slot_of(m, key, hash_of(key));
	if (s->key.p)
		*ret = s->value;
	return s->key.p;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/textmap.h"

#include "base/alloc.h"

#include <stdlib.h>

struct text_entry {
	struct str key; /* .p NULL: empty */
	uint64_t hash;
	uint32_t value;
};

struct text_map {
	struct arena arena;
	struct text_entry *entries;
	size_t mask, n;
	uint64_t seed;
};

struct text_map *text_map_new(void)
{
	struct text_map *m = xcalloc(1, sizeof(*m));

	arena_init(&m->arena, 0);
	m->mask = 255;
	m->entries = xcalloc(m->mask + 1, sizeof(*m->entries));
	m->seed = hash_seed();
	return m;
}

void text_map_free(struct text_map *m)
{
	if (!m)
		return;
	arena_done(&m->arena);
	free(m->entries);
	free(m);
}

/* The entry of key, or the empty one where it belongs. */
static struct text_entry *place(const struct text_map *m, struct str key, uint64_t hash)
{
	struct text_entry *t;

	for (size_t at = hash & m->mask;; at = (at + 1) & m->mask) {
		t = &m->entries[at];
		if (!t->key.p || (t->hash == hash && str_eq(t->key, key)))
			return t;
	}
}

bool text_map_find(const struct text_map *m, struct str key, uint32_t *ret)
{
	const struct text_entry *t = place(m, key, hash_bytes(key.p, key.n, m->seed));

	if (t->key.p)
		*ret = t->value;
	return t->key.p;
}

static void grow(struct text_map *m)
{
	struct text_entry *old = m->entries;
	size_t n = m->mask + 1;

	m->mask = n * 2 - 1;
	m->entries = xcalloc(n * 2, sizeof(*m->entries));
	for (size_t i = 0; i < n; i++)
		if (old[i].key.p)
			*place(m, old[i].key, old[i].hash) = old[i];
	free(old);
}

void text_map_add(struct text_map *m, struct str key, uint32_t value)
{
	uint64_t hash = hash_bytes(key.p, key.n, m->seed);

	if (++m->n > m->mask / 2)
		grow(m);
	*place(m, key, hash) = (struct text_entry){arena_str(&m->arena, key), hash, value};
}

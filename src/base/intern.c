/* SPDX-License-Identifier: Apache-2.0 */
#include "base/intern.h"

#include "base/alloc.h"

#include <stdlib.h>

struct intern {
	struct slab *slab;
	struct istr **bucket;
	size_t mask, n;
	uint64_t seed;
};

struct intern *intern_new(struct slab *s)
{
	struct intern *t = xcalloc(1, sizeof(*t));

	t->slab = s;
	t->mask = 255;
	t->bucket = xcalloc(t->mask + 1, sizeof(*t->bucket));
	t->seed = hash_seed();
	return t;
}

void intern_free(struct intern *t)
{
	if (!t)
		return;
	free(t->bucket);
	free(t);
}

static void grow(struct intern *t)
{
	size_t mask = t->mask * 2 + 1;
	struct istr **bucket = xcalloc(mask + 1, sizeof(*bucket));

	for (size_t b = 0; b <= t->mask; b++) {
		for (struct istr *i = t->bucket[b], *next; i; i = next) {
			next = i->next;
			i->next = bucket[i->hash & mask];
			bucket[i->hash & mask] = i;
		}
	}
	free(t->bucket);
	t->bucket = bucket;
	t->mask = mask;
}

static struct istr *find(const struct intern *t, struct str text, uint64_t hash)
{
	for (struct istr *i = t->bucket[hash & t->mask]; i; i = i->next)
		if (i->hash == hash && i->n == text.n && !memcmp(i->s, text.p, text.n))
			return i;
	return NULL;
}

struct istr *intern_find(const struct intern *t, struct str text)
{
	return find(t, text, hash_bytes(text.p, text.n, t->seed));
}

struct istr *intern_get(struct intern *t, struct str text)
{
	uint64_t hash = hash_bytes(text.p, text.n, t->seed);
	struct istr *i = find(t, text, hash);

	if (i)
		return istr_ref(i);
	i = slab_get(t->slab, sizeof(*i) + text.n + 1);
	if (!i)
		return NULL;
	*i = (struct istr){.hash = hash, .refs = 1, .n = (uint32_t)text.n};
	if (text.n)
		memcpy(i->s, text.p, text.n);
	i->s[text.n] = '\0';
	if (++t->n > t->mask)
		grow(t);
	i->next = t->bucket[hash & t->mask];
	t->bucket[hash & t->mask] = i;
	return i;
}

void intern_unref(struct intern *t, struct istr *i)
{
	struct istr **link;

	if (!i || --i->refs)
		return;
	link = &t->bucket[i->hash & t->mask];
	while (*link != i)
		link = &(*link)->next;
	*link = i->next;
	t->n--;
	slab_put(t->slab, i, sizeof(*i) + i->n + 1);
}

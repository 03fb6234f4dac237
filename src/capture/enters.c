/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/enters.h"

#include "base/alloc.h"
#include "base/slab.h"

#include <stdlib.h>

enum {
	SETS = 8192, /* a power of two */
	WAYS = 4,    /* a thread has so many places, in the set that its id hashes to */
	MAX_BYTES = 8 << 20,
};

struct enter {
	struct str rec, raw; /* of the slab; rec.p NULL: a free place */
	uint32_t age;	     /* value of the clock when it was put */
	int64_t tid;
};

struct enters {
	struct slab *slab;
	struct str taken; /* lent out by enters_take() */
	uint64_t n_evicted;
	uint32_t clock;
	struct enter sets[SETS][WAYS];
};

struct enters *enters_new(void)
{
	struct enters *t = xcalloc(1, sizeof(*t));

	t->slab = slab_new(MAX_BYTES);
	return t;
}

void enters_free(struct enters *t)
{
	if (t)
		slab_free(t->slab);
	free(t);
}

static size_t set_of(int64_t tid)
{
	return hash_u64((uint64_t)tid) % SETS;
}

static struct enter *find(const struct enters *t, int64_t tid)
{
	const struct enter *set = t->sets[set_of(tid)];

	for (unsigned i = 0; i < WAYS; i++)
		if (set[i].rec.p && set[i].tid == tid)
			return (struct enter *)&set[i];
	return NULL;
}

static void release(struct enters *t, struct str *s)
{
	slab_put(t->slab, (void *)(uintptr_t)s->p, s->n);
	*s = (struct str){NULL, 0};
}

static void release_place(struct enters *t, struct enter *place)
{
	release(t, &place->rec);
	release(t, &place->raw);
}

/* False when there is no room. */
static bool keep(struct enters *t, struct str s, struct str *ret)
{
	char *p = slab_get(t->slab, s.n);

	if (!p)
		return false;
	if (s.n)
		memcpy(p, s.p, s.n);
	*ret = (struct str){p, s.n};
	return true;
}

/* A free place, else the one that has waited longest. */
static struct enter *place_for(struct enters *t, int64_t tid)
{
	struct enter *set = t->sets[set_of(tid)], *oldest = set;

	for (unsigned i = 0; i < WAYS; i++) {
		if (!set[i].rec.p)
			return &set[i];
		if (t->clock - set[i].age > t->clock - oldest->age)
			oldest = &set[i];
	}
	t->n_evicted++;
	release_place(t, oldest);
	return oldest;
}

/* Only what is in use is written to: the rest of the table need never become memory. */
void enters_clear(struct enters *t)
{
	struct enter *place = &t->sets[0][0];

	for (unsigned i = 0; i < SETS * WAYS; i++, place++)
		if (place->rec.p)
			release_place(t, place);
}

void enters_put(struct enters *t, int64_t tid, struct str rec, struct str raw)
{
	struct enter *place;

	enters_take(t, tid);
	release(t, &t->taken);
	place = place_for(t, tid);
	if (!keep(t, rec, &place->rec)) {
		t->n_evicted++;
		return;
	}
	if (!keep(t, raw, &place->raw)) {
		t->n_evicted++;
		release(t, &place->rec);
		return;
	}
	place->tid = tid;
	place->age = t->clock++;
}

struct str enters_find(const struct enters *t, int64_t tid)
{
	const struct enter *place = find(t, tid);

	return place ? place->rec : STR_EMPTY;
}

struct str enters_take(struct enters *t, int64_t tid)
{
	struct enter *place = find(t, tid);

	if (!place)
		return STR_EMPTY;
	release(t, &t->taken);
	release(t, &place->rec);
	t->taken = place->raw;
	place->raw = (struct str){NULL, 0};
	return t->taken;
}

uint64_t enters_evicted(const struct enters *t)
{
	return t->n_evicted;
}

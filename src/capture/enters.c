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
	uint8_t *rec; /* NULL: free */
	uint32_t n;
	uint32_t age; /* value of the clock when it was put */
	int64_t tid;
};

struct enters {
	struct slab *slab;
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

void enters_clear(struct enters *t)
{
	slab_free(t->slab);
	t->slab = slab_new(MAX_BYTES);
	memset(t->sets, 0, sizeof(t->sets));
}

static size_t set_of(int64_t tid)
{
	return hash_u64((uint64_t)tid) % SETS;
}

static struct enter *find(const struct enters *t, int64_t tid)
{
	const struct enter *set = t->sets[set_of(tid)];

	for (unsigned i = 0; i < WAYS; i++)
		if (set[i].rec && set[i].tid == tid)
			return (struct enter *)&set[i];
	return NULL;
}

static void release(struct enters *t, struct enter *place)
{
	slab_put(t->slab, place->rec, place->n);
	place->rec = NULL;
}

/* A free place, else the one that has waited longest. */
static struct enter *place_for(struct enters *t, int64_t tid)
{
	struct enter *set = t->sets[set_of(tid)], *oldest = set;

	for (unsigned i = 0; i < WAYS; i++) {
		if (!set[i].rec)
			return &set[i];
		if (t->clock - set[i].age > t->clock - oldest->age)
			oldest = &set[i];
	}
	t->n_evicted++;
	release(t, oldest);
	return oldest;
}

void enters_put(struct enters *t, int64_t tid, struct str rec)
{
	struct enter *place;

	enters_drop(t, tid);
	place = place_for(t, tid);
	place->rec = slab_get(t->slab, rec.n);
	if (!place->rec) {
		t->n_evicted++;
		return;
	}
	memcpy(place->rec, rec.p, rec.n);
	place->n = (uint32_t)rec.n;
	place->tid = tid;
	place->age = t->clock++;
}

struct str enters_find(const struct enters *t, int64_t tid)
{
	const struct enter *place = find(t, tid);

	return place ? (struct str){(const char *)place->rec, place->n} : STR_EMPTY;
}

void enters_drop(struct enters *t, int64_t tid)
{
	struct enter *place = find(t, tid);

	if (place)
		release(t, place);
}

uint64_t enters_evicted(const struct enters *t)
{
	return t->n_evicted;
}

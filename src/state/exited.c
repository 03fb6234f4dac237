/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that exited a moment ago: a parent's half of a clone that arrives after the child
 * has come and gone must not bring it back.
 */
#include "base/alloc.h"
#include "state/private.h"

#include <stdlib.h>

struct exited_entry {
	uint32_t ptid, tid;
	uint64_t ts;
	int16_t next; /* in the bucket, newest first; -1 at its end */
};

void exited_init(struct exited *x)
{
	x->ring = xcalloc(N_EXITED, sizeof(*x->ring));
	x->at = x->n = 0;
	memset(x->bucket, 0xff, sizeof(x->bucket));
}

void exited_done(struct exited *x)
{
	free(x->ring);
	x->ring = NULL;
}

static int16_t *bucket_of(struct exited *x, uint32_t ptid, uint32_t tid)
{
	return &x->bucket[hash_u64((uint64_t)ptid << 32 | tid) % N_EXITED_BUCKETS];
}

/* The oldest is at the end of its bucket. */
static void forget_oldest(struct exited *x)
{
	const struct exited_entry *old = &x->ring[x->at];
	int16_t *link = bucket_of(x, old->ptid, old->tid);

	while (*link != (int16_t)x->at)
		link = &x->ring[*link].next;
	*link = -1;
}

void exited_add(struct exited *x, int64_t ptid, int64_t tid, uint64_t ts)
{
	struct exited_entry *e = &x->ring[x->at];
	int16_t *bucket;

	if (x->n == N_EXITED)
		forget_oldest(x);
	else
		x->n++;
	bucket = bucket_of(x, (uint32_t)ptid, (uint32_t)tid);
	*e = (struct exited_entry){(uint32_t)ptid, (uint32_t)tid, ts, *bucket};
	*bucket = (int16_t)x->at;
	x->at = (x->at + 1) % N_EXITED;
}

bool exited_recently(struct exited *x, int64_t ptid, int64_t tid, uint64_t ts)
{
	int16_t i = *bucket_of(x, (uint32_t)ptid, (uint32_t)tid);

	for (; i >= 0; i = x->ring[i].next) {
		const struct exited_entry *e = &x->ring[i];

		if (e->ptid == (uint32_t)ptid && e->tid == (uint32_t)tid)
			return ts - e->ts < RECENT_NS;
	}
	return false;
}

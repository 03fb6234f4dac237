/* SPDX-License-Identifier: Apache-2.0 */
#include "base/queue.h"

#include "base/alloc.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_LINE = 64 };

struct queue {
	size_t item_bytes, mask;
	uint8_t *items;
	/* Counts of all that was put and taken; each is written by one thread only. */
	_Alignas(CACHE_LINE) atomic_size_t n_put;
	_Alignas(CACHE_LINE) atomic_size_t n_taken;
};

struct queue *queue_new(size_t max, size_t item_bytes)
{
	size_t n = 1;
	struct queue *q = aligned_alloc(CACHE_LINE, sizeof(*q));

	if (!q)
		abort();
	while (n < max)
		n *= 2;
	q->item_bytes = item_bytes;
	q->mask = n - 1;
	q->items = xcalloc(n, item_bytes);
	atomic_init(&q->n_put, 0);
	atomic_init(&q->n_taken, 0);
	return q;
}

void queue_free(struct queue *q)
{
	if (q)
		free(q->items);
	free(q);
}

bool queue_put(struct queue *q, const void *item)
{
	size_t put = atomic_load_explicit(&q->n_put, memory_order_relaxed);
	size_t taken = atomic_load_explicit(&q->n_taken, memory_order_acquire);

	if (put - taken > q->mask)
		return false;
	memcpy(q->items + (put & q->mask) * q->item_bytes, item, q->item_bytes);
	atomic_store_explicit(&q->n_put, put + 1, memory_order_release);
	return true;
}

bool queue_take(struct queue *q, void *ret)
{
	size_t taken = atomic_load_explicit(&q->n_taken, memory_order_relaxed);
	size_t put = atomic_load_explicit(&q->n_put, memory_order_acquire);

	if (put == taken)
		return false;
	memcpy(ret, q->items + (taken & q->mask) * q->item_bytes, q->item_bytes);
	atomic_store_explicit(&q->n_taken, taken + 1, memory_order_release);
	return true;
}

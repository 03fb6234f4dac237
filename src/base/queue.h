/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * A bounded queue between two threads: one puts, one takes, neither ever waits.  Items are
 * copied in and out.
 */
struct queue;

/* max: items held; rounded up to a power of two. */
struct queue *queue_new(size_t max, size_t item_bytes);
void queue_free(struct queue *q); /* NULL is fine; items are not looked at */
/* False when it is full. */
bool queue_put(struct queue *q, const void *item);
/* False when it is empty, which costs one load. */
bool queue_take(struct queue *q, void *ret);

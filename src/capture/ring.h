/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reading end of one of the kernel's ring buffers, mapped into memory.
 *
 * Records are looked at where they lie, and given back to the kernel in batches.  Who cannot look
 * at them yet may have them put aside, so that the kernel has room for more.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
	int fd;
	size_t bytes, page;
	unsigned long *consumer, *producer; /* in pages that the kernel shares */
	const uint8_t *data;		    /* mapped twice, one behind the other */
	unsigned long at, given_back;
	/* What was put aside, older than what the ring has; no memory while there is none. */
	uint8_t *aside;
	size_t aside_max, aside_at, aside_end;
	/* The record at the head: NULL when there is none that is complete. */
	const uint8_t *head;
	uint32_t n;
	bool is_busy; /* there is one, which is still being written */
};

/* fd is the map's and taken over.  bytes: its size. */
int ring_open(struct ring *r, int fd, size_t bytes, struct err *e);
void ring_close(struct ring *r);

/*
 * Copy what is complete out of the ring, as far as aside_max bytes go: 0, unless it is set.
 * Nobody may be looking at a record.
 */
void ring_put_aside(struct ring *r);
/* Bytes that only the kernel's ring holds. */
size_t ring_filled(const struct ring *r);

/* Find the record at the head, if there is one by now. */
bool ring_peek(struct ring *r);
/* Go behind the record at the head. */
void ring_skip(struct ring *r);
/*
 * Call fn with every record from the head on, which stay where they are.  False when fn gave
 * false, or when one is not complete yet.
 */
bool ring_each(const struct ring *r, bool (*fn)(const uint8_t *p, uint32_t n, void *arg),
	       void *arg);
/* Bytes from the head on. */
size_t ring_waiting(const struct ring *r);
/* Let the kernel have all room up to the head. */
void ring_give_back(struct ring *r);

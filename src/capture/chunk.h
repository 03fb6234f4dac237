/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshot records with their texts, copied, on their way from one thread to another. */
#pragma once

#include "capture/record.h"

enum { CHUNK_BYTES = 256 << 10 };

struct chunk {
	struct chunk *next; /* the owner's */
	size_t n, at;
	uint8_t bytes[CHUNK_BYTES] __attribute__((aligned(16)));
};

void chunk_reset(struct chunk *c);
/* Whether the longest of records might not fit any more. */
bool chunk_is_full(const struct chunk *c);
/* r: of a process or a descriptor.  Not when the chunk is full. */
void chunk_put(struct chunk *c, const struct record *r);
/* The next record that was put, good as long as the chunk is not reset; false at the end. */
bool chunk_next(struct chunk *c, struct record *ret);

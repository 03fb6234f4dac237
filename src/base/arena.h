/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"

/*
 * Memory that is freed together: a ruleset, or one event's scratch space.
 *
 * arena_reset() keeps the chunks, so an arena that is reset before each event
 * stops calling malloc once it has seen its largest event.
 */
struct arena_chunk;

struct arena {
	struct arena_chunk *first, *at;
	size_t used;	    /* in *at */
	size_t chunk_bytes; /* size of an ordinary chunk */
};

/* chunk_bytes 0 means 16 KiB.  A larger request gets a chunk of its own. */
void arena_init(struct arena *a, size_t chunk_bytes);
void arena_done(struct arena *a);
void arena_reset(struct arena *a);
size_t arena_bytes(const struct arena *a); /* held, used or not */
/* Aligned to 8; never NULL; not zeroed. */
void *arena_alloc(struct arena *a, size_t n) __attribute__((returns_nonnull));
void *arena_calloc(struct arena *a, size_t count, size_t n) __attribute__((returns_nonnull));
/* A copy with a NUL behind it (not counted in .n). */
struct str arena_str(struct arena *a, struct str s);
struct str arena_printf(struct arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

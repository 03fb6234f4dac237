/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Small blocks in size classes, carved from large chunks and kept on free lists.
 *
 * For entities that come and go with events: once the tables have reached their
 * working size nothing is asked of malloc any more.  The caller remembers sizes.
 */
struct slab;

/* max_bytes: chunks are never grown past it; 0 means no limit. */
struct slab *slab_new(size_t max_bytes);
void slab_free(struct slab *s); /* and every block with it; NULL is fine */
/* Aligned to 16, not zeroed.  NULL when the limit is reached. */
void *slab_get(struct slab *s, size_t n);
void slab_put(struct slab *s, void *p, size_t n);
size_t slab_used(const struct slab *s); /* bytes in live blocks, rounded to their class */
size_t slab_held(const struct slab *s); /* bytes taken from the system */

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slab.h"

#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>

/* Classes: 16 ... 512 in steps of 16, then four steps per power of two up to 64 KiB. */
enum {
	FINE_STEP = 16,
	FINE_MAX = 512,
	N_FINE = FINE_MAX / FINE_STEP,
	N_COARSE = 7 * 4, /* 640 ... 65536 */
	CHUNK_BYTES = 64 * 1024,
};

struct block {
	struct block *next;
};

struct chunk {
	struct chunk *next;
	_Alignas(16) char data[];
};

struct slab {
	size_t max, used, held;
	struct chunk *chunks;
	char *at, *end; /* the unused rest of the newest chunk */
	struct block *free_list[N_FINE + N_COARSE];
};

static unsigned class_of(size_t n, size_t *ret_size)
{
	unsigned shift, step;

	if (n <= FINE_MAX) {
		unsigned c = n ? (unsigned)((n - 1) / FINE_STEP) : 0;

		*ret_size = (c + 1) * FINE_STEP;
		return c;
	}
	shift = 63 - (unsigned)__builtin_clzll(n - 1); /* 2^shift <= n-1 */
	step = (unsigned)((n - 1) >> (shift - 2)) & 3; /* quarter that holds n-1 */
	*ret_size = ((size_t)4 + step + 1) << (shift - 2);
	return N_FINE + (shift - 9) * 4 + step;
}

struct slab *slab_new(size_t max_bytes)
{
	struct slab *s = xcalloc(1, sizeof(*s));

	s->max = max_bytes ? max_bytes : SIZE_MAX;
	return s;
}

void slab_free(struct slab *s)
{
	if (!s)
		return;
	for (struct chunk *c = s->chunks, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	free(s);
}

/* The rest of a chunk is not lost: it is cut into the largest classes that fit. */
static void retire_rest(struct slab *s)
{
	while (s->end - s->at >= FINE_STEP) {
		size_t left = (size_t)(s->end - s->at), size;
		size_t n = left > FINE_MAX ? FINE_MAX : left / FINE_STEP * FINE_STEP;
		unsigned c = class_of(n, &size);
		struct block *b = (struct block *)s->at;

		b->next = s->free_list[c];
		s->free_list[c] = b;
		s->at += size;
	}
}

static bool add_chunk(struct slab *s, size_t n)
{
	size_t size = n > CHUNK_BYTES ? n : CHUNK_BYTES;
	struct chunk *c;

	if (size > s->max - s->held)
		return false;
	retire_rest(s);
	c = xmalloc(sizeof(*c) + size);
	c->next = s->chunks;
	s->chunks = c;
	s->held += size;
	s->at = c->data;
	s->end = c->data + size;
	return true;
}

void *slab_get(struct slab *s, size_t n)
{
	size_t size;
	unsigned c;
	struct block *b;

	if (n > CHUNK_BYTES)
		return NULL;
	c = class_of(n, &size);
	b = s->free_list[c];
	if (b) {
		s->free_list[c] = b->next;
	} else {
		if ((size_t)(s->end - s->at) < size && !add_chunk(s, size))
			return NULL;
		b = (struct block *)s->at;
		s->at += size;
	}
	s->used += size;
	return b;
}

void slab_put(struct slab *s, void *p, size_t n)
{
	size_t size;
	unsigned c = class_of(n, &size);
	struct block *b = p;

	if (!p)
		return;
	b->next = s->free_list[c];
	s->free_list[c] = b;
	s->used -= size;
}

size_t slab_used(const struct slab *s)
{
	return s->used;
}

size_t slab_held(const struct slab *s)
{
	return s->held;
}

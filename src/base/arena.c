/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct arena_chunk {
	struct arena_chunk *next;
	size_t size;
	char data[];
};

void arena_init(struct arena *a, size_t chunk_bytes)
{
	*a = (struct arena){.chunk_bytes = chunk_bytes ? chunk_bytes : 16384};
}

void arena_done(struct arena *a)
{
	for (struct arena_chunk *c = a->first, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	a->first = a->at = NULL;
	a->used = 0;
}

void arena_reset(struct arena *a)
{
	a->at = a->first;
	a->used = 0;
}

size_t arena_bytes(const struct arena *a)
{
	size_t n = 0;

	for (const struct arena_chunk *c = a->first; c; c = c->next)
		n += sizeof(*c) + c->size;
	return n;
}

static void next_chunk(struct arena *a, size_t n)
{
	struct arena_chunk *c = a->at ? a->at->next : a->first;

	if (!c || c->size < n) {
		size_t size = n > a->chunk_bytes ? n : a->chunk_bytes;
		struct arena_chunk *fresh = xmalloc(sizeof(*fresh) + size);

		fresh->size = size;
		fresh->next = c;
		if (a->at)
			a->at->next = fresh;
		else
			a->first = fresh;
		c = fresh;
	}
	a->at = c;
	a->used = 0;
}

void *arena_alloc(struct arena *a, size_t n)
{
	void *p;

	n = (n + 7) & ~(size_t)7;
	if (!a->at || a->at->size - a->used < n)
		next_chunk(a, n);
	p = a->at->data + a->used;
	a->used += n;
	return p;
}

void *arena_calloc(struct arena *a, size_t count, size_t n)
{
	void *p = arena_alloc(a, count * n);

	return memset(p, 0, count * n);
}

struct str arena_str(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1);

	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return (struct str){p, s.n};
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	int n;
	char *p;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	p = arena_alloc(a, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return (struct str){p, (size_t)n};
}

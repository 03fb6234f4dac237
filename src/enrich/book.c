/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/book.h"

#include "base/alloc.h"

#include <stdlib.h>

enum { BUCKETS = 4096 };

struct book {
	size_t n, max;
	uint64_t n_evicted;
	struct page *oldest, *newest, *due;
	struct page *bucket[BUCKETS];
};

struct book *book_new(size_t max)
{
	struct book *b = xcalloc(1, sizeof(*b));

	b->max = max;
	return b;
}

void book_free(struct book *b)
{
	if (!b)
		return;
	while (b->oldest)
		book_drop(b, b->oldest);
	free(b);
}

static struct page **link_of(struct book *b, struct str key)
{
	struct page **link = &b->bucket[hash_bytes(key.p, key.n, hash_seed()) % BUCKETS];

	while (*link && !str_eq(str_of((*link)->key), key))
		link = &(*link)->hash_next;
	return link;
}

struct page *book_find(struct book *b, struct str id)
{
	return *link_of(b, str_until_nul(str_head(id, BOOK_KEY_MAX)));
}

static void unlink_age(struct book *b, struct page *p)
{
	*(p->older ? &p->older->newer : &b->oldest) = p->newer;
	*(p->newer ? &p->newer->older : &b->newest) = p->older;
}

static void link_newest(struct book *b, struct page *p)
{
	p->older = b->newest;
	p->newer = NULL;
	*(b->newest ? &b->newest->newer : &b->oldest) = p;
	b->newest = p;
}

void book_set_due(struct book *b, struct page *p, int64_t at_ms)
{
	if (p->due_ms) {
		*(p->due_before ? &p->due_before->due_next : &b->due) = p->due_next;
		if (p->due_next)
			p->due_next->due_before = p->due_before;
	}
	p->due_ms = at_ms;
	p->due_next = p->due_before = NULL;
	if (!at_ms)
		return;
	p->due_next = b->due;
	if (b->due)
		b->due->due_before = p;
	b->due = p;
}

void book_drop(struct book *b, struct page *p)
{
	*link_of(b, str_of(p->key)) = p->hash_next;
	book_set_due(b, p, 0);
	unlink_age(b, p);
	b->n--;
	free(p);
}

static void evict(struct book *b)
{
	struct page *p = b->oldest;

	while (p && p->n_asked)
		p = p->newer;
	if (!p)
		return;
	b->n_evicted++;
	book_drop(b, p);
}

struct page *book_open(struct book *b, struct str id)
{
	struct str key = str_until_nul(str_head(id, BOOK_KEY_MAX));
	struct page *p = *link_of(b, key), **link;

	if (p) {
		unlink_age(b, p);
		link_newest(b, p);
		return p;
	}
	if (b->n >= b->max)
		evict(b);
	p = xcalloc(1, sizeof(*p));
	memcpy(p->key, key.p, key.n);
	link = link_of(b, key);
	*link = p;
	link_newest(b, p);
	b->n++;
	return p;
}

struct page *book_due(struct book *b, int64_t now_ms)
{
	for (struct page *p = b->due; p; p = p->due_next) {
		if (p->due_ms <= now_ms)
			return p;
	}
	return NULL;
}

int64_t book_next_due(const struct book *b)
{
	int64_t next = INT64_MAX;

	for (const struct page *p = b->due; p; p = p->due_next) {
		if (p->due_ms < next)
			next = p->due_ms;
	}
	return next;
}

struct page *book_next(struct book *b, struct page *p)
{
	return p ? p->newer : b->oldest;
}

size_t book_count(const struct book *b)
{
	return b->n;
}

uint64_t book_evicted(const struct book *b)
{
	return b->n_evicted;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of descriptors in listings, which rules can see (fd.types).
 *
 * It is that of a hash table whose entries hang in one list, by the number modulo a prime: a new
 * entry goes to the front of its bucket's others, or of the whole list when it is the bucket's
 * first.  A table that grows, or is copied, is filled anew in the order of the list.  Without
 * collisions both only turn the list around; that, which is nearly always, costs one flag.
 */
#include "base/alloc.h"
#include "state/private.h"

#include <stdlib.h>

enum {
	EXACT_MAX = 512,   /* larger tables are only turned around */
	BUCKETS_MAX = 541, /* of a table that large */
};

struct listed {
	int32_t place;
	int64_t num;
};

/* A list being made, the front last. */
struct list {
	struct listed item[EXACT_MAX + 1];
	size_t n;
	uint32_t buckets;
	uint64_t taken[BUCKETS_MAX / 64 + 1]; /* bit b: bucket b has some */
};

static uint32_t next_size(uint32_t after)
{
	static const uint32_t sizes[] = {13,   29,   59,    127,   257,	  541,	 1109,
					 2357, 5087, 10273, 20753, 42043, 85229, 172933};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (sizes[i] > after)
			return sizes[i];
	return UINT32_MAX;
}

void listing_init(struct files *f)
{
	f->listing = (struct listing){.lowest = 1, .buckets = next_size(0)};
}

static int by_place(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;

	return (x->place > y->place) - (x->place < y->place);
}

static void turn_items(struct listed *list, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		struct listed other = list[n - 1 - i];

		list[n - 1 - i] = list[i];
		list[i] = other;
	}
}

/* All of them, the front last. */
static void read_items(const struct files *f, struct listed *ret)
{
	size_t n = 0;

	for (uint32_t i = 0; i < f->n_pages; i++) {
		const struct page_ref *r = &f->pages[i];

		for (uint64_t left = r->page->used; left; left &= left - 1) {
			int bit = __builtin_ctzll(left);

			ret[n++] = (struct listed){r->page->place[bit],
						   (int64_t)r->no * FDS_PER_PAGE + bit};
		}
	}
	qsort(ret, n, sizeof(*ret), by_place);
	if (f->listing.front_is_low)
		turn_items(ret, n);
}

static uint32_t bucket_of(const struct list *l, int64_t num)
{
	return (uint32_t)num % l->buckets;
}

static bool is_taken(const struct list *l, int64_t num)
{
	uint32_t b = bucket_of(l, num);

	return l->taken[b / 64] >> (b % 64) & 1;
}

static void insert(struct list *l, int64_t num)
{
	uint32_t b = bucket_of(l, num);
	size_t at = l->n;

	while (is_taken(l, num) && bucket_of(l, l->item[at - 1].num) != b)
		at--;
	memmove(l->item + at + 1, l->item + at, (l->n++ - at) * sizeof(l->item[0]));
	l->item[at] = (struct listed){0, num};
	l->taken[b / 64] |= 1ULL << (b % 64);
}

static void clear(struct list *l, uint32_t buckets)
{
	l->n = 0;
	l->buckets = buckets;
	memset(l->taken, 0, sizeof(l->taken));
}

/* The table's list as it is. */
static void read_list(const struct files *f, struct list *ret)
{
	clear(ret, f->listing.buckets);
	read_items(f, ret->item);
	ret->n = f->n;
	for (size_t i = 0; i < ret->n; i++) {
		uint32_t b = bucket_of(ret, ret->item[i].num);

		ret->taken[b / 64] |= 1ULL << (b % 64);
	}
}

/* Filled anew, from the front on, with another number of buckets. */
static void rehash(struct list *l, uint32_t buckets)
{
	struct listed old[EXACT_MAX + 1];
	size_t n = l->n;

	memcpy(old, l->item, n * sizeof(old[0]));
	clear(l, buckets);
	while (n)
		insert(l, old[--n].num);
}

/* Places in the order of the list; a page that cannot be had keeps its old ones. */
static void write_list(struct state *s, struct files *f, const struct list *l)
{
	for (size_t k = 0; k < l->n; k++) {
		int64_t num = l->item[k].num;
		struct fd_page *p = page_own(s, page_find(f, num));

		if (p)
			p->place[num % FDS_PER_PAGE] = (int32_t)k;
	}
	f->listing.front_is_low = false;
	f->listing.lowest = 0;
	f->listing.highest = (int32_t)l->n - 1;
}

/* The highest descriptor; the page of one that is just being added may still be empty. */
static int64_t last_of(const struct files *f)
{
	for (uint32_t i = f->n_pages; i--;) {
		uint64_t used = f->pages[i].page->used;

		if (used)
			return (int64_t)f->pages[i].no * FDS_PER_PAGE + 63 - __builtin_clzll(used);
	}
	return -1;
}

/* Whether a number may meet another one in its bucket: those below the size have one each. */
static bool may_collide(const struct files *f, int64_t num)
{
	int64_t buckets = f->listing.buckets;

	if (f->n >= EXACT_MAX || buckets > BUCKETS_MAX)
		return false;
	return num >= buckets || last_of(f) >= buckets;
}

static void turn(struct files *f)
{
	f->listing.front_is_low = !f->listing.front_is_low;
}

static void grow(struct state *s, struct files *f)
{
	uint32_t buckets = next_size(f->listing.buckets);
	struct list l;

	if (may_collide(f, 0)) {
		read_list(f, &l);
		rehash(&l, buckets);
		write_list(s, f, &l);
	} else {
		turn(f);
	}
	f->listing.buckets = buckets;
}

void listing_add(struct state *s, struct files *f, int64_t num, int32_t *ret)
{
	struct listing *g = &f->listing;
	struct list l;

	if (f->n + 1 > g->buckets)
		grow(s, f);
	if (f->n && may_collide(f, num)) {
		read_list(f, &l);
		if (is_taken(&l, num)) {
			insert(&l, num);
			write_list(s, f, &l);
			return;
		}
	}
	*ret = g->front_is_low ? --g->lowest : ++g->highest;
}

void listing_fork(struct state *s, struct files *copy, const struct files *from)
{
	struct listed old[EXACT_MAX];
	struct list l;

	copy->listing = from->listing;
	copy->listing.buckets = next_size(0);
	if (s->as_live || copy->n > EXACT_MAX ||
	    (copy->n <= copy->listing.buckets && !may_collide(copy, 0))) {
		while (copy->n > copy->listing.buckets)
			copy->listing.buckets = next_size(copy->listing.buckets);
		turn(copy);
		return;
	}
	read_items(from, old);
	clear(&l, copy->listing.buckets);
	for (size_t n = copy->n; n--;) {
		if (l.n + 1 > l.buckets)
			rehash(&l, next_size(l.buckets));
		insert(&l, old[n].num);
	}
	copy->listing.buckets = l.buckets;
	write_list(s, copy, &l);
}

void fd_each_listed(const struct state *s, const struct thread *t,
		    bool (*fn)(int64_t num, struct fd *fd, void *arg), void *arg)
{
	const struct files *f = thread_files(t);
	size_t n = f ? f->n : 0;
	struct listed *items = n ? xcalloc(n, sizeof(*items)) : NULL;

	if (!n)
		return;
	read_items(f, items);
	while (n && fn(items[n - 1].num, fd_find(s, t, items[n - 1].num), arg))
		n--;
	free(items);
}

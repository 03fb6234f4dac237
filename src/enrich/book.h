/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has been asked and told of each container: by the first 12 characters of its id, at most
 * so many; those that were not mentioned for longest go first.
 */
#pragma once

#include "base/str.h"

struct runtime;

enum { BOOK_KEY_MAX = 12 };

struct page {
	char key[BOOK_KEY_MAX + 4]; /* NUL-terminated */
	struct runtime *owner;	    /* who knows it; NULL: nobody yet */
	uint32_t type;		    /* enum container_type, once it has an owner */
	uint32_t generation;	    /* of the owner, when it last mentioned this container */
	uint64_t told;		    /* hash of the record that was given last */
	unsigned n_asked;	    /* look-ups under way */
	unsigned n_tries;	    /* rounds of look-ups that found nothing */
	bool again;		    /* look it up once more when those under way have ended */
	bool is_partial;	    /* only what an event or a list says of it was told */
	bool is_gone;		    /* leaves at due_ms, unless it is mentioned again */
	int64_t due_ms;		    /* 0: nothing is due */
	/* Private to book.c. */
	struct page *hash_next, *older, *newer, *due_next, *due_before;
};

struct book;

struct book *book_new(size_t max);
void book_free(struct book *b);			       /* NULL is fine */
struct page *book_find(struct book *b, struct str id); /* or NULL */
/* Find or add, as the newest.  Adding may drop an old page, but none that is being asked for. */
struct page *book_open(struct book *b, struct str id);
void book_drop(struct book *b, struct page *p);
void book_set_due(struct book *b, struct page *p, int64_t at_ms); /* 0: nothing */
/* Any page that is due by now, or NULL. */
struct page *book_due(struct book *b, int64_t now_ms);
int64_t book_next_due(const struct book *b); /* INT64_MAX: nothing is due */
/* Every page, from the oldest: NULL gives the first.  The last given may be dropped after this. */
struct page *book_next(struct book *b, struct page *p);
size_t book_count(const struct book *b);
uint64_t book_evicted(const struct book *b);

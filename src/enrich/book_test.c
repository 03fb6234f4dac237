/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/book.h"
#include "base/test.h"

#include <stdio.h>

TEST(pages_are_found_by_twelve_characters)
{
	struct book *b = book_new(10);
	struct page *p = book_open(b, STR("0123456789abcdef"));

	CHECK_STR(p->key, "0123456789ab");
	CHECK(book_find(b, STR("0123456789ab")) == p);
	CHECK(book_open(b, STR("0123456789abxxxx")) == p);
	CHECK(!book_find(b, STR("0123456789")));
	book_drop(b, p);
	CHECK_INT(book_count(b), 0);
	book_free(b);
}

TEST(a_full_book_drops_what_was_not_mentioned_for_longest)
{
	struct book *b = book_new(2);

	book_open(b, STR("a"))->n_asked = 1;
	book_open(b, STR("b"));
	book_open(b, STR("c")); /* a is being asked for: b goes */
	CHECK(book_find(b, STR("a")) && !book_find(b, STR("b")) && book_find(b, STR("c")));
	CHECK_INT(book_evicted(b), 1);
	book_free(b);
}

TEST(pages_come_due)
{
	struct book *b = book_new(10);
	struct page *x = book_open(b, STR("x")), *y = book_open(b, STR("y"));

	CHECK(book_next_due(b) == INT64_MAX && !book_due(b, 1000));
	book_set_due(b, x, 50);
	book_set_due(b, y, 40);
	CHECK_INT(book_next_due(b), 40);
	CHECK(book_due(b, 45) == y);
	book_set_due(b, y, 0);
	CHECK(!book_due(b, 45));
	book_drop(b, x);
	CHECK(book_next_due(b) == INT64_MAX);
	book_free(b);
}

TEST(pages_are_walked_from_the_oldest)
{
	struct book *b = book_new(10);
	char text[4] = "";
	size_t n = 0;

	book_open(b, STR("a"));
	book_open(b, STR("b"));
	book_open(b, STR("a"));
	for (struct page *p = NULL; (p = book_next(b, p));)
		text[n++] = p->key[0];
	CHECK_STR(text, "ba");
	book_free(b);
}

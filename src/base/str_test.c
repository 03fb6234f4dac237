/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/intern.h"
#include "base/test.h"

TEST(numbers_are_read_whole_and_in_range)
{
	uint64_t u = 7;
	int64_t i = 7;

	CHECK(str_u64(STR("18446744073709551615"), &u) && u == UINT64_MAX);
	CHECK(!str_u64(STR("18446744073709551616"), &u));
	CHECK(!str_u64(STR("12x"), &u) && !str_u64(STR_EMPTY, &u));
	CHECK(str_i64(STR("-9223372036854775808"), &i) && i == INT64_MIN);
	CHECK(!str_i64(STR("9223372036854775808"), &i));
}

TEST(searching_finds_first_last_and_folded)
{
	CHECK_INT(str_find(STR("abcabc"), STR("ca")), 2);
	CHECK_INT(str_find(STR("abc"), STR("")), 0);
	CHECK_INT(str_find(STR("abc"), STR("x")), -1);
	CHECK_INT(str_find_fold(STR("xBASHx"), STR("bash")), 1);
	CHECK_INT(str_rchr(STR("a/b/c"), '/'), 3);
	CHECK(str_ends(STR("libssl.so"), STR(".so")));
	CHECK(str_cmp(STR("ab"), STR("abc")) < 0);
}

TEST(buffer_stops_at_its_limit_and_says_so)
{
	struct buf b;

	buf_init(&b, 5);
	buf_addz(&b, "abc");
	CHECK(!b.truncated);
	buf_addf(&b, "%d", 12345);
	CHECK(b.truncated);
	CHECK_STR(buf_z(&b), "abc12");
	buf_done(&b);
}

TEST(arena_is_reused_after_reset)
{
	struct arena a;
	void *first;

	arena_init(&a, 64);
	first = arena_alloc(&a, 8);
	for (int i = 0; i < 100; i++)
		arena_alloc(&a, 40);
	arena_reset(&a);
	CHECK(arena_alloc(&a, 8) == first);
	arena_done(&a);
}

TEST(equal_texts_are_one_object)
{
	struct slab *s = slab_new(0);
	struct intern *t = intern_new(s);
	struct istr *a = intern_get(t, STR("bash")),
		    *b = intern_get(t, str_head(STR("bashful"), 4));

	CHECK(a == b);
	CHECK_INT(a->refs, 2);
	intern_unref(t, a);
	CHECK(intern_find(t, STR("bash")) == b);
	intern_unref(t, b);
	CHECK(!intern_find(t, STR("bash")));
	CHECK_INT(slab_used(s), 0);
	intern_free(t);
	slab_free(s);
}

TEST(slab_refuses_above_its_limit)
{
	struct slab *s = slab_new(128 * 1024);
	unsigned n = 0;

	while (slab_get(s, 1000))
		n++;
	CHECK(n > 100 && n <= 131);
	slab_free(s);
}

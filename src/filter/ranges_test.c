/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/ranges.h"

#include "base/test.h"

enum { N_VALUES = 12, N_RANGES = 40, N_PLACES = 2 * (2 * N_RANGES + 1) };

static uint32_t random_state = 11;

static uint32_t pick(uint32_t n)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % n;
}

static void mark(void *arg, uint32_t place)
{
	bool *marks = arg;

	marks[place] = true;
}

/* Whether text is in x by what the structure says. */
static bool is_found(const struct ranges *r, const struct range *x, struct str text)
{
	uint32_t places[RANGE_PLACES_MAX];
	bool marks[N_PLACES] = {false};
	unsigned n_marked = 0;
	size_t n;

	ranges_each(r, text, mark, marks);
	n = ranges_places(r, x, places);
	CHECK(n <= RANGE_PLACES_MAX);
	for (size_t i = 0; i < n; i++) {
		CHECK(places[i] < ranges_n_places(r));
		n_marked += marks[places[i]];
	}
	/* Once, so that what it names is named once. */
	CHECK(n_marked <= 1);
	return n_marked;
}

static bool is_in(const struct range *x, struct str text)
{
	const struct bound before = {text, BOUND_BEFORE}, behind = {text, BOUND_BEHIND};

	return bound_compare(&x->from, &before) <= 0 && bound_compare(&behind, &x->to) <= 0;
}

static const char *const words[N_VALUES] = {
	"",	     "a",	    "a ",	"ab",	"abcdefgh",
	"abcdefgha", "b",	    "abcdefgi", "\xff", "\xff\xff\xff\xff\xff\xff\xff\xff",
	"zzz",	     "zzzzzzzzzzzz"};

static struct bound random_bound(void)
{
	return (struct bound){str_of(words[pick(N_VALUES)]), pick(8) ? pick(2) : BOUND_END};
}

TEST(a_text_is_in_the_ranges_around_it)
{
	struct range list[N_RANGES];
	struct ranges r;
	struct arena a;

	for (unsigned round = 0; round < 200; round++) {
		size_t n = 1 + pick(N_RANGES);

		arena_init(&a, 0);
		for (size_t i = 0; i < n; i++)
			list[i] = (struct range){random_bound(), random_bound()};
		ranges_build(&r, list, n, &a);
		for (size_t i = 0; i < n; i++)
			for (unsigned k = 0; k < N_VALUES; k++)
				CHECK_INT(is_found(&r, &list[i], str_of(words[k])),
					  is_in(&list[i], str_of(words[k])));
		arena_done(&a);
	}
}

TEST(no_ranges_have_no_places)
{
	struct ranges r;
	struct arena a;
	bool none = false;

	arena_init(&a, 0);
	ranges_build(&r, NULL, 0, &a);
	ranges_each(&r, STR("x"), mark, &none);
	CHECK(!none);
	arena_done(&a);
}

static int order_of(struct str a, struct str b)
{
	int r = str_cmp(a, b);

	return (r > 0) - (r < 0);
}

TEST(numbers_are_in_order)
{
	static const int64_t is[] = {INT64_MIN, -70000, -2, -1, 0, 1, 255, 256, INT64_MAX};
	static const uint64_t us[] = {0, 1, 255, 256, 65536, INT64_MAX, 1ULL << 63, UINT64_MAX};
	static const double ds[] = {-1e300, -2.5, -1, -1e-300, 0, 1e-300, 1, 2.5, 1e300};
	char x[RANGE_NUMBER_SIZE], y[RANGE_NUMBER_SIZE];

	for (int i = 0; i < 9; i++)
		for (int k = 0; k < 9; k++) {
			int want = (i > k) - (i < k);

			CHECK_INT(order_of(range_signed(is[i], x), range_signed(is[k], y)), want);
			CHECK_INT(order_of(range_double(ds[i], x), range_double(ds[k], y)), want);
			if (i < 8 && k < 8)
				CHECK_INT(order_of(range_unsigned(us[i], x),
						   range_unsigned(us[k], y)),
					  want);
		}
	CHECK_INT(order_of(range_double(-0.0, x), range_double(0.0, y)), 0);
}

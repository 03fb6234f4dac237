/* SPDX-License-Identifier: Apache-2.0 */
#include "base/nearest.h"

#include "base/test.h"

static const char *nearest(const char *word)
{
	static const char *const names[] = {"print", "replay", "list", "explain"};

	return nearest_name(str_of(word), names, 4, sizeof(*names));
}

TEST(a_mistyped_name_is_recognised)
{
	CHECK_STR(nearest("prnit"), "print");
	CHECK_STR(nearest("lits"), "list");
	CHECK_STR(nearest("reply"), "replay");
}

TEST(so_is_the_start_of_one)
{
	CHECK_STR(nearest("ex"), "explain");
}

TEST(an_unlikely_name_is_not_offered)
{
	CHECK(!nearest("quarrel"));
	CHECK(!nearest("abc"));
	CHECK(!nearest("x"));
	CHECK(!nearest(""));
}

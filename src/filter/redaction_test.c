/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/redaction.h"

#include "base/err.h"
#include "base/test.h"

#include <errno.h>
#include <stdlib.h>

static struct redaction *with(const char *one, const char *two)
{
	const struct str patterns[] = {str_of(one), str_of(two ? two : "")};
	struct redaction *r;
	struct err e = {0};

	CHECK_INT(redaction_new(patterns, two ? 2 : 1, &r, &e), 0);
	return r;
}

static void check(const char *pattern, const char *text, const char *want)
{
	struct redaction *r = with(pattern, NULL);
	char *copy = strdup(text);

	CHECK_INT(redaction_apply(r, copy, strlen(copy)), strcmp(text, want) != 0);
	CHECK_STR(copy, want);
	free(copy);
	redaction_free(r);
}

TEST(what_matches_becomes_stars_of_the_same_length)
{
	check("s3cret", "mysql -p s3cret -h db", "mysql -p ****** -h db");
	check("s3cret", "nothing of it", "nothing of it");
	check("s3cret", "", "");
}

TEST(of_a_pattern_with_a_group_the_group_goes)
{
	check("--password=(\\S+)", "x --password=abc --y", "x --password=*** --y");
	check("(?:TOKEN|KEY)=(\\S*)", "A=1 TOKEN=a KEY= TOKEN=bc", "A=1 TOKEN=* KEY= TOKEN=**");
	check("a(b)?c", "ac abc", "** a*c");
}

TEST(every_pattern_is_looked_for)
{
	struct redaction *r = with("one", "two");
	char text[] = "two one two";

	CHECK(redaction_apply(r, text, strlen(text)));
	CHECK_STR(text, "*** *** ***");
	CHECK_INT(redaction_count(r), 3);
	redaction_free(r);
}

TEST(between_arguments_of_a_record_are_blanks_that_stay)
{
	struct redaction *r = with("--password[= ](\\S+)", "TOKEN=.*");
	char args[] = "-u\0me\0--password\0abc\0-h";
	char all[] = "a\0TOKEN=1\0b";

	CHECK(redaction_apply(r, args, sizeof(args)));
	CHECK_MEM(args, "-u\0me\0--password\0***\0-h", sizeof(args));
	CHECK(redaction_apply(r, all, sizeof(all)));
	CHECK_MEM(all, "a\0*******\0*", sizeof(all));
	redaction_free(r);
}

TEST(bytes_of_any_kind_are_text)
{
	check("k=(\\S+)", "\xff k=\xc3\xa4\xfe x", "\xff k=*** x");
}

TEST(a_pattern_that_matches_nothing_ends)
{
	check("x*", "abc", "abc");
	check("", "abc", "abc");
}

TEST(a_text_without_secrets_is_not_copied)
{
	struct redaction *r = with("s3cret", NULL);
	struct str s = STR("as it is"), other = STR("a s3cret");
	struct arena a;

	arena_init(&a, 0);
	CHECK(redaction_text(r, s, &a).p == s.p);
	CHECK(redaction_text(NULL, other, &a).p == other.p);
	CHECK_STR(redaction_text(r, other, &a).p, "a ******");
	arena_done(&a);
	redaction_free(r);
}

TEST(each_text_of_a_list_is_looked_at_and_numbers_are_not)
{
	struct redaction *r = with("s3cret", NULL);
	struct value items[] = {{.s = STR("s3cret")}, {.s = STR("b")}};
	struct value list = {.items = items, .n_items = 2, .is_list = true}, n = {.u = 7};
	struct arena a;

	arena_init(&a, 0);
	redaction_value(r, &list, PT_CHARBUF, STR_EMPTY, &a);
	CHECK_STR(list.items[0].s.p, "******");
	CHECK_STR(list.items[1].s.p, "b");
	redaction_value(r, &n, PT_UINT64, STR_EMPTY, &a);
	CHECK_INT(n.u, 7);
	arena_done(&a);
	redaction_free(r);
}

TEST(a_value_whose_name_stands_elsewhere_is_looked_at_with_it)
{
	struct redaction *r = with("TOKEN=(\\S+)", NULL);
	struct value v = {.s = STR("abc d")};
	struct arena a;

	arena_init(&a, 0);
	redaction_value(r, &v, PT_CHARBUF, STR("TOKEN"), &a);
	CHECK_STR(v.s.p, "*** d");
	v.s = STR("abc");
	redaction_value(r, &v, PT_CHARBUF, STR("HOME"), &a);
	CHECK_STR(v.s.p, "abc");
	arena_done(&a);
	redaction_free(r);
}

TEST(a_pattern_that_is_none_is_named)
{
	const struct str patterns[] = {STR("fine"), STR("(")};
	struct redaction *r;
	struct err e = {0};

	CHECK_INT(redaction_new(patterns, 2, &r, &e), -EINVAL);
	CHECK(strstr(e.msg, "'('") != NULL);
}

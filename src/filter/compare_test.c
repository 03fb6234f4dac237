/* SPDX-License-Identifier: Apache-2.0 */
/* Operators, on values that are given: no event is needed. */
#include "filter/leaf.h"

#include "base/test.h"

#include <arpa/inet.h>
#include <stdio.h>

static struct arena arena;

static struct leaf *leaf(const char *condition)
{
	struct position at;
	struct err e = {0};
	struct leaf *l = NULL;
	struct ast *t;

	arena_done(&arena);
	arena_init(&arena, 0);
	if (ast_parse(str_of(condition), 100, &arena, &t, &at, &e) < 0 ||
	    leaf_compile(t, NULL, NULL, &arena, &l, &at, &e) < 0)
		fprintf(stderr, "%s: %s\n", condition, e.msg);
	CHECK(l != NULL);
	return l;
}

static enum truth tested(const char *condition, enum field_result r, struct value v)
{
	struct leaf *l = leaf(condition);
	enum truth ret = leaf_test(l, r, &v, FIELD_OK, NULL);

	leaf_done(l);
	return ret;
}

/* proc.name OP is asked of text. */
static bool text(const char *op, const char *value)
{
	char condition[512];

	snprintf(condition, sizeof(condition), "proc.name %s", op);
	return tested(condition, FIELD_OK, (struct value){.s = str_of(value)}) == TRUTH_TRUE;
}

static bool number(const char *condition, int64_t i)
{
	return tested(condition, FIELD_OK, (struct value){.i = i}) == TRUTH_TRUE;
}

static bool address(const char *condition, const char *ip)
{
	uint8_t bytes[16];
	bool v6 = strchr(ip, ':');

	CHECK_INT(inet_pton(v6 ? AF_INET6 : AF_INET, ip, bytes), 1);
	return tested(condition, FIELD_OK,
		      (struct value){.s = {(const char *)bytes, v6 ? 16 : 4}}) == TRUTH_TRUE;
}

static struct value list(const char *a, const char *b)
{
	static struct value items[2];
	uint32_t n = 0;

	if (a)
		items[n++] = (struct value){.s = str_of(a)};
	if (b)
		items[n++] = (struct value){.s = str_of(b)};
	return (struct value){.items = items, .n_items = n, .is_list = true};
}

static bool listed(const char *condition, const char *a, const char *b)
{
	return tested(condition, FIELD_OK, list(a, b)) == TRUTH_TRUE;
}

TEST(texts_compare_as_bytes)
{
	CHECK(text("= bash", "bash") && !text("= bash", "bas") && !text("= bash", "bashx"));
	CHECK(text("!= bash", "sh") && !text("!= bash", "bash"));
	CHECK(text("> 5", "50") && text("> 5", "a") && !text("> 5", "5") && !text("> 5", "12"));
	CHECK(text("<= 5", "5") && text("< 5", "12") && text(">= 5", "5"));
	CHECK(text("contains as", "bash") && !text("contains AS", "bash"));
	CHECK(text("icontains AS", "bash") && text("contains \"\"", "x"));
	CHECK(text("startswith ba", "bash") && !text("startswith bash", "bas"));
	CHECK(text("endswith sh", "bash") && !text("endswith bash", "ash"));
}

TEST(globs_match_the_whole_text)
{
	CHECK(text("glob b*h", "bash") && !text("glob b*h", "bashx") && text("glob *", ""));
	CHECK(text("glob /etc/*", "/etc/a/b") && !text("glob /etc/*", "/etc"));
	CHECK(text("glob *.so", "x.so") && !text("glob *.so", "x.so.1"));
	CHECK(text("glob *lib*", "/usr/lib/x") && !text("glob *lib*", "/usr/bin"));
	CHECK(text("glob \"b[a-z]s?\"", "bash") && !text("glob \"b[a-z]s?\"", "bAsh"));
	CHECK(text("glob a\\*", "a*") && !text("glob a\\*", "ab"));
	CHECK(!text("glob B*H", "bash") && text("iglob B*H", "bash"));
}

TEST(regular_expressions_match_the_whole_text)
{
	CHECK(text("regex \"^ba.*$\"", "bash") && !text("regex \"as\"", "bash"));
	CHECK(text("regex \"(a|ab)(c|bcd)\"", "abcd"));
	CHECK(text("regex \"caf.\"", "caf\xc3\xa9") && text("regex \"a.c\"", "a\xff"
									     "c"));
	CHECK(text("regex anyof (\"a+\", \"b+\")", "bb") && !text("regex allof (\"a+\", b)", "b"));
}

TEST(path_prefixes_match_component_by_component)
{
	CHECK(text("pmatch (/var/run)", "/var/run/docker") &&
	      text("pmatch (/var/run)", "/var/run"));
	CHECK(!text("pmatch (/var/run)", "/var/runX") && !text("pmatch (/var/run)", "/var"));
	CHECK(text("pmatch (/var/run)", "//var//run/") && text("pmatch (/var/run)", "var/run/x"));
	CHECK(text("pmatch (/usr/*/true)", "/usr/bin/true"));
	CHECK(!text("pmatch (/usr/*/true)", "/usr/true"));
	CHECK(text("pmatch (/a/b/c, /a)", "/a/x") && !text("pmatch ()", "/a"));
}

TEST(sets_hold_what_was_listed)
{
	CHECK(text("in (sh, bash, zsh)", "bash") && !text("in (sh, bash, zsh)", "ash"));
	CHECK(!text("in ()", "") && text("in (\"\")", ""));
	CHECK(text("intersects (a, b)", "b") && !text("in (a)", "aa"));
}

TEST(modifiers_count_the_elements_that_fit)
{
	CHECK(text("= anyof (sh, bash)", "bash") && !text("= anyof (sh, bash)", "zsh"));
	CHECK(text("!= allof (sh, bash)", "zsh") && !text("!= allof (sh, bash)", "sh"));
	CHECK(text("!= anyof (sh, bash)", "sh"));
	CHECK(text("contains allof (b, sh)", "bash") && !text("contains allof (b, x)", "bash"));
	CHECK(text("startswith oneof (b, p)", "bash") && !text("startswith oneof (b, ba)", "bash"));
	CHECK(text("startswith anyof (/etc/, /usr/lib, /usr)", "/usr/x"));
	CHECK(!text("startswith anyof (/etc/, /usr/lib, /usr/local)", "/usr/x"));
	CHECK(text("glob oneof (b*, c*)", "bash") && text("endswith anyof (x, h)", "bash"));
	CHECK(!text("contains anyof ()", "a") && !text("!= allof ()", "a"));
}

TEST(numbers_have_the_width_and_sign_of_their_type)
{
	CHECK(number("proc.pid = -1", -1) && number("proc.pid < 0", -5));
	CHECK(number("proc.pid in (1, 2, -3)", -3) && !number("proc.pid in (1, 2)", 3));
	CHECK(number("user.uid = -1", 4294967295) && number("user.uid > 5", 4294967295));
	CHECK(number("fd.port = 65537", 1) && number("fd.port in (http, ssh)", 22));
	CHECK(number("proc.pid = anyof (5, 9)", 9) && number("proc.pid != allof (5, 9)", 7));
	CHECK(number("proc.is_exe_writable = true", 1));
	CHECK(number("proc.is_exe_writable in (false)", 0));
}

TEST(addresses_compare_within_their_family)
{
	CHECK(address("fd.sip = 127.0.0.1", "127.0.0.1"));
	CHECK(!address("fd.sip = 127.0.0.1", "::1") && address("fd.sip != 127.0.0.1", "::1"));
	CHECK(address("fd.sip in (10.0.0.1, \"::1\")", "::1"));
	CHECK(address("fd.snet = 10.1.0.0/12", "10.15.2.3"));
	CHECK(!address("fd.snet = 10.1.0.0/12", "10.16.2.3"));
	CHECK(address("fd.snet = 0.0.0.0/0", "8.8.8.8") && !address("fd.snet = 0.0.0.0/0", "::1"));
	CHECK(address("fd.snet in (10.0.0.0/8, 192.168.0.0/16)", "192.168.3.4"));
	CHECK(address("fd.snet = \"fe80::/10\"", "febf::1"));
	CHECK(!address("fd.snet = \"fe80::/10\"", "fec0::1"));
	CHECK(address("fd.snet != 10.0.0.0/8", "11.0.0.1"));
}

TEST(fd_net_looks_at_the_first_listed_network_only)
{
	CHECK(address("fd.net in (10.0.0.0/8, 127.0.0.0/8)", "10.1.1.1"));
	CHECK(!address("fd.net in (10.0.0.0/8, 127.0.0.0/8)", "127.0.0.1"));
}

TEST(fd_ip_is_never_found_in_a_list)
{
	CHECK(address("fd.ip = 10.0.0.1", "10.0.0.1") &&
	      !address("fd.ip in (10.0.0.1)", "10.0.0.1"));
}

TEST(lists_ask_for_all_or_for_any)
{
	CHECK(listed("fd.types in (a, b)", "a", "b") && !listed("fd.types in (a, b)", "a", "c"));
	CHECK(listed("fd.types in (a, b)", NULL, NULL) && listed("fd.types exists", NULL, NULL));
	CHECK(listed("fd.types intersects (a, b)", "c", "a"));
	CHECK(!listed("fd.types intersects (a, b)", "c", NULL));
	CHECK(!listed("fd.types intersects (a, b)", NULL, NULL));
}

TEST(any_candidate_will_do_but_a_difference_may_need_all)
{
	CHECK(listed("proc.aname = init", "bash", "init") &&
	      listed("proc.aname != bash", "bash", "x"));
	CHECK(!listed("proc.aname != bash", NULL, NULL) && !listed("proc.aname = a", NULL, NULL));
	CHECK(!listed("fd.ip != 97.97.97.97", "aaaa", "bbbb"));
	CHECK(listed("fd.ip != 97.97.97.97", "cccc", "bbbb"));
	CHECK(listed("fd.ip = 97.97.97.97", "cccc", "aaaa"));
}

TEST(null_is_false_whatever_is_asked)
{
	const struct value none = {.s = STR_EMPTY};

	CHECK_INT(tested("proc.name = \"\"", FIELD_NULL, none), TRUTH_FALSE);
	CHECK_INT(tested("proc.name != a", FIELD_NULL, none), TRUTH_FALSE);
	CHECK_INT(tested("proc.name exists", FIELD_NULL, none), TRUTH_FALSE);
	CHECK_INT(tested("proc.name exists", FIELD_OK, none), TRUTH_TRUE);
	CHECK_INT(tested("proc.name != a", FIELD_UNKNOWN, none), TRUTH_UNKNOWN);
}

TEST(a_recorded_argument_is_compared_as_its_own_type)
{
	struct value v = {.i = -2, .type = PT_ERRNO};

	CHECK_INT(tested("evt.rawarg.res < 0", FIELD_OK, v), TRUTH_TRUE);
	CHECK_INT(tested("evt.rawarg.res = -2", FIELD_OK, v), TRUTH_TRUE);
	v = (struct value){.u = 254, .type = PT_UINT8};
	CHECK_INT(tested("evt.rawarg.res = -2", FIELD_OK, v), TRUTH_TRUE);
}

TEST(bytes_may_hold_anything)
{
	struct value v = {.s = {"a\0GET /", 7}};

	CHECK_INT(tested("evt.buffer contains GET", FIELD_OK, v), TRUTH_TRUE);
	CHECK_INT(tested("evt.buffer bcontains 0047", FIELD_OK, v), TRUTH_TRUE);
	CHECK_INT(tested("evt.buffer bstartswith 6100", FIELD_OK, v), TRUTH_TRUE);
	CHECK_INT(tested("evt.buffer endswith /", FIELD_OK, v), TRUTH_TRUE);
	CHECK_INT(tested("evt.buffer = a", FIELD_OK, v), TRUTH_FALSE);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/required.h"

#include "base/err.h"
#include "base/test.h"
#include "filter/regex.h"

#include <fnmatch.h>
#include <stdio.h>

static const char *text(struct str s)
{
	static char out[128];

	snprintf(out, sizeof(out), "%.*s", STR_ARG(s));
	return out;
}

static const char *by_glob(const char *pattern)
{
	return text(required_by_glob(str_of(pattern)));
}

static const char *by_regex(const char *pattern)
{
	return text(required_by_regex(str_of(pattern)));
}

static const char *by_path(const char *path)
{
	return text(required_by_path(str_of(path)));
}

TEST(a_glob_requires_what_is_between_its_wildcards)
{
	CHECK_STR(by_glob("*/.ssh/*_rsa?"), "/.ssh/");
	CHECK_STR(by_glob("plain"), "plain");
	CHECK_STR(by_glob("ab\\*cde"), "*cde");
	CHECK_STR(by_glob("ab[cdefg]hijk"), "ab");
	CHECK_STR(by_glob("*"), "");
	CHECK_STR(by_glob("\\"), "");
}

TEST(a_regex_requires_its_literals)
{
	CHECK_STR(by_regex("^/srv/[a-z]+/.*[.]key$"), "/srv/");
	CHECK_STR(by_regex("/etc/(passwd|shadow)-backup"), "-backup");
	CHECK_STR(by_regex("lib.*\\.so\\.1"), "lib");
	CHECK_STR(by_regex("abcd?e"), "abc");
	CHECK_STR(by_regex("ab{2}cd"), "cd");
	CHECK_STR(by_regex("a{x}bcd"), "x}bcd");
	CHECK_STR(by_regex("abc+"), "abc");
	CHECK_STR(by_regex("abc+?"), "ab");
}

TEST(a_regex_that_is_not_understood_requires_nothing)
{
	CHECK_STR(by_regex("abc|def"), "");
	CHECK_STR(by_regex("(?i)abcdef"), "");
	CHECK_STR(by_regex("abc\\x41def"), "");
	CHECK_STR(by_regex("abc[[:alpha:]]"), "");
	CHECK_STR(by_regex("abc[x"), "");
	CHECK_STR(by_regex("abc(x"), "");
	CHECK_STR(by_regex(""), "");
}

TEST(a_path_requires_its_longest_component)
{
	CHECK_STR(by_path("/etc/shadow"), "/shadow");
	CHECK_STR(by_path("/shadow/etc"), "shadow");
	CHECK_STR(by_path("relative"), "relative");
	CHECK_STR(by_path("//usr//*lib*/x"), "usr");
	CHECK_STR(by_path("/"), "");
}

static uint32_t random_state = 7;

static uint32_t pick(uint32_t n)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % n;
}

static struct str random_text(char out[16], const char *alphabet)
{
	size_t n = pick(12);

	for (size_t i = 0; i < n; i++)
		out[i] = alphabet[pick((uint32_t)strlen(alphabet))];
	out[n] = '\0';
	return (struct str){out, n};
}

TEST(what_matches_has_what_is_required)
{
	char pattern[16], out[16];
	unsigned n_matches = 0;
	struct err e;

	for (unsigned i = 0; i < 20000; i++) {
		struct str p = random_text(pattern, "aabb*?+.[]{}()|\\1,^$-");
		struct regex *re = NULL;

		if (regex_compile(p.p, p.n, &re, &e) < 0)
			re = NULL;
		for (unsigned k = 0; k < 30; k++) {
			struct str t = random_text(out, "aab*+.[{}1");

			if (!fnmatch(p.p, t.p, 0))
				CHECK(str_find(t, required_by_glob(p)) >= 0);
			if (!re || !regex_match(re, t.p, t.n))
				continue;
			n_matches++;
			CHECK(str_find(t, required_by_regex(p)) >= 0);
		}
		regex_free(re);
	}
	CHECK(n_matches > 1000);
}

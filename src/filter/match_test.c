/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/match.h"
#include "filter/pieces.h"

#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>

static struct arena arena;

static void setup(void)
{
	arena_done(&arena);
	arena_init(&arena, 0);
}

TEST(a_set_knows_its_items)
{
	char texts[200][8];
	struct str items[200];
	struct set s;

	setup();
	for (int i = 0; i < 200; i++)
		items[i] = (struct str){texts[i], (size_t)sprintf(texts[i], "k%d", i * 7)};
	set_build(&s, items, 200, &arena);
	CHECK_INT(s.n, 200);
	for (int i = 0; i < 200; i++)
		CHECK(str_eq(s.items[set_find(&s, items[i])], items[i]));
	CHECK_INT(set_find(&s, STR("k1")), SET_NONE);
	CHECK(!set_has(&s, STR("")) && !set_has(&s, STR("something long")));
}

TEST(a_set_drops_repeated_items)
{
	const struct str items[] = {STR("a"), STR("b"), STR("a"), STR("")};
	struct set s;

	setup();
	set_build(&s, items, 4, &arena);
	CHECK_INT(s.n, 3);
	CHECK(set_has(&s, STR("")));
}

TEST(an_empty_set_has_nothing)
{
	struct set s;

	setup();
	set_build(&s, NULL, 0, &arena);
	CHECK(!set_has(&s, STR("")));
}

/* All prefixes that text starts with, longest first. */
static const char *prefixes_of(const struct prefixes *p, const char *text)
{
	static char out[256];

	out[0] = '\0';
	for (int32_t i = prefixes_find(p, str_of(text)); i >= 0; i = p->parent[i])
		sprintf(out + strlen(out), "%.*s|", STR_ARG(p->items[i]));
	return out;
}

TEST(prefixes_are_found_longest_first)
{
	const struct str items[] = {STR("/usr/lib"), STR("/usr"), STR("/etc/"), STR("/usr/lib64"),
				    STR("/usr"),     STR("/"),	  STR("b")};
	struct prefixes p;

	setup();
	prefixes_build(&p, items, 7, &arena);
	CHECK_INT(p.n, 6);
	CHECK_STR(prefixes_of(&p, "/usr/lib64/x"), "/usr/lib64|/usr/lib|/usr|/|");
	CHECK_STR(prefixes_of(&p, "/usr/lib63"), "/usr/lib|/usr|/|");
	CHECK_STR(prefixes_of(&p, "/usr/libz"), "/usr/lib|/usr|/|");
	CHECK_STR(prefixes_of(&p, "/etc"), "/|");
	CHECK_STR(prefixes_of(&p, "a"), "");
	CHECK_STR(prefixes_of(&p, ""), "");
	CHECK_STR(prefixes_of(&p, "bb"), "b|");
	CHECK_STR(prefixes_of(&p, "c"), "");
}

/* Random texts over few letters, against asking each prefix. */
TEST(prefixes_agree_with_looking_at_each)
{
	char texts[40][6];
	struct str items[40];

	srand(7);
	for (int round = 0; round < 200; round++) {
		struct prefixes p;

		setup();
		for (int i = 0; i < 40; i++) {
			size_t n = (size_t)rand() % 6;

			for (size_t k = 0; k < n; k++)
				texts[i][k] = (char)('a' + rand() % 3);
			items[i] = (struct str){texts[i], n};
		}
		prefixes_build(&p, items, 30, &arena);
		for (int i = 30; i < 40; i++) {
			unsigned want = 0, got = 0;

			for (uint32_t k = 0; k < p.n; k++)
				want += str_starts(items[i], p.items[k]);
			for (int32_t at = prefixes_find(&p, items[i]); at >= 0; at = p.parent[at])
				got++;
			CHECK_INT(got, want);
		}
	}
}

static bool in(const char *needle, bool fold, const char *text)
{
	struct needle nd;

	setup();
	needle_build(&nd, str_of(needle), fold, &arena);
	return needle_in(&nd, str_of(text));
}

TEST(needles_are_found_wherever_they_are)
{
	CHECK(in("abc", false, "abc") && in("abc", false, "xabc") && in("abc", false, "abcx"));
	CHECK(!in("abc", false, "ab") && !in("abc", false, "abd") && in("", false, ""));
	CHECK(in("../", false, "a/b.so/../x") && !in("../", false, "a.b/..c/./d.."));
	CHECK(in("ab", false, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"));
	CHECK(!in("abb", false, "abababababababababababababababababab"));
	CHECK(in("as-", true, "BAS-H") && !in("asx", true, "BASH") && in("Z9", true, "z9"));
}

TEST(needles_agree_with_memmem)
{
	srand(3);
	for (int round = 0; round < 20000; round++) {
		char text[40], needle[5];
		struct str t = {text, (size_t)rand() % 40}, k = {needle, (size_t)rand() % 5};
		struct needle nd;

		for (size_t i = 0; i < t.n; i++)
			text[i] = (char)('a' + rand() % 3);
		for (size_t i = 0; i < k.n; i++)
			needle[i] = (char)('a' + rand() % 3);
		setup();
		needle_build(&nd, k, false, &arena);
		CHECK(needle_in(&nd, t) == (str_find(t, k) >= 0));
	}
}

struct found {
	bool seen[64];
};

static void see(void *arg, uint32_t i)
{
	struct found *f = arg;

	f->seen[i] = true;
}

TEST(folded_pieces_are_found_in_any_case)
{
	struct str items[] = {STR("passwd"), STR("[z@`"), STR("\xe9t\xe9s")};
	struct found f = {{false}};
	struct pieces p;

	setup();
	pieces_build(&p, items, 3, true, &arena);
	pieces_each(&p, STR("/ETC/PassWD {Z@` \xc9t\xe9s"), see, &f);
	CHECK(f.seen[0]);
	CHECK(!f.seen[1]);
	CHECK(!f.seen[2]);
	pieces_each(&p, STR("x[Z@` \xe9T\xe9S"), see, &f);
	CHECK(f.seen[1]);
	CHECK(f.seen[2]);
}

TEST(pieces_agree_with_looking_for_each)
{
	srand(11);
	for (int round = 0; round < 500; round++) {
		char texts[40][9], text[60];
		struct str items[40], t = {text, (size_t)rand() % 60};
		struct found f = {{false}};
		struct pieces p;
		size_t n = 1 + (size_t)rand() % 40;

		for (size_t i = 0; i < n; i++) {
			items[i] = (struct str){texts[i], 4 + (size_t)rand() % 5};
			for (size_t k = 0; k < items[i].n; k++)
				texts[i][k] = (char)('a' + rand() % 2);
		}
		for (size_t i = 0; i < t.n; i++)
			text[i] = (char)('a' + rand() % 2);
		setup();
		pieces_build(&p, items, n, false, &arena);
		pieces_each(&p, t, see, &f);
		for (size_t i = 0; i < n; i++)
			CHECK(f.seen[i] == (str_find(t, items[i]) >= 0));
	}
}

TEST(a_path_among_many_siblings_is_found_by_its_name)
{
	enum { N = 300000 };
	char(*texts)[16] = malloc(N * sizeof(*texts));
	struct str *items = malloc(N * sizeof(*items));
	struct paths p;

	setup();
	for (int i = 0; i < N; i++)
		items[i] = (struct str){
			texts[i], (size_t)sprintf(texts[i], i % 3 ? "/a/i%d" : "/a/i%d/*", i)};
	paths_build(&p, items, N, &arena);
	CHECK(paths_match(&p, STR("/a/i299998")) && paths_match(&p, STR("/a/i1/x/y")));
	CHECK(paths_match(&p, STR("/a/i3/x")) && !paths_match(&p, STR("/a/i3")));
	CHECK(!paths_match(&p, STR("/a/i300001")) && !paths_match(&p, STR("/i1")));
	free(items);
	free(texts);
}

TEST(a_component_with_glob_characters_is_never_taken_as_it_is_written)
{
	const struct str items[] = {STR("/a/[x]/b"), STR("/a/[x]"), STR("/c/?*/d"), STR("/c/e")};
	struct paths p;

	setup();
	paths_build(&p, items, 1, &arena);
	CHECK(paths_match(&p, STR("/a/x/b")) && !paths_match(&p, STR("/a/[x]/b")));
	paths_build(&p, items, 4, &arena);
	CHECK(paths_match(&p, STR("/a/x")) && !paths_match(&p, STR("/a/[x]")));
	CHECK(paths_match(&p, STR("/c/?*/d")) && paths_match(&p, STR("/c/q/d/z")));
	CHECK(paths_match(&p, STR("/c/e/f")) && !paths_match(&p, STR("/c/q")));
}

TEST(globs_match_texts_of_any_length)
{
	const size_t lengths[] = {3, 1023, 1024, 65535, 65536, 200000};
	struct arena a;
	struct glob g;

	arena_init(&a, 0);
	glob_build(&g, STR("a?*z"), false, &a);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		size_t n = lengths[i];
		char *text = arena_alloc(&a, n);

		memset(text, 'b', n);
		text[0] = 'a';
		CHECK(!glob_match(&g, (struct str){text, n}));
		text[n - 1] = 'z';
		CHECK(glob_match(&g, (struct str){text, n}));
	}
	arena_done(&a);
}

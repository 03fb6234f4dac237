/* SPDX-License-Identifier: Apache-2.0 */
#include "gate/automaton.h"

#include "base/alloc.h"
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>

enum { N_TEXTS = 12, TEXT_MAX = 6 };

struct text {
	char bytes[TEXT_MAX];
	size_t n;
	bool at_start;
	enum automaton_end end;
};

static struct str random_text(char *bytes, size_t max)
{
	size_t n = (size_t)rand() % max + 1;

	for (size_t i = 0; i < n; i++)
		bytes[i] = "/ab/"[rand() % 4];
	return (struct str){bytes, n};
}

/* As the header has it, without an automaton. */
static bool is_true(const struct text *t, struct str s)
{
	struct str text = {t->bytes, t->n};

	for (size_t i = 0; i + t->n <= s.n; i++) {
		struct str rest = str_from(s, i + t->n);

		if ((t->at_start && i) || !str_eq(str_head(str_from(s, i), t->n), text))
			continue;
		if (t->end == END_ANYWHERE || (t->end == END_OF_ALL && !rest.n) ||
		    (t->end == END_AT_LAST_SLASH && text.p[text.n - 1] == '/' &&
		     str_rchr(rest, '/') < 0))
			return true;
	}
	return false;
}

static void check_round(struct gate_tables *tables)
{
	struct automaton *a = automaton_new();
	struct text texts[N_TEXTS];
	char bytes[16];

	for (unsigned i = 0; i < N_TEXTS; i++) {
		struct text *t = &texts[i];

		t->n = random_text(t->bytes, TEXT_MAX).n;
		t->at_start = rand() % 2;
		t->end = (enum automaton_end)(rand() % 3);
		automaton_add(a, (struct str){t->bytes, t->n}, t->at_start, t->end, i);
	}
	CHECK(automaton_make(a, tables));
	for (unsigned k = 0; k < 200; k++) {
		struct str s = random_text(bytes, sizeof(bytes));
		uint64_t got = automaton_walk(tables, s);

		for (unsigned i = 0; i < N_TEXTS; i++) {
			if ((got >> i & 1) != is_true(&texts[i], s))
				fail_msg("'%.*s' in '%.*s'", (int)texts[i].n, texts[i].bytes,
					 STR_ARG(s));
		}
	}
	automaton_free(a);
}

TEST(random_texts_are_found_where_they_are)
{
	struct gate_tables *tables = xcalloc(1, sizeof(*tables));

	srand(1);
	for (unsigned i = 0; i < 200; i++)
		check_round(tables);
	free(tables);
}

TEST(too_many_are_refused)
{
	struct gate_tables *tables = xcalloc(1, sizeof(*tables));
	struct automaton *a = automaton_new();
	char text[8];

	for (unsigned i = 0; i < GATE_STATES; i++) {
		snprintf(text, sizeof(text), "%06u", i);
		automaton_add(a, str_of(text), true, END_ANYWHERE, 0);
	}
	CHECK(!automaton_make(a, tables));
	automaton_free(a);
	free(tables);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* tests/golden/filter: conditions, and the trees they parse to. */
#include "golden.h"

#include "base/buf.h"
#include "base/test.h"
#include "filter/ast.h"

#include <stdio.h>

enum { DEPTH = 100, PRINTED_MAX = 1 << 20 };

/* The tree, or where the condition is wrong and why. */
static void print(struct str text, struct buf *out)
{
	struct position at;
	struct arena a;
	struct err e;
	struct ast *t;

	arena_init(&a, 0);
	if (ast_parse(text, DEPTH, &a, &t, &at, &e) < 0) {
		buf_addf(out, "! %u:%u: %s", at.line, at.column, e.msg);
	} else {
		buf_addz(out, "= ");
		ast_print(t, out);
	}
	arena_done(&a);
}

static bool check(const struct golden_file *f, unsigned line, struct str condition,
		  struct str expected)
{
	struct buf got;
	bool same;

	buf_init(&got, PRINTED_MAX);
	print(condition, &got);
	same = str_eq(buf_str(&got), expected);
	if (!same)
		fprintf(stderr, "%s:%u:\n%.*s\n  expected\n%.*s\n  got\n%.*s\n\n", f->path, line,
			STR_ARG(condition), STR_ARG(expected), STR_ARG(got));
	buf_done(&got);
	return same;
}

static bool is_expectation(struct str line)
{
	return str_starts(line, STR("= ")) || str_starts(line, STR("! "));
}

static unsigned run_file(struct golden_file *f)
{
	unsigned failed = 0;

	while (golden_skip(f)) {
		struct str condition = {f->rest.p, 0}, line, expected;
		unsigned number = f->line;

		while (line = golden_take_line(f), !is_expectation(line) && f->rest.n)
			condition.n = (size_t)(line.p + line.n - condition.p);
		expected = line;
		failed += !check(f, number, condition, expected);
		/* A printed tree is a condition, too, and the same one. */
		if (*expected.p == '=')
			failed += !check(f, number, str_from(expected, 2), expected);
	}
	return failed;
}

TEST(conditions_parse_or_say_what_is_wrong)
{
	CHECK_INT(golden_run("filter", run_file), 0);
}

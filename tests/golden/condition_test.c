/* SPDX-License-Identifier: Apache-2.0 */
/* Files in filter/: a condition; its tree, printed, or where it is wrong and why. */
#include "golden.h"

#include "base/test.h"
#include "filter/ast.h"

enum { DEPTH = 100, PRINTED_MAX = 1 << 20 };

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

static void parse_and_print(const struct golden_case *c, struct buf *got)
{
	print(c->input, got);
}

/* The printed tree is a condition, too, and the same one. */
static void print_twice(const struct golden_case *c, struct buf *got)
{
	struct buf once;

	buf_init(&once, PRINTED_MAX);
	print(c->input, &once);
	if (str_starts(buf_str(&once), STR("= ")))
		print(str_from(buf_str(&once), 2), got);
	else
		buf_adds(got, buf_str(&once));
	buf_done(&once);
}

TEST(conditions_parse_or_say_what_is_wrong)
{
	CHECK_INT(golden_run("filter", parse_and_print), 0);
}

TEST(printed_conditions_parse_to_the_same)
{
	CHECK_INT(golden_run("filter", print_twice), 0);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions: whatever parses must print as text that parses to the same again. */
#include "filter/ast.h"

#include <stdint.h>
#include <stdlib.h>

enum { DEPTH = 200, PRINTED_MAX = 16 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool print(struct str text, unsigned depth, struct arena *a, struct buf *out)
{
	struct position at;
	struct err e;
	struct ast *t;

	buf_init(out, PRINTED_MAX);
	if (ast_parse(text, depth, a, &t, &at, &e) < 0) {
		if (at.offset > text.n || !at.line || !at.column)
			abort();
		return false;
	}
	ast_print(t, out);
	return true;
}

static void check_operand(struct str text, struct arena *a)
{
	struct operand *o;
	struct err e;
	size_t n;

	if (operand_parse(text, a, &o, &n, &e) == 0 && n == 0)
		abort();
	if (n > text.n)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size};
	struct buf once, twice;
	struct arena a;

	arena_init(&a, 0);
	check_operand(text, &a);
	if (print(text, DEPTH, &a, &once)) {
		/* Printing brackets every chain, so the second text is deeper. */
		if (!print(buf_str(&once), DEPTH * 4, &a, &twice) ||
		    !str_eq(buf_str(&once), buf_str(&twice)))
			abort();
		buf_done(&twice);
	}
	buf_done(&once);
	arena_done(&a);
	return 0;
}

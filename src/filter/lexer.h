/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens of a condition.  There is no token stream: what a text means depends on where it
 * stands (`or`, `in` and `oneof` are fine as values), so the parser asks for what it can take.
 */
#pragma once

#include "filter/ast.h"

struct lexer {
	struct str text;
	struct position at;
	struct str last; /* the last token, for "unexpected token after ..." */
};

void lexer_init(struct lexer *lx, struct str text);
bool lexer_at_end(const struct lexer *lx);

/*
 * Each takes what it is named after and says whether it was there.  Where nothing was, the
 * lexer stands where it stood.  The text is part of the lexer's.
 */
bool lexer_blanks(struct lexer *lx);
bool lexer_word(struct lexer *lx, const char *word);	    /* a prefix will do: "in" of "inside" */
bool lexer_word_blanks(struct lexer *lx, const char *word); /* and at least one blank behind */
bool lexer_identifier(struct lexer *lx, struct str *ret);
bool lexer_field_name(struct lexer *lx, struct str *ret);
bool lexer_number(struct lexer *lx, struct str *ret);
bool lexer_bare_string(struct lexer *lx, struct str *ret);
bool lexer_bare_argument(struct lexer *lx, struct str *ret);
/*
 * 1, 0 when there is none (or it does not end), -EINVAL for an unknown escape, with the lexer
 * standing at it.  Text with escapes is new and lives in the arena.
 */
int lexer_quoted_string(struct lexer *lx, struct arena *a, struct str *ret, struct err *e);

/* What text needs in order to be read back as the same constant or field argument. */
bool is_bare_string(struct str s);
bool is_bare_argument(struct str s);
/* Append s as a quoted string that lexer_quoted_string() reads back. */
void quote_string(struct str s, struct buf *out);

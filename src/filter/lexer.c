/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/lexer.h"

#include <errno.h>

enum char_class {
	BLANK = 1 << 0,
	LETTER = 1 << 1,
	DIGIT = 1 << 2,
	WORD = 1 << 3, /* in an identifier, but not at its start */
	HEX = 1 << 4,
	NOT_BARE = 1 << 5,     /* ends a bare string */
	NOT_ARGUMENT = 1 << 6, /* ends a bare field argument */
};

#define SPACE (BLANK | NOT_BARE | NOT_ARGUMENT)

static const uint8_t class_of[256] = {
	['\0'] = NOT_BARE | NOT_ARGUMENT,
	['\b'] = SPACE,
	['\t'] = SPACE,
	['\n'] = SPACE,
	['\v'] = NOT_BARE | NOT_ARGUMENT,
	['\f'] = NOT_BARE | NOT_ARGUMENT,
	['\r'] = SPACE,
	[' '] = SPACE,
	['('] = NOT_BARE,
	[')'] = NOT_BARE,
	['='] = NOT_BARE,
	[','] = NOT_BARE,
	['"'] = NOT_BARE | NOT_ARGUMENT,
	['\''] = NOT_BARE | NOT_ARGUMENT,
	['['] = NOT_ARGUMENT,
	[']'] = NOT_ARGUMENT,
	['0' ... '9'] = DIGIT | WORD | HEX,
	['A' ... 'F'] = LETTER | WORD | HEX,
	['G' ... 'Z'] = LETTER | WORD,
	['_'] = WORD,
	['a' ... 'f'] = LETTER | WORD | HEX,
	['g' ... 'z'] = LETTER | WORD,
};

static bool is(char c, enum char_class class)
{
	return class_of[(uint8_t)c] & class;
}

void lexer_init(struct lexer *lx, struct str text)
{
	*lx = (struct lexer){.text = text, .at = {0, 1, 1}, .last = STR_EMPTY};
}

bool lexer_at_end(const struct lexer *lx)
{
	return lx->at.offset >= lx->text.n;
}

/* The byte n behind the current one; NUL, which is in no token, behind the end. */
static char peek(const struct lexer *lx, size_t n)
{
	size_t at = lx->at.offset + n;

	return at < lx->text.n ? lx->text.p[at] : '\0';
}

static void step(struct lexer *lx)
{
	if (peek(lx, 0) == '\n') {
		lx->at.line++;
		lx->at.column = 0;
	}
	lx->at.offset++;
	lx->at.column++;
}

/* Take n bytes, none of them a line break, as a token. */
static void take(struct lexer *lx, size_t n, struct str *ret)
{
	lx->last = (struct str){lx->text.p + lx->at.offset, n};
	lx->at.offset += (uint32_t)n;
	lx->at.column += (uint32_t)n;
	if (ret)
		*ret = lx->last;
}

bool lexer_blanks(struct lexer *lx)
{
	uint32_t from = lx->at.offset;

	while (is(peek(lx, 0), BLANK))
		step(lx);
	return lx->at.offset > from;
}

bool lexer_word(struct lexer *lx, const char *word)
{
	struct str w = str_of(word);

	if (!str_starts(str_from(lx->text, lx->at.offset), w))
		return false;
	take(lx, w.n, NULL);
	return true;
}

bool lexer_word_blanks(struct lexer *lx, const char *word)
{
	struct lexer before = *lx;

	if (lexer_word(lx, word) && lexer_blanks(lx))
		return true;
	*lx = before;
	return false;
}

/* Length of the identifier that starts at offset n; 0 when none does. */
static size_t identifier_length(const struct lexer *lx, size_t n)
{
	size_t end = n;

	if (!is(peek(lx, n), LETTER))
		return 0;
	while (is(peek(lx, end), WORD))
		end++;
	return end - n;
}

bool lexer_identifier(struct lexer *lx, struct str *ret)
{
	size_t n = identifier_length(lx, 0);

	if (n)
		take(lx, n, ret);
	return n;
}

bool lexer_field_name(struct lexer *lx, struct str *ret)
{
	size_t first = identifier_length(lx, 0), n = first, more;

	while (n && peek(lx, n) == '.' && (more = identifier_length(lx, n + 1)))
		n += 1 + more;
	if (n == first)
		return false;
	take(lx, n, ret);
	return true;
}

static size_t run(const struct lexer *lx, size_t n, enum char_class class)
{
	size_t end = n;

	while (is(peek(lx, end), class))
		end++;
	return end - n;
}

/* An exponent counts only with its sign: 1e+3. */
static size_t exponent_length(const struct lexer *lx, size_t n)
{
	size_t digits;

	if (peek(lx, n) != 'e' && peek(lx, n) != 'E')
		return 0;
	if (peek(lx, n + 1) != '+' && peek(lx, n + 1) != '-')
		return 0;
	digits = run(lx, n + 2, DIGIT);
	return digits ? 2 + digits : 0;
}

static size_t number_length(const struct lexer *lx)
{
	size_t n, digits;

	if (peek(lx, 0) == '0' && (peek(lx, 1) == 'x' || peek(lx, 1) == 'X') &&
	    (digits = run(lx, 2, HEX)))
		return 2 + digits;
	n = peek(lx, 0) == '+' || peek(lx, 0) == '-';
	digits = run(lx, n, DIGIT);
	if (!digits)
		return 0;
	n += digits;
	if (peek(lx, n) == '.')
		n += 1 + run(lx, n + 1, DIGIT);
	return n + exponent_length(lx, n);
}

bool lexer_number(struct lexer *lx, struct str *ret)
{
	size_t n = number_length(lx);

	if (n)
		take(lx, n, ret);
	return n;
}

static size_t run_until(struct str s, enum char_class class)
{
	size_t n = 0;

	while (n < s.n && !is(s.p[n], class))
		n++;
	return n;
}

static bool take_until(struct lexer *lx, enum char_class class, struct str *ret)
{
	size_t n = run_until(str_from(lx->text, lx->at.offset), class);

	if (n)
		take(lx, n, ret);
	return n;
}

bool lexer_bare_string(struct lexer *lx, struct str *ret)
{
	return take_until(lx, NOT_BARE, ret);
}

bool lexer_bare_argument(struct lexer *lx, struct str *ret)
{
	return take_until(lx, NOT_ARGUMENT, ret);
}

/* What stands behind the backslash, and what both are.  "\ " is a backslash, too. */
static const struct escape {
	char written, meant;
} escapes[] = {{'b', '\b'}, {'f', '\f'}, {'n', '\n'},  {'r', '\r'},
	       {'t', '\t'}, {'/', '/'},	 {'\\', '\\'}, {' ', '\\'}};

static bool find_escape(char written, char quote, char *ret)
{
	if (written == quote) {
		*ret = quote;
		return true;
	}
	for (size_t i = 0; i < sizeof(escapes) / sizeof(*escapes); i++)
		if (escapes[i].written == written) {
			*ret = escapes[i].meant;
			return true;
		}
	return false;
}

/*
 * Length of the text between the quotes, or -1 without an end.  Only the byte before a quote
 * decides whether it ends the string, so "a\\" does not end where one would think.
 */
static ptrdiff_t quoted_length(struct str s, char quote)
{
	size_t n = 0;
	const char *p;

	while ((p = memchr(s.p + n, quote, s.n - n))) {
		n = (size_t)(p - s.p);
		if (!n || p[-1] != '\\')
			return (ptrdiff_t)n;
		n++;
	}
	return -1;
}

static int unescape(struct lexer *lx, size_t n, char quote, struct arena *a, struct str *ret,
		    struct err *e)
{
	char *to = arena_alloc(a, n + 1);
	size_t end = lx->at.offset + n, used = 0;

	while (lx->at.offset < end) {
		char c = peek(lx, 0);

		if (c == '\\' && !find_escape(peek(lx, 1), quote, &c))
			return err_set(e, -EINVAL, "unsupported string escape sequence");
		if (peek(lx, 0) == '\\')
			step(lx);
		step(lx);
		to[used++] = c;
	}
	to[used] = '\0';
	*ret = (struct str){to, used};
	return 0;
}

int lexer_quoted_string(struct lexer *lx, struct arena *a, struct str *ret, struct err *e)
{
	char quote = peek(lx, 0);
	struct str rest = str_from(lx->text, lx->at.offset + 1), inside;
	ptrdiff_t n;
	int r;

	if (quote != '"' && quote != '\'')
		return 0;
	n = quoted_length(rest, quote);
	if (n < 0 || memchr(rest.p, '\0', (size_t)n))
		return 0;
	inside = str_head(rest, (size_t)n);
	step(lx);
	if (memchr(inside.p, '\\', inside.n)) {
		r = unescape(lx, inside.n, quote, a, &inside, e);
		if (r < 0)
			return r;
	} else {
		for (size_t i = 0; i < inside.n; i++)
			step(lx);
	}
	step(lx);
	*ret = lx->last = inside;
	return 1;
}

bool is_bare_string(struct str s)
{
	return s.n && run_until(s, NOT_BARE) == s.n && !memchr(s.p, '\\', s.n);
}

bool is_bare_argument(struct str s)
{
	return s.n && run_until(s, NOT_ARGUMENT) == s.n;
}

static char written_escape(char c)
{
	for (size_t i = 0; i < sizeof(escapes) / sizeof(*escapes); i++)
		if (escapes[i].meant == c && c != '/')
			return escapes[i].written;
	return c == '"' ? c : '\0';
}

void quote_string(struct str s, struct buf *out)
{
	buf_addc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		char written = written_escape(s.p[i]);

		/* A backslash right before the closing quote would keep the string open. */
		if (s.p[i] == '\\' && i + 1 == s.n)
			written = ' ';
		if (written)
			buf_addc(out, '\\');
		buf_addc(out, written ? written : s.p[i]);
	}
	buf_addc(out, '"');
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/caret.h"

#include "base/utf8.h"

enum { WIDTH = 120 }; /* bytes of the line shown */

struct str caret_line(struct str text, size_t offset, size_t *ret_column)
{
	struct str before = str_head(text, offset);
	size_t start = (size_t)(str_rchr(before, '\n') + 1);
	struct str line = str_from(text, start);
	ptrdiff_t end = str_chr(line, '\n');

	*ret_column = before.n - start;
	if (end >= 0)
		line.n = (size_t)end;
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

/* Blanks as wide as s, so that a caret behind them stands under what follows s. */
static void add_blanks(struct str s, struct buf *out)
{
	for (size_t i = 0, n; i < s.n; i += n) {
		utf8_char(str_from(s, i), &n);
		buf_addc(out, s.p[i] == '\t' ? '\t' : ' ');
	}
}

/* First byte of the character that offset is inside of. */
static size_t char_start(struct str s, size_t offset)
{
	while (offset && offset < s.n && ((uint8_t)s.p[offset] & 0xc0) == 0x80)
		offset--;
	return offset;
}

void caret_add(struct str line, size_t column, size_t width, struct buf *out)
{
	size_t from = 0, to = line.n;

	if (column > line.n)
		column = line.n;
	if (line.n > width) {
		from = column > width / 2 ? char_start(line, column - width / 2) : 0;
		to = from + width < line.n ? char_start(line, from + width) : line.n;
	}
	if (from)
		buf_addz(out, "...");
	buf_add(out, line.p + from, to - from);
	if (to < line.n)
		buf_addz(out, "...");
	buf_addc(out, '\n');
	if (from)
		buf_addz(out, "   ");
	add_blanks((struct str){line.p + from, column - from}, out);
	buf_addz(out, "^\n");
}

/* A line as one line of the terminal, as wide with tabs as the one below it. */
static void add_printable(struct str line, struct buf *out)
{
	for (ptrdiff_t tab; (tab = str_chr(line, '\t')) >= 0;
	     line = str_from(line, (size_t)tab + 1)) {
		utf8_add_printable(out, str_head(line, (size_t)tab));
		buf_addc(out, '\t');
	}
	utf8_add_printable(out, line);
	buf_addc(out, '\n');
}

void caret_show(struct str text, size_t offset, const char *indent, struct buf *out)
{
	size_t column;
	struct str line = caret_line(text, offset, &column), both;
	struct buf b;

	buf_init(&b, 4096);
	caret_add(line, column, WIDTH, &b);
	for (both = buf_str(&b); both.n;) {
		size_t n = (size_t)str_chr(both, '\n');

		buf_addz(out, indent);
		add_printable(str_head(both, n), out);
		both = str_from(both, n + 1);
	}
	buf_done(&b);
}

void caret_print(struct str text, struct position at, const char *message, struct buf *out)
{
	buf_addf(out, "%u:%u: %s\n", at.line, at.column, message);
	caret_show(text, at.offset, "", out);
	out->n--; /* the line break */
}

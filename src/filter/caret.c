/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/caret.h"

#include "base/utf8.h"

enum { WIDTH = 100, BEFORE = 60 }; /* bytes of the line shown, and of them in front of the caret */

static const struct str dots = {"...", 3};

static bool is_continuation(char c)
{
	return ((uint8_t)c & 0xc0) == 0x80;
}

/* From start to end of the line that offset is in. */
static struct str line_at(struct str text, size_t offset, size_t *ret_in_line)
{
	size_t start = offset, end = offset;

	while (start && text.p[start - 1] != '\n')
		start--;
	while (end < text.n && text.p[end] != '\n')
		end++;
	*ret_in_line = offset - start;
	return (struct str){text.p + start, end - start};
}

/* As one printable line.  Returns how many characters stand in front of byte `mark`. */
static size_t add_line(struct str line, size_t mark, struct buf *out)
{
	size_t columns = 0, n;

	for (size_t i = 0; i < line.n; i += n) {
		columns += i < mark;
		utf8_char(str_from(line, i), &n);
		if (line.p[i] == '\t' || line.p[i] == '\r')
			buf_addc(out, ' ');
		else
			utf8_add_printable(out, (struct str){line.p + i, n});
	}
	return columns;
}

void caret_print(struct str text, struct position at, const char *message, struct buf *out)
{
	size_t offset = at.offset < text.n ? at.offset : text.n, in_line, columns, start = 0, end;
	struct str line = line_at(text, offset, &in_line);

	if (line.n > WIDTH && in_line > BEFORE)
		start = in_line - BEFORE;
	while (start && is_continuation(line.p[start]))
		start--;
	end = line.n - start > WIDTH ? start + WIDTH : line.n;
	while (end < line.n && is_continuation(line.p[end]))
		end++;

	buf_addf(out, "%u:%u: %s\n", at.line, at.column, message);
	if (start)
		buf_adds(out, dots);
	columns = add_line((struct str){line.p + start, end - start}, in_line - start, out);
	if (end < line.n)
		buf_adds(out, dots);
	buf_addf(out, "\n%*s^", (int)(columns + (start ? dots.n : 0)), "");
}

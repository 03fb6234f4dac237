/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include "base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* What stands behind the backslash; 'u' for the long form, 0 for bytes that need none. */
static char escape_of(uint8_t c)
{
	static const char controls[] = "uuuuuuuubtnufruuuuuuuuuuuuuuuuuu";

	if (c < 0x20)
		return controls[c];
	return c == '"' || c == '\\' ? (char)c : 0;
}

static void add_escape(struct buf *b, uint8_t c, char escape)
{
	static const char hex[] = "0123456789abcdef";
	char text[6] = {'\\', escape, '0', '0', hex[c >> 4], hex[c & 15]};

	buf_add(b, text, escape == 'u' ? 6 : 2);
}

static bool is_control(uint8_t c)
{
	return c < 0x20 || c == 0x7f;
}

static void add_string(struct buf *b, struct str s, bool replace_controls)
{
	size_t at = 0, start = 0, n;

	buf_addc(b, '"');
	while (at < s.n) {
		uint8_t c = (uint8_t)s.p[at];
		char escape = escape_of(c);
		bool replaced = replace_controls && is_control(c), is_char, is_obeyed;
		uint32_t code;

		if (c < 0x80 && !escape && !replaced) {
			at++;
			continue;
		}
		is_char = c >= 0x80 && utf8_char(str_from(s, at), &n);
		is_obeyed = is_char && utf8_is_obeyed(s.p + at, n, &code);
		if (is_char && !is_obeyed) {
			at += n;
			continue;
		}
		buf_add(b, s.p + start, at - start);
		if (c < 0x80)
			n = 1;
		if (is_obeyed)
			buf_addf(b, "\\u%04x", code);
		else if (escape && !replaced)
			add_escape(b, c, escape);
		else
			buf_addz(b, UTF8_REPLACEMENT);
		at += n;
		start = at;
	}
	buf_add(b, s.p + start, at - start);
	buf_addc(b, '"');
}

void json_add_string(struct buf *b, struct str s)
{
	add_string(b, s, false);
}

void json_add_printable(struct buf *b, struct str s)
{
	add_string(b, s, true);
}

void json_add_double(struct buf *b, double d)
{
	char text[40];
	int precision = 15;

	if (!isfinite(d)) {
		buf_addz(b, "null");
		return;
	}
	do
		snprintf(text, sizeof(text), "%.*g", precision, d);
	while (precision++ < 17 && strtod(text, NULL) != d);
	buf_addz(b, text);
	if (!strpbrk(text, ".e"))
		buf_addz(b, ".0");
}

void json_add_bool(struct buf *b, bool v)
{
	buf_addz(b, v ? "true" : "false");
}

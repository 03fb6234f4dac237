/* SPDX-License-Identifier: Apache-2.0 */
#include "config/expand.h"

#include <stdlib.h>

enum { NAME_MAX_BYTES = 1024 };

bool has_variables(struct str text)
{
	return str_find(text, STR("${")) >= 0;
}

static void add_variable(struct str name, struct buf *out)
{
	char z[NAME_MAX_BYTES + 1];
	const char *value;

	if (name.n > NAME_MAX_BYTES || memchr(name.p, '\0', name.n))
		return;
	memcpy(z, name.p, name.n);
	z[name.n] = '\0';
	value = getenv(z);
	if (value)
		buf_addz(out, value);
}

void expand_variables(struct str text, struct buf *out)
{
	ptrdiff_t at, end;

	while ((at = str_find(text, STR("${"))) >= 0) {
		bool is_literal = at && text.p[at - 1] == '$';
		struct str rest = str_from(text, (size_t)at + 2);

		end = str_chr(rest, '}');
		if (end < 0)
			break;
		buf_add(out, text.p, (size_t)at - is_literal);
		if (is_literal)
			buf_add(out, text.p + at, (size_t)end + 3);
		else
			add_variable(str_head(rest, (size_t)end), out);
		text = str_from(rest, (size_t)end + 1);
	}
	buf_adds(out, text);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "field/bytes.h"

#include "field/field.h"
#include "field/text.h"

/* Every byte that cannot be seen becomes a dot. */
static void add_dotted(struct text *t, struct str bytes)
{
	size_t start = t->n;

	text_add(t, bytes);
	for (size_t i = start; i < t->n; i++)
		if (t->p[i] < ' ' || t->p[i] > '~')
			t->p[i] = '.';
}

static void add_base64(struct text *t, struct str bytes)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < bytes.n; i += 3) {
		size_t n = bytes.n - i < 3 ? bytes.n - i : 3;
		uint32_t group = 0;

		for (size_t k = 0; k < 3; k++)
			group = group << 8 | (k < n ? (uint8_t)bytes.p[i + k] : 0);
		for (size_t k = 0; k < 4; k++)
			text_addc(t, k <= n ? alphabet[group >> (18 - 6 * k) & 63] : '=');
	}
}

static void add_hex(struct text *t, struct str bytes)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < bytes.n; i++) {
		if (i)
			text_addc(t, ' ');
		text_addc(t, digits[(uint8_t)bytes.p[i] >> 4]);
		text_addc(t, digits[(uint8_t)bytes.p[i] & 15]);
	}
}

/* Lines of 16 bytes: their digits, then what of them can be seen. */
static void add_hex_ascii(struct text *t, struct str bytes)
{
	for (size_t i = 0; i < bytes.n; i += 16) {
		struct str line = str_head(str_from(bytes, i), 16);

		text_addc(t, '\n');
		add_hex(t, line);
		for (size_t k = line.n; k < 16; k++)
			text_addz(t, "   ");
		text_addc(t, ' ');
		add_dotted(t, line);
	}
}

struct str bytes_text(struct arena *a, struct str bytes)
{
	static void (*const formats[])(struct text *, struct str) = {
		[BUFFER_TEXT] = add_dotted,
		[BUFFER_BASE64] = add_base64,
		[BUFFER_HEX] = add_hex,
		[BUFFER_HEX_ASCII] = add_hex_ascii,
	};
	struct text t = text_start(a);

	formats[field_config.buffer_format](&t, bytes);
	return text_str(&t);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

/* How many bytes a first byte promises, and what the second one may be (Unicode, table 3-7). */
static const struct lead {
	uint8_t first, last, n, second_min, second_max;
} leads[] = {
	{0x00, 0x7f, 1, 0x80, 0xbf}, {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf},
	{0xe1, 0xec, 3, 0x80, 0xbf}, {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf},
	{0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

static const struct lead *find_lead(uint8_t c)
{
	for (size_t i = 0; i < sizeof(leads) / sizeof(*leads); i++)
		if (c >= leads[i].first && c <= leads[i].last)
			return &leads[i];
	return NULL;
}

bool utf8_char(struct str s, size_t *ret_n)
{
	const uint8_t *p = (const uint8_t *)s.p;
	const struct lead *lead = find_lead(p[0]);
	size_t n = 1;

	while (lead && n < lead->n && n < s.n) {
		uint8_t min = n == 1 ? lead->second_min : 0x80;
		uint8_t max = n == 1 ? lead->second_max : 0xbf;

		if (p[n] < min || p[n] > max)
			break;
		n++;
	}
	*ret_n = n;
	return lead && n == lead->n;
}

bool utf8_is_obeyed(const char *p, size_t n, uint32_t *ret)
{
	const uint8_t *u = (const uint8_t *)p;

	if (n == 2)
		*ret = (uint32_t)(u[0] & 0x1f) << 6 | (u[1] & 0x3f);
	else if (n == 3)
		*ret = (uint32_t)(u[0] & 0xf) << 12 | (uint32_t)(u[1] & 0x3f) << 6 | (u[2] & 0x3f);
	else
		return false;
	return (*ret >= 0x80 && *ret < 0xa0) || (*ret >= 0x2028 && *ret <= 0x202e) ||
	       (*ret >= 0x2066 && *ret <= 0x2069);
}

/* What is replaced, each with what stands before it. */
enum replaced { ILL_FORMED, OBEYED };

static bool is_plain(uint8_t c, enum replaced what)
{
	return c < 0x80 && (what < OBEYED || (c >= 0x20 && c != 0x7f));
}

static void add(struct buf *b, struct str s, enum replaced what)
{
	size_t at = 0, start = 0, n;
	uint32_t unused;

	while (at < s.n) {
		if (is_plain((uint8_t)s.p[at], what)) {
			at++;
			continue;
		}
		if (utf8_char(str_from(s, at), &n) && (uint8_t)s.p[at] >= 0x80 &&
		    !(what == OBEYED && utf8_is_obeyed(s.p + at, n, &unused))) {
			at += n;
			continue;
		}
		buf_add(b, s.p + start, at - start);
		buf_addz(b, UTF8_REPLACEMENT);
		at += n;
		start = at;
	}
	buf_add(b, s.p + start, at - start);
}

void utf8_add(struct buf *b, struct str s)
{
	add(b, s, ILL_FORMED);
}

void utf8_add_printable(struct buf *b, struct str s)
{
	add(b, s, OBEYED);
}

static void add_code(struct buf *b, uint32_t c)
{
	if (c < 0x80) {
		buf_addc(b, (char)c);
		return;
	}
	if (c < 0x800) {
		buf_addc(b, (char)(0xc0 | c >> 6));
	} else if (c < 0x10000) {
		buf_addc(b, (char)(0xe0 | c >> 12));
		buf_addc(b, (char)(0x80 | (c >> 6 & 0x3f)));
	} else {
		buf_addc(b, (char)(0xf0 | c >> 18));
		buf_addc(b, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_addc(b, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	buf_addc(b, (char)(0x80 | (c & 0x3f)));
}

static uint32_t utf16_unit(struct str s, size_t at, bool big_endian)
{
	const uint8_t *p = (const uint8_t *)s.p + at;

	return big_endian ? (uint32_t)(p[0] << 8 | p[1]) : (uint32_t)(p[1] << 8 | p[0]);
}

void utf8_add_utf16(struct buf *b, struct str s, bool big_endian)
{
	for (size_t at = 0; at + 1 < s.n; at += 2) {
		uint32_t c = utf16_unit(s, at, big_endian), low = 0;

		if (c >= 0xd800 && c < 0xdc00 && at + 3 < s.n)
			low = utf16_unit(s, at + 2, big_endian);
		if (low >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10 | (low - 0xdc00));
			at += 2;
		}
		add_code(b, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
	}
	if (s.n % 2)
		buf_addz(b, UTF8_REPLACEMENT);
}

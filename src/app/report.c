/* SPDX-License-Identifier: Apache-2.0 */
#include "app/report.h"

#include <stdio.h>
#include <unistd.h>

enum {
	REPORT_MAX = 16384,
	SHOWN_BEFORE = 60, /* bytes of a long line in front of the place ... */
	SHOWN_AFTER = 30,  /* ... and behind it */
};

void text_add_safe(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		buf_addc(out, c == '\t' ? ' ' : c < ' ' || c == 0x7f ? '?' : (char)c);
	}
}

static void send(struct buf *out)
{
	ssize_t r = write(STDERR_FILENO, out->p, out->n);

	(void)r; /* there is nobody left to tell */
	buf_done(out);
}

void report(const char *fmt, ...)
{
	char text[4096];
	struct buf out;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_init(&out, REPORT_MAX);
	buf_addz(&out, "saker: ");
	text_add_safe(&out, str_of(text));
	buf_addc(&out, '\n');
	send(&out);
}

/* Columns that the bytes of s take on a terminal: UTF-8 continuation bytes take none. */
static size_t columns(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

void report_at(const char *name, struct str text, struct position at, const struct err *why)
{
	size_t place = at.offset < text.n ? at.offset : text.n;
	size_t start = place, end = place;
	struct buf out;

	while (start && text.p[start - 1] != '\n' && place - start < SHOWN_BEFORE)
		start--;
	while (end < text.n && text.p[end] != '\n' && end - place < SHOWN_AFTER)
		end++;
	buf_init(&out, REPORT_MAX);
	buf_addz(&out, "saker: ");
	text_add_safe(&out, str_of(name));
	buf_addf(&out, ":%u:%u: ", at.line, at.column);
	text_add_safe(&out, str_of(why->msg));
	buf_addz(&out, "\n  ");
	text_add_safe(&out, (struct str){text.p + start, end - start});
	buf_addf(&out, "\n  %*s^\n", (int)columns((struct str){text.p + start, place - start}), "");
	send(&out);
}

void report_text(struct str text)
{
	struct buf out;

	buf_init(&out, text.n);
	buf_adds(&out, text);
	send(&out);
}

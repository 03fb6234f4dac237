/* SPDX-License-Identifier: Apache-2.0 */
#include "app/report.h"

#include "base/utf8.h"
#include "filter/caret.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { REPORT_MAX = 16384 };

void text_add_safe(struct buf *out, struct str s)
{
	for (size_t i = 0, n; i < s.n; i += n) {
		utf8_char(str_from(s, i), &n);
		if (s.p[i] == '\t' || s.p[i] == '\n')
			buf_addc(out, ' ');
		else
			utf8_add_printable(out, (struct str){s.p + i, n});
	}
}

#define CLEAR_LINE "\r\033[K"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all that follows */
static bool has_line;

static void write_out(const char *p, size_t n)
{
	ssize_t r = write(STDERR_FILENO, p, n);

	(void)r; /* there is nobody left to tell */
}

static void clear_line(void)
{
	if (has_line)
		write_out(CLEAR_LINE, sizeof(CLEAR_LINE) - 1);
	has_line = false;
}

void report_line_clear(void)
{
	pthread_mutex_lock(&lock);
	clear_line();
	pthread_mutex_unlock(&lock);
}

void report_line(struct str text)
{
	char out[512];
	int n = snprintf(out, sizeof(out), CLEAR_LINE "%.*s", STR_ARG(text));

	pthread_mutex_lock(&lock);
	has_line = true;
	write_out(out, (size_t)n < sizeof(out) ? (size_t)n : sizeof(out) - 1);
	pthread_mutex_unlock(&lock);
}

static void send(struct buf *out)
{
	pthread_mutex_lock(&lock);
	clear_line();
	write_out(out->p, out->n);
	pthread_mutex_unlock(&lock);
	buf_done(out);
}

static enum { AS_SAKER, AS_LOG, AS_ISO_LOG } manner;
static char last[4096]; /* that was reported, without what stands before it */

static void keep_last(const char *text)
{
	pthread_mutex_lock(&lock);
	snprintf(last, sizeof(last), "%s", text);
	pthread_mutex_unlock(&lock);
}

void report_as_log(bool iso8601)
{
	manner = iso8601 ? AS_ISO_LOG : AS_LOG;
}

static void add_time(struct buf *out)
{
	char text[64] = "";
	time_t now = time(NULL);
	struct tm tm;

	if (manner == AS_ISO_LOG && gmtime_r(&now, &tm))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S+0000", &tm);
	else if (localtime_r(&now, &tm))
		strftime(text, sizeof(text), "%a %b %e %H:%M:%S %Y", &tm);
	buf_addz(out, text);
}

static void add_head(struct buf *out)
{
	if (manner == AS_SAKER)
		buf_addz(out, "saker");
	else
		add_time(out);
	buf_addz(out, ": ");
}

void report_error(void)
{
	struct buf out;

	buf_init(&out, REPORT_MAX);
	buf_addz(&out, "Error: ");
	text_add_safe(&out, str_of(*last ? last : "see above"));
	buf_addc(&out, '\n');
	send(&out);
}

void report(const char *fmt, ...)
{
	char text[4096];
	struct buf out;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	keep_last(text);
	buf_init(&out, REPORT_MAX);
	add_head(&out);
	text_add_safe(&out, str_of(text));
	buf_addc(&out, '\n');
	send(&out);
}

void report_at(const char *name, struct str text, struct position at, const struct err *why)
{
	struct buf out, message;
	char full[sizeof(last)];

	buf_init(&message, sizeof(why->msg));
	text_add_safe(&message, str_of(why->msg));
	buf_init(&out, REPORT_MAX);
	snprintf(full, sizeof(full), "%s: %s", name, why->msg);
	keep_last(full);
	add_head(&out);
	text_add_safe(&out, str_of(name));
	buf_addc(&out, ':');
	caret_print(text, at, buf_z(&message), &out);
	buf_addc(&out, '\n');
	buf_done(&message);
	send(&out);
}

void report_text(struct str text)
{
	struct buf out;

	buf_init(&out, text.n);
	buf_adds(&out, text);
	send(&out);
}

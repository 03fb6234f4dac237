/* SPDX-License-Identifier: Apache-2.0 */
#include "app/report.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/logsocket.h"
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

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the terminal, and of what is last */
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

	has_line = true;
	write_out(out, (size_t)n < sizeof(out) ? (size_t)n : sizeof(out) - 1);
}

static struct report_config config = {.most = REPORT_DEBUG, .identity = "saker"};
static int log_fd = -1;

const char *const report_level_names[REPORT_LEVELS] = {"emergency", "alert",  "critical", "error",
						       "warning",   "notice", "info",	  "debug"};

int report_begin(const struct report_config *c)
{
	report_end();
	config = *c;
	log_fd = c->log_socket ? logsocket_open(c->log_socket) : -1;
	return c->log_socket && log_fd < 0 ? log_fd : 0;
}

void report_end(void)
{
	if (log_fd >= 0)
		close(log_fd);
	log_fd = -1;
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

void report_as_log(bool iso8601)
{
	manner = iso8601 ? AS_ISO_LOG : AS_LOG;
}

bool report_is_log(void)
{
	return manner != AS_SAKER;
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

static void add_json(enum report_level level, struct str text, struct buf *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	buf_addz(out, "{\"level\":");
	json_add_string(out, str_of(report_level_names[level]));
	buf_addz(out, ",\"message\":");
	json_add_string(out, text);
	buf_addf(out, ",\"pid\":%d,\"program\":", (int)getpid());
	json_add_string(out, str_of(config.identity));
	buf_addz(out, ",\"time\":\"");
	clock_add_utc(out, (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
	buf_addz(out, "Z\"}\n");
}

/* text: on one line.  shown: the same for people, with its newline; taken over. */
static void tell(enum report_level level, struct str text, struct buf *shown)
{
	struct buf json;

	if (level > config.most) {
		buf_done(shown);
		return;
	}
	if (log_fd >= 0)
		logsocket_put(log_fd, config.identity, level, text);
	if (config.no_stderr) {
		buf_done(shown);
	} else if (!config.as_json) {
		send(shown);
	} else {
		buf_done(shown);
		buf_init(&json, REPORT_MAX);
		add_json(level, text, &json);
		send(&json);
	}
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

__attribute__((format(printf, 2, 0))) static void report_list(enum report_level level,
							      const char *fmt, va_list ap)
{
	struct buf out, text;

	vsnprintf(last, sizeof(last), fmt, ap);
	buf_init(&text, REPORT_MAX);
	text_add_safe(&text, str_of(last));
	buf_init(&out, REPORT_MAX);
	add_head(&out);
	buf_adds(&out, buf_str(&text));
	buf_addc(&out, '\n');
	tell(level, buf_str(&text), &out);
	buf_done(&text);
}

void report(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report_list(REPORT_ERROR, fmt, ap);
	va_end(ap);
}

void report_as(enum report_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report_list(level, fmt, ap);
	va_end(ap);
}

void report_at(const char *name, struct str text, struct position at, const struct err *why)
{
	struct buf out, message, line;

	buf_init(&message, sizeof(why->msg));
	text_add_safe(&message, str_of(why->msg));
	buf_init(&out, REPORT_MAX);
	snprintf(last, sizeof(last), "%s: %s", name, why->msg);
	add_head(&out);
	text_add_safe(&out, str_of(name));
	buf_addc(&out, ':');
	caret_print(text, at, buf_z(&message), &out);
	buf_addc(&out, '\n');
	buf_init(&line, REPORT_MAX);
	text_add_safe(&line, str_of(name));
	buf_addf(&line, ":%u:%u: %s", at.line, at.column, buf_z(&message));
	tell(REPORT_ERROR, buf_str(&line), &out);
	buf_done(&line);
	buf_done(&message);
}

/* Of the log each line is one of its own. */
static void log_lines(struct str text)
{
	while (text.n) {
		ptrdiff_t end = str_chr(text, '\n');
		struct str line = end < 0 ? text : str_head(text, (size_t)end);

		if (line.n && log_fd >= 0)
			logsocket_put(log_fd, config.identity, REPORT_WARNING, line);
		text = str_from(text, line.n + 1);
	}
}

void report_text(struct str text)
{
	struct buf out;

	if (!text.n || config.most < REPORT_WARNING)
		return;
	log_lines(text);
	if (config.no_stderr)
		return;
	buf_init(&out, 2 * text.n + REPORT_MAX);
	if (config.as_json)
		add_json(REPORT_WARNING, str_trim(text), &out);
	else
		buf_adds(&out, text);
	send(&out);
}

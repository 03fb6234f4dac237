/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the program says of itself: on standard error, always in one piece, unless report_begin()
 * has said otherwise; there also into the system's log, and as JSON.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "filter/ast.h"

/* As syslog numbers them. */
enum report_level {
	REPORT_EMERGENCY,
	REPORT_ALERT,
	REPORT_CRITICAL,
	REPORT_ERROR,
	REPORT_WARNING,
	REPORT_NOTICE,
	REPORT_INFO,
	REPORT_DEBUG,
	REPORT_LEVELS,
};

extern const char *const report_level_names[REPORT_LEVELS];

struct report_config {
	enum report_level most; /* what is less urgent is not said */
	bool no_stderr, as_json;
	const char *log_socket; /* of the system's log; NULL: not there */
	const char *identity;	/* in that log, and in JSON */
};

/*
 * From here on.  -errno: the system's log is not there, and the rest counts.  Before anything is
 * given up (app/privilege.h).
 */
int report_begin(const struct report_config *c);
void report_end(void);

/* "saker: ..." and a newline.  Control characters in it are shown as U+FFFD.  This is an error. */
void report(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void report_as(enum report_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define report_warning(...) report_as(REPORT_WARNING, __VA_ARGS__)
#define report_notice(...) report_as(REPORT_NOTICE, __VA_ARGS__)
#define report_info(...) report_as(REPORT_INFO, __VA_ARGS__)

/*
 * From here on "TIME: ..." instead of "saker: ...", as the log of the reference; the time with its
 * date in UTC (iso), or as ctime(3) writes it.
 */
void report_as_log(bool iso8601);
bool report_is_log(void);
/* "Error: " and what was reported last. */
void report_error(void);

/* "saker: NAME:LINE:COLUMN: why", the line of text that holds `at`, and a caret below it. */
void report_at(const char *name, struct str text, struct position at, const struct err *why);

/* Text of several lines as it is, without "saker:". */
void report_text(struct str text);

/*
 * The line at the bottom of the terminal that standard error is.  It goes when anything is
 * reported, or by report_line_clear(): before others write to the terminal.
 */
void report_line(struct str text);
void report_line_clear(void);

/*
 * Bytes from outside on one line: tabs and newlines become blanks, other control characters and
 * what is no UTF-8 become U+FFFD.
 */
void text_add_safe(struct buf *out, struct str s);

/* SPDX-License-Identifier: Apache-2.0 */
/* What the program says to people: always on stderr, always in one piece. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "filter/ast.h"

/* "saker: ..." and a newline.  Control characters in it are shown as U+FFFD. */
void report(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * From here on "TIME: ..." instead of "saker: ...", as the log of the reference; the time with its
 * date in UTC (iso), or as ctime(3) writes it.
 */
void report_as_log(bool iso8601);
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

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdarg.h>

/*
 * One error, for a person: a sentence and the errno that fits it.
 *
 * The deepest function states the fact with err_set(); each caller puts what it
 * knows in front with err_prepend().  Both return the (negative) code, so that
 * `return err_set(...)` reads well.  A NULL struct err is fine everywhere.
 */
struct err {
	int code;      /* negative errno, 0 while unset */
	char msg[488]; /* "rules.yaml:12:5: unknown field 'proc.nam'" */
};

int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int err_vset(struct err *e, int code, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));
int err_prepend(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

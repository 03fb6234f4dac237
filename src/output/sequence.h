/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The number of an alert: one more for each, also after a restart where there is a file to remember
 * it in.  A number is never given twice: after a loss of power, in which the file may be old, many
 * are left out.
 */
#pragma once

#include "base/err.h"

#include <stdint.h>

enum { SEQUENCE_LEAP = 1 << 20 };

struct sequence;

/* path: NULL for none; at_least: a number that is known to have been given. */
int sequence_open(const char *path, uint64_t at_least, struct sequence **ret, struct err *e);
void sequence_close(struct sequence *s); /* NULL is fine */
/* Costs no system call. */
uint64_t sequence_next(struct sequence *s);
uint64_t sequence_last(const struct sequence *s);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets in command lines and environments that must not be passed on: what matches one of some
 * patterns is overwritten with '*', byte for byte, so that lengths and all around it stay.
 *
 * Patterns are regular expressions of RE2 over bytes.  Of one with a group what the group holds is
 * overwritten, else all that matches.  NUL bytes, which stand between arguments and variables of
 * records, count as blanks and stay.
 *
 * One thread.  Every function takes NULL for a redaction: nothing is overwritten then.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "field/value.h"

struct redaction;

/* -EINVAL and *e, which names the pattern. */
int redaction_new(const struct str *patterns, size_t n, struct redaction **ret, struct err *e);
void redaction_free(struct redaction *r);
/* In place; whether there was anything. */
bool redaction_apply(struct redaction *r, char *text, size_t n);
/* The same text, or a copy where there is something. */
struct str redaction_text(struct redaction *r, struct str s, struct arena *a);
/*
 * The same of what a value has of text; t: its type.  name: of what the value is of, as of a
 * variable of the environment, for patterns that look at that: "NAME=value"; else empty.
 */
void redaction_value(struct redaction *r, struct value *v, enum param_type t, struct str name,
		     struct arena *a);
uint64_t redaction_count(const struct redaction *r); /* places that were overwritten */

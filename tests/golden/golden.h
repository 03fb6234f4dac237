/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Golden tests: cases in plain text, so that adding one needs no C.
 *
 *   # A comment, anywhere in front of a case.
 *   the input, one line or several
 *   = what is expected
 *
 * A blank line ends a case.  What is expected starts at the first line that begins with "= "
 * (a result) or "! " (an error).
 */
#pragma once

#include "base/buf.h"

struct golden_case {
	struct str input, expected; /* expected with its mark, no line break at the end */
};

/* Append what the input gives, its mark in front. */
typedef void (*golden_function)(const struct golden_case *c, struct buf *got);

/* Run every case of every *.test in tests/golden/FOLDER; returns how many failed. */
unsigned golden_run(const char *folder, golden_function f);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"

/*
 * JSON text, written straight into a buffer: nothing is allocated, and whatever the bytes
 * are, the result is valid UTF-8 and parses.
 */

/* With its quotes.  Ill-formed UTF-8 becomes U+FFFD. */
void json_add_string(struct buf *b, struct str s);
/* The same, and U+FFFD for each ASCII control character too. */
void json_add_printable(struct buf *b, struct str s);
/*
 * Shortest text that reads back as d, with ".0" when it would look like an integer; null for
 * what JSON has no number for.
 */
void json_add_double(struct buf *b, double d);
void json_add_bool(struct buf *b, bool v);

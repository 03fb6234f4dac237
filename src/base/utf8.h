/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"

/* Text that is fit to be seen: well-formed UTF-8, what is not becoming U+FFFD. */

#define UTF8_REPLACEMENT "\xef\xbf\xbd"

/*
 * Look at the start of s, which must not be empty.  true: *ret_n bytes are one well-formed
 * character.  false: they are the longest ill-formed piece that one U+FFFD stands for.
 */
bool utf8_char(struct str s, size_t *ret_n);
/* Append s with U+FFFD for each ill-formed piece. */
void utf8_add(struct buf *b, struct str s);
/*
 * The same, and U+FFFD for each character that a terminal may obey: controls, line separators
 * and what changes the direction of text.
 */
void utf8_add_printable(struct buf *b, struct str s);
/* Such a character beyond ASCII, of n bytes at p; the number of it is *ret. */
bool utf8_is_obeyed(const char *p, size_t n, uint32_t *ret);
/* Append UTF-16 text as UTF-8, with U+FFFD for what is no character. */
void utf8_add_utf16(struct buf *b, struct str s, bool big_endian);

/* SPDX-License-Identifier: Apache-2.0 */
/* Showing a person where in a text something is: the line, and a caret below the place. */
#pragma once

#include "filter/ast.h"

/* The line that holds offset, without its line break, and how far into it offset is. */
struct str caret_line(struct str text, size_t offset, size_t *ret_column);

/*
 * At most `width` bytes of a line, with "..." where it goes on, and below it a caret under
 * `column`; a line break behind each.  As they are: fit to be written as JSON.
 */
void caret_add(struct str line, size_t column, size_t width, struct buf *out);

/* The line that holds offset and the caret as printable text, each behind `indent`. */
void caret_show(struct str text, size_t offset, const char *indent, struct buf *out);

/*
 *   1:14: unexpected token after 'a', expecting 'or', 'and'
 *   proc.name = a b
 *                 ^
 *
 * No line break at the end.
 */
void caret_print(struct str text, struct position at, const char *message, struct buf *out);

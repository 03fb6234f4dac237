/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "filter/ast.h"

/*
 * Show a person where in a text something is wrong:
 *
 *   1:14: unexpected token after 'a', expecting 'or', 'and'
 *   proc.name = a b
 *                 ^
 *
 * A long line is cut around the place, with "..." where it goes on.  No line break at the end.
 */
void caret_print(struct str text, struct position at, const char *message, struct buf *out);

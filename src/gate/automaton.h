/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One automaton for many texts to look for at once (Aho and Corasick, see schema/gatetables.h),
 * some of them only at the beginning, some only at the end of what is walked.
 */
#pragma once

#include "base/str.h"
#include "schema/gatetables.h"

#include <stdbool.h>

/* Where a text has to end for its test to be true. */
enum automaton_end {
	END_ANYWHERE,
	END_OF_ALL,
	END_AT_LAST_SLASH, /* it ends in one, and there is none behind it */
};

struct automaton;

struct automaton *automaton_new(void);
void automaton_free(struct automaton *a);
/*
 * Test number `test` (0 to 63) is true of what has this text in it, from its very beginning on if
 * at_start.  Any number of texts may stand for a test.  The text is copied.
 */
void automaton_add(struct automaton *a, struct str text, bool at_start, enum automaton_end end,
		   unsigned test);
/* Fill in classes, next, any, end and folder.  False: it does not fit. */
bool automaton_make(struct automaton *a, struct gate_tables *ret);
/* The tests that are true of a text, as the kernel finds them. */
uint64_t automaton_walk(const struct gate_tables *t, struct str text);

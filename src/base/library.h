/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared libraries that are loaded when they are wanted: some are larger than Saker, and most
 * commands need none of them.  Their headers say what is looked up, in a table of functions.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct library_symbol {
	const char *name;
	void *at; /* the pointer to the function, which is set */
};

/*
 * Load the first of these that is there (NULL behind the last), for good, and look up all symbols.
 * false when there is none or one of its symbols is missing.
 */
bool library_load(const char *const *names, const struct library_symbol *symbols, size_t n);

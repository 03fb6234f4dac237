/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Golden tests: cases in plain text, so that adding one needs no C.  Each folder's README
 * says what its cases look like.
 */
#pragma once

#include "base/str.h"

/* What is left to be read of a file. */
struct golden_file {
	const char *path;
	struct str rest;
	unsigned line; /* number of the line that rest begins with */
};

/* The next line without its line break; the second leaves it there. */
struct str golden_take_line(struct golden_file *f);
struct str golden_peek_line(const struct golden_file *f);
/* Take lines that are blank or comments ("# ..."); false at the end of the file. */
bool golden_skip(struct golden_file *f);

/* Call run for each *.test in tests/golden/FOLDER; the sum of what it returns: failures. */
unsigned golden_run(const char *folder, unsigned (*run)(struct golden_file *f));

/* A whole file, or NULL; not terminated. */
char *golden_read(const char *path, size_t *ret_n);

/* SPDX-License-Identifier: Apache-2.0 */
/* "Did you mean ...?": the name that a mistyped word was meant to be. */
#pragma once

#include "base/str.h"

struct nearest {
	struct str word;
	const char *name;  /* the best so far, NULL without one; borrowed */
	unsigned distance; /* edits between them */
};

void nearest_init(struct nearest *n, struct str word);
/* Another name that may have been meant. */
void nearest_offer(struct nearest *n, const char *name);

/* Of a table whose rows begin with their name, each `stride` bytes; NULL when none is likely. */
const char *nearest_name(struct str word, const void *names, size_t n, size_t stride);

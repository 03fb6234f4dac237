/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far a spool has been acknowledged: a small file with two places, written in turn, so that one
 * of them is good whatever happens while the other is written.
 */
#pragma once

#include "base/err.h"

#include <stdint.h>

struct bookmark {
	uint64_t generation;	  /* of this value; the file has the one before as well */
	uint64_t segment, offset; /* what is before that is not needed any more */
};

/* Open or make the file; *ret is all zero where it says nothing.  A descriptor, or -errno. */
int bookmark_open(int folder, const char *name, struct bookmark *ret, struct err *e);
/* The next generation. */
int bookmark_write(int fd, struct bookmark *p);

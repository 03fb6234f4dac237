/* SPDX-License-Identifier: Apache-2.0 */
/* What a scanner says about a file: bytes from outside. */
#pragma once

#include "base/str.h"

enum scan_outcome {
	SCAN_CLEAN,
	SCAN_FOUND,  /* the scanner says something about it */
	SCAN_FAILED, /* the scanner could not tell, ended too early, or cannot be reached */
	SCAN_TIMED_OUT,
	SCAN_GONE,   /* nowhere that it was looked for */
	SCAN_DENIED, /* there, but it could not be opened */
	SCAN_TOO_BIG,
	SCAN_UNFIT,	 /* of a file system that makes its files up, or has them elsewhere */
	SCAN_REPLACED,	 /* the same file was asked for again while it waited */
	SCAN_UNFINISHED, /* the end came first */
	SCAN_OUTCOMES,
};

enum { VERDICT_MAX = 256 /* bytes of its text that are kept */ };

struct verdict {
	enum scan_outcome outcome;
	uint32_t n;
	char text[VERDICT_MAX]; /* without control characters */
};

/*
 * Of a command: all that it wrote to standard output, as far as that was kept, and how it ended,
 * as waitpid() tells.  Nothing and 0 is clean.  Anything and 0 or 1 is found: its first line that
 * is not blank.  All else is a failure.
 */
void verdict_of_output(struct str said, int status, struct verdict *ret);
/* Of a server, a line: "OK", "FOUND text"; all else is a failure. */
void verdict_of_reply(struct str said, struct verdict *ret);
/* Of clamd, a line: "fd[7]: OK", "fd[7]: NAME FOUND"; all else is a failure. */
void verdict_of_clamd(struct str said, struct verdict *ret);

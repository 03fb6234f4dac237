/* SPDX-License-Identifier: Apache-2.0 */
/* What a scanner says about a file. */
#pragma once

#include "scanner/target.h"

enum { VERDICT_MAX = 256 /* bytes of its text that are kept */ };

/*
 * Of a command: all that it wrote to standard output, as far as that was kept, and how it ended,
 * as waitpid() tells.  Nothing and 0 is clean.  Anything and 0 or 1 is found: its first line that
 * is not blank is *ret.  All else is a failure, and *ret empty.
 */
enum scan_outcome verdict_of_output(struct str said, int status, struct str *ret);
/* Of a server, a line: "OK", "FOUND text"; all else is a failure. */
enum scan_outcome verdict_of_reply(struct str said, struct str *ret);

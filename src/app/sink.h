/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard output: lines are gathered in `text` and written 64 KiB at a time (at each line to a
 * terminal).  When the program is to end and nobody reads them for two seconds, they are given up.
 */
#pragma once

#include "app/command.h"
#include "base/buf.h"
#include "base/err.h"

struct sink {
	struct buf text; /* append here ... */
	bool each_line, is_file;
	int error; /* errno of the first write that failed; ETIMEDOUT: nobody reads it */
	unsigned n_waits;
	uint64_t n_unwritten; /* lines */
};

void sink_init(struct sink *s);
/* ... and call this behind each line.  False when writing failed: stop, and close. */
bool sink_line(struct sink *s);
/* Write what is there, as what comes next may take long: a sink * for input_on_idle(). */
void sink_flush(void *sink);
/*
 * Write what is left and report what went wrong, if anything.  A reader that has gone away
 * (`saker print ... | head`) is no fault.
 */
enum exit_status sink_close(struct sink *s);

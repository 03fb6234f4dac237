/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard output: lines are gathered in `text` and written 64 KiB at a time (at each line to a
 * terminal).
 */
#pragma once

#include "app/command.h"
#include "base/buf.h"
#include "base/err.h"

struct sink {
	struct buf text; /* append here ... */
	bool each_line;
	int error; /* errno of the first write that failed */
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

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's clock being set while we watch.  Events go on being stamped as if it had not
 * been, for what is compared are times of events; how far that is off is said.
 */
#pragma once

#include "capture/live.h"

struct clock_note {
	double due;	 /* stop_seconds() */
	int64_t told_ns; /* how far off it was */
};

/* Now and then. */
void clock_note_look(struct clock_note *n, const struct live *l);

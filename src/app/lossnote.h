/* SPDX-License-Identifier: Apache-2.0 */
/* What gets lost is told when it begins and now and then while it lasts, not only in the end. */
#pragma once

#include "capture/live.h"

struct loss_note {
	uint64_t n_told;
	double due; /* not before: see stop_seconds() */
};

/* Often: says on standard error what was lost since the last time. */
void loss_note_look(struct loss_note *n, const struct live *l);

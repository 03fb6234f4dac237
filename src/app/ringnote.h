/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io_uring: operations submitted over a ring are no system calls, and of them only opened files
 * are seen.  Who sets one up is named on standard error.
 */
#pragma once

#include "app/input.h"

struct ring_note {
	uint64_t n; /* rings set up so far */
};

/* What stays unseen, as a sentence. */
const char *ring_note_text(void);
/* After each event of a live source. */
void ring_note_look(struct ring_note *r, const struct input *in);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io_uring: operations submitted over a ring are no system calls, and not all of them are seen.
 * Who sets one up is named on standard error.
 */
#pragma once

#include "app/input.h"
#include "capture/uring.h"

struct ring_note {
	uint64_t n; /* rings set up so far */
	enum uring_sight sight;
};

/* After each event of a live source. */
void ring_note_look(struct ring_note *r, const struct input *in);

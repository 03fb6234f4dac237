/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes, their descriptors and their threads from the kernel's iterators, as the records that
 * /proc gives: first the main threads of all processes, then the descriptors of all, then the
 * other threads.  /proc is asked only for what the iterators cannot tell.
 */
#pragma once

#include "capture/iterators.h"
#include "capture/reader.h"

struct picture;

/* NULL when the iterators cannot serve this scan.  r: a reader of its own, not started. */
struct picture *picture_open(const struct iterators *i, struct reader *r);
void picture_close(struct picture *p); /* NULL is fine */
/* The next record, good until the next call; false at the end. */
bool picture_next(struct picture *p, struct record *ret);
/* Whether that end came too early: what is missing is left to the census. */
bool picture_failed(const struct picture *p);
/*
 * Where the files of all that was found are, as events (schema/place.h); false at the end, and
 * where the iterators do not tell.  To be called once all else has been read.
 */
bool picture_next_place(struct picture *p, struct record *ret);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A state as records: its threads, their descriptors, and where files are, so that whoever reads
 * them has the same state but for what captures have no room for.
 */
#pragma once

#include "state/state.h"

typedef int (*still_take)(void *arg, const struct record *r, struct err *e);

/*
 * Each thread, then each descriptor; RECORD_PROC and RECORD_FD, good during the call.  Until take
 * is negative, which is returned.
 */
int still_each(const struct state *s, still_take take, void *arg, struct err *e);
/*
 * What these have no room for, as notes: which descriptors an exec closes; where files are, of this
 * time.
 */
int still_each_note(const struct state *s, uint64_t ts, still_take take, void *arg, struct err *e);

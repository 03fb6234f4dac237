/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enter records waiting for their exit: the last one of each thread, and the block it came in.
 *
 * Bounded in entries and bytes: a newer one throws out an older one, or finds no room.
 */
#pragma once

#include "base/str.h"

struct enters;

struct enters *enters_new(void);
void enters_free(struct enters *t); /* NULL is fine */
/* Forget all. */
void enters_clear(struct enters *t);
/* Keep copies as the thread's only ones.  raw: of a writer; may be empty. */
void enters_put(struct enters *t, int64_t tid, struct str rec, struct str raw);
/* The thread's record, good until the next call that changes the table; empty if none. */
struct str enters_find(const struct enters *t, int64_t tid);
/* Forget it.  What was put as raw with it, good until the next call that changes the table. */
struct str enters_take(struct enters *t, int64_t tid);
/* How many were thrown out while they waited, or found no room. */
uint64_t enters_evicted(const struct enters *t);

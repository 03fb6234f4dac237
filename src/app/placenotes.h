/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notes of where files are (schema/place.h), held until the event comes that they are of: one is
 * kept where the other is.  Bounded as enter records are (capture/enters.h).
 */
#pragma once

#include "base/str.h"

struct placenotes;

struct placenotes *placenotes_new(void);
void placenotes_free(struct placenotes *n); /* NULL is fine */
void placenotes_clear(struct placenotes *n);
/* Whether rec is such a note: then it is held, with the block that it came in. */
bool placenotes_hold(struct placenotes *n, struct str rec, struct str raw);
/* Whether rec is one of what a call only names: of use to that call's event alone. */
bool placenotes_is_named(struct str rec);
/* The blocks of those that are about this thread's next event; until the next call. */
enum { PLACENOTES_OF_EVENT = 2 };
void placenotes_take(struct placenotes *n, int64_t tid, struct str ret[PLACENOTES_OF_EVENT]);

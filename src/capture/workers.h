/* SPDX-License-Identifier: Apache-2.0 */
/* Readers in threads of their own, whose records come back in chunks. */
#pragma once

#include "capture/reader.h"

struct workers;

/* NULL when no thread could be started.  c must outlive them. */
struct workers *workers_start(struct census *c, unsigned n);
/* The next record, good until the next call; false when all have ended. */
bool workers_next(struct workers *w, struct record *ret);
/* Of those that have ended: all of them, once workers_next() gave false. */
void workers_add_stats(const struct workers *w, struct scan_stats *sum); /* NULL is fine */
void workers_stop(struct workers *w); /* also before their end; NULL is fine */

/* SPDX-License-Identifier: Apache-2.0 */
/* What a run counts, at intervals: as an alert of its own, and as a line of JSON in a file. */
#pragma once

#include "app/metric.h"

struct snapshots;

/* NULL in *ret when the configuration wants none.  Opens the file. */
int snapshots_open(struct snapshots **ret, struct err *e);
void snapshots_close(struct snapshots *s); /* NULL is fine */
/* Often: takes one when it is due.  False when nobody receives alerts any more. */
bool snapshots_tick(struct snapshots *s, struct counted *c, struct watch *w);

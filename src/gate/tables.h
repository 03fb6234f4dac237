/* SPDX-License-Identifier: Apache-2.0 */
/* What of a gate the kernel decides (schema/gatetables.h): opens, by path, flags and result. */
#pragma once

#include "event/event.h"
#include "gate/gate.h"
#include "schema/gatetables.h"

/*
 * Tables for the doors of the calls that open files.  What they cannot hold is true, so they cut
 * no more than the gate does.
 */
void tables_make(struct gate *g, struct gate_tables *ret);
/* What the kernel makes of the event: true also of what it does not decide. */
bool tables_pass(const struct gate_tables *t, const struct event *ev);

/*
 * Whether any of the gate's rules may read of a regular file in an event that is not its own open.
 * When not, user space need not hear of files that no rule matches.  reads: whether a field, by
 * its text, reads of regular files that are not the event's own.
 */
bool tables_need_files(struct gate *g, bool (*reads)(struct str field));

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routines of a plugin: functions that are called again and again, each in a thread of its own,
 * until they say that it is enough, or the plugin unsubscribes them.
 */
#pragma once

#include "plugin/library.h"

enum { ROUTINES_MAX = 16 }; /* of one plugin at a time */

struct life;

extern ss_plugin_routine_vtable routine_functions;

/* From here on the plugin may subscribe some. */
void routines_begin(struct life *l);
/* End those that are left.  False when one does not come back: it is left alone. */
bool routines_end(struct life *l);
/* Nobody subscribes any more. */
void routines_free(struct life *l);

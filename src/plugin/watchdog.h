/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks after the event thread while it is in a call of a plugin: one that does not come back is
 * told by name, and ends the program once that is asked to stop.
 */
#pragma once

#include "plugin/library.h"

struct watchdog;

/* Looks after the thread that calls this; NULL when there can be no thread, which harms nothing. */
struct watchdog *watchdog_begin(void);
void watchdog_end(struct watchdog *w); /* NULL is fine */

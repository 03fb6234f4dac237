/* SPDX-License-Identifier: Apache-2.0 */
/* When watching ends: at Ctrl-C (or SIGTERM), or after so many seconds. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* seconds: 0 for no limit. */
void stop_prepare(uint64_t seconds);
/* By a signal; costs nothing. */
bool stop_wanted(void);
/* By a signal or the clock. */
bool stop_due(void);
/* Since stop_prepare(). */
double stop_seconds(void);

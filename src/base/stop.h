/* SPDX-License-Identifier: Apache-2.0 */
/* Being asked to stop: SIGINT or SIGTERM, and the program ends as at the end of its input. */
#pragma once

#include <signal.h>

/* The signal that asked, 0 before. */
extern volatile sig_atomic_t stop_signal;

/*
 * From now on the first of each of these signals only sets stop_signal and interrupts what waits;
 * a second one ends the program.  Signals that were ignored stay so.
 */
void stop_on_signals(void);

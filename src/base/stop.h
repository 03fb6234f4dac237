/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Being asked to stop: by SIGINT, SIGTERM or SIGHUP, or by the clock.  The program then ends as at
 * the end of its input.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/* The signal that asked, 0 before. */
extern volatile sig_atomic_t stop_signal;

/*
 * From now on the first of each of these signals only sets stop_signal and interrupts what waits;
 * a second SIGINT or SIGTERM ends the program.  Signals that were ignored stay so.
 */
void stop_on_signals(void);

/*
 * After that: a SIGHUP that somebody sent adds 1 to the eventfd(2) instead; that of a terminal
 * which has gone away still stops.  Negative: no more.
 */
void stop_pass_hangups(int event_fd);

/* Time counts from here, and it is time to stop in so many seconds; 0 for never. */
void stop_after(uint64_t seconds);
/* Since stop_after(). */
double stop_seconds(void);
/* Time left, at most `most`. */
uint64_t stop_left_ns(uint64_t most);
/* A signal asked, or the time is up. */
bool stop_due(void);

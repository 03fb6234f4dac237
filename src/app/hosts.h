/* SPDX-License-Identifier: Apache-2.0 */
/* The names of hosts that the conditions of this run have (base/hostname.h). */
#pragma once

#include "base/err.h"

#include <stdbool.h>

/* Around everything that compiles conditions or uses them. */
void hosts_open(void);
void hosts_close(void);

/*
 * All conditions are compiled: begin to ask for the names in them, if there are any.  waits:
 * events are of the past and can wait a little for the first answers.
 */
int hosts_ask(bool waits, struct err *e);
unsigned hosts_needs(void); /* enum privilege_need */
/* Names came so late that nobody asks for their addresses. */
bool hosts_are_unasked(void);
/* What was compared with although it had no answer, on standard error. */
void hosts_tell(void);

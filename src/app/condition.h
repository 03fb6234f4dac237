/* SPDX-License-Identifier: Apache-2.0 */
/* A condition of the command line (--filter). */
#pragma once

#include "app/options.h"
#include "filter/program.h"

/*
 * A sealed program of one condition, for the events of every source that has its fields; rules:
 * files whose macros and lists it may use, of system calls then.  NULL when it has errors, which
 * have been reported.
 */
struct program *condition_compile(struct str text, const struct option_texts *rules);

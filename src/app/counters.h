/* SPDX-License-Identifier: Apache-2.0 */
/* What was counted while a capture passed, for people on standard error. */
#pragma once

#include "app/input.h"

/* Every counter that is not zero, a line each. */
void counters_list(const struct input *in);
/* One line, if anything was skipped for being no good, or for want of room. */
void counters_complain(const struct input *in);

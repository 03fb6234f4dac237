/* SPDX-License-Identifier: Apache-2.0 */
/* The gate of `saker run`: what no rule could match is cut in the kernel (docs/GATE.md). */
#pragma once

#include "capture/live.h"
#include "rules/ruleset.h"

/* Cut what these rules cannot match, from here on. */
void gating_set(struct live *l, const struct ruleset *rules);
/* How much was cut; says nothing without a gate. */
void gating_summarize(const struct live *l);

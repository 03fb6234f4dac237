/* SPDX-License-Identifier: Apache-2.0 */
/* The gate of `saker run`: what no rule could match is cut in the kernel (docs/GATE.md). */
#pragma once

#include "capture/live.h"
#include "rules/ruleset.h"

struct gating;

/*
 * For these rules.  Before anybody evaluates them in another thread, for it adds to what is known
 * of them.
 */
struct gating *gating_new(const struct ruleset *rules);
void gating_free(struct gating *g); /* NULL is fine */
/* Cut what they cannot match, from here on; NULL: nothing. */
void gating_set(struct live *l, const struct gating *g);
/* How much was cut. */
void gating_summarize(const struct live *l);

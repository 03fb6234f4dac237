/* SPDX-License-Identifier: Apache-2.0 */
/* What the configuration says of rules, for their loader: `rules`, `append_output` and
 * `saker.rollup`. */
#pragma once

#include "base/arena.h"
#include "rules/ruleset.h"

/* Into the arena, which must outlive cfg. */
void rulekeys_switches(struct loader_config *cfg, struct arena *a);
/* Also whether fields are suggested behind all outputs. */
void rulekeys_appends(struct loader_config *cfg, struct arena *a);
void rulekeys_rollups(struct loader_config *cfg, struct arena *a);
/* Until one is false: each text with fields that is for rules about system calls. */
bool rulekeys_each_format(bool (*is_good)(const char *name, struct str text));
/* Of switches that switch nothing, which must be what was meant. */
void rulekeys_warn(const struct ruleset *set);

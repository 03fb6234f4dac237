/* SPDX-License-Identifier: Apache-2.0 */
/* Rules, macros and lists as JSON: what they are, and what they are made of. */
#pragma once

#include "rules/ruleset.h"

/* {"info":{...},"details":{...}} of one of the set; the set was loaded with `describe`. */
void describe_rule(const struct ruleset *set, const struct rule *r, struct buf *out);
void describe_macro(const struct ruleset *set, const struct macro_info *m, struct buf *out);
void describe_list(const struct ruleset *set, const struct list_info *l, struct buf *out);

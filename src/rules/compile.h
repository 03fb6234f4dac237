/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rules/definitions.h"

/*
 * Compile everything that is defined.  NULL when there are errors, which v got.  Names and texts
 * of macros and lists are not filled in yet: ruleset_describe().
 */
struct ruleset *definitions_compile(const struct definitions *d, const struct loader_config *cfg,
				    struct verdict *v);
/* Copy what the ruleset tells about macros and lists; d is what it was compiled from. */
void ruleset_describe(struct ruleset *set, const struct definitions *d);
/*
 * Add a condition that is no rule's to a program, with all that is defined in reach of it.
 * at: where it stands.  0, or -EINVAL and an error in v.
 */
int definitions_add_condition(const struct definitions *d, const struct loader_config *cfg,
			      struct str text, const struct place *at, struct program *into,
			      struct verdict *v);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Harmless things that rules are for, each done by a process of its own that has a mark in its
 * arguments: for `saker doctor --exercise`, and one by one by `saker doctor --perform`.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

enum { MARK_MAX = 64 };

struct act {
	const char *name, *does;
	/* Names of rules that are for it, of the bundled ones and of others, NULL behind the last.
	 */
	const char *rules[4];
	/* -errno and *e when it cannot be done here.  NULL: it is done in a container. */
	int (*perform)(const char *mark, struct err *e);
	const char *script; /* of a container's shell */
};

extern const struct act acts[];
extern const unsigned n_acts;

/* NULL when there is none, or it takes a container. */
const struct act *act_find(const char *name);
/* Letters, digits and dashes, no more than MARK_MAX. */
bool act_is_mark(const char *mark);
/* Remove what acts of this mark may have left when they were ended. */
void act_clean(const char *mark);

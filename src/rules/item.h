/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One YAML map of a rule file while it is read: typed access to its keys, with complaints.
 */
#pragma once

#include "rules/definitions.h"

struct item {
	struct definitions *d;
	struct verdict *v;
	const struct yaml *y;
	const struct place *at;
	bool appends; /* to an existing rule */
};

/*
 * The key's value into *ret.  1 when it is there; 0 when it is missing or null and may be;
 * -EINVAL, told, when it may not or is of the wrong kind.
 */
int item_text(const struct item *it, const char *key, bool required, struct str *ret);
int item_bool(const struct item *it, const char *key, bool *ret);
int item_u32(const struct item *it, const char *key, uint32_t *ret);
/* A list of scalars; into the arena. */
int item_texts(const struct item *it, const char *key, bool required, struct str **ret,
	       size_t *ret_n);

/* required_engine_version and required_plugin_versions: are we and our plugins new enough? */
int engine_version_check(struct item *it);
int plugin_versions_check(struct item *it);

/* The `exceptions` of a rule; 1, 0 when there are none, or -EINVAL. */
int exceptions_read(const struct item *it, const char *key, struct rule_def *r);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of fields at one moment, kept for a decision that can only be made later, when state
 * has moved on.  A field that is unknown is not kept: it is read anew then.
 */
#pragma once

#include "field/field.h"

struct kept_value;

struct kept {
	struct arena arena; /* everything below */
	struct kept_value *values;
	struct str container_id; /* of the moment's thread */
	struct str pod_uid;	 /* as its cgroups have it; empty: none */
	uint64_t lost;		 /* state_lost() */
	bool is_final;		 /* what is unknown even now is null */
	struct str verdict;	 /* of a scanner; empty: none */
	const void *noted;	 /* by whom the decision is up to; in the arena */
};

/*
 * Begin with what c's moment says, or was kept of it; `arena` must have been initialised, and is
 * another than c's.
 */
void kept_begin(struct kept *k, const struct field_ctx *c);
/* Keep f's value, if there is one; false when it is unknown.  What comes late (FF_LATE) is not
 * kept. */
bool kept_add(struct kept *k, struct field *f, const struct field_ctx *c);
/* True: the field was kept, as read for a message (printing) or for a comparison. */
bool kept_find(const struct kept *k, const struct field *f, bool printing,
	       enum field_result *ret_result, struct value *ret);

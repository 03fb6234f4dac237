/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transformers: functions from values to a value.
 */
#pragma once

#include "filter/extractor.h"

struct transformer {
	const char *name;
	uint8_t min_args, max_args;
	bool takes_selector;
	/*
	 * Whether the arguments' types fit; sets type, format and is_list of *x.  With one
	 * argument the error names it as the field that the transformer is applied on.
	 */
	int (*check)(struct extractor *x, struct err *e);
	/* args: the values of x->args, none of them null. */
	enum field_result (*apply)(const struct extractor *x, const struct value *args,
				   struct arena *scratch, struct value *ret);
};

enum { TRANSFORMER_MAX_ARGS = 64 };

const struct transformer *transformer_find(struct str name);

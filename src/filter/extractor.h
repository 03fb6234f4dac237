/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operands: a field, or transformers around fields and constants, as a typed value.
 */
#pragma once

#include "filter/program.h"

struct transformer;

enum extractor_kind { EXTRACT_FIELD, EXTRACT_CONSTANT, EXTRACT_LIST, EXTRACT_TRANSFORM };

struct extractor {
	uint8_t kind;	/* enum extractor_kind */
	uint8_t type;	/* enum param_type of the result */
	uint8_t format; /* enum print_format */
	uint8_t scopes; /* 1 << enum field_scope of every field below */
	bool is_list;
	uint32_t flags;		       /* of the first field below */
	struct str text;	       /* as written */
	struct field *field;	       /* EXTRACT_FIELD */
	struct value constant;	       /* EXTRACT_CONSTANT */
	const struct transformer *how; /* EXTRACT_TRANSFORM */
	struct extractor **args;       /* of a transformer or list */
	uint32_t n_args;
	struct str selector;
	bool has_selector;
};

static inline bool extractor_is_volatile(const struct extractor *x)
{
	return x->scopes >> SCOPE_VOLATILE & 1;
}

/* The two sides of a comparison; on an error *ret_at is where in it. */
int extractor_compile_left(const struct operand *o, struct arena *a, struct extractor **ret,
			   struct position *ret_at, struct err *e);
/* val(field), or a transformer. */
int extractor_compile_right(const struct operand *o, struct arena *a, struct extractor **ret,
			    struct position *ret_at, struct err *e);

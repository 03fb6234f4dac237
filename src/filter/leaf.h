/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leaves of conditions: one comparison, type-checked and ready to be evaluated.
 */
#pragma once

#include "filter/constant.h"
#include "filter/extractor.h"
#include "filter/match.h"
#include "filter/regex.h"

enum truth { TRUTH_FALSE, TRUTH_UNKNOWN, TRUTH_TRUE };

/* How values of a type are compared. */
enum type_group {
	GROUP_NONE,
	GROUP_SIGNED,
	GROUP_UNSIGNED,
	GROUP_DOUBLE,
	GROUP_BOOL,
	GROUP_STRING,
	GROUP_BYTES,
	GROUP_IP,
	GROUP_NET,
	GROUP_HOST_NAME, /* constants are names, values addresses */
	GROUP_COUNT,
};

typedef bool (*compare_fn)(const struct value *v, const struct constant *c);

struct leaf;
typedef bool (*leaf_fn)(const struct leaf *l, const struct value *v);

struct leaf {
	struct extractor *left;
	struct extractor *right; /* NULL: constants */
	uint8_t op;		 /* enum operator */
	uint8_t modifier;	 /* enum op_modifier */
	uint8_t group;		 /* enum type_group of the constants */
	bool is_list;		 /* the left side is a real list */
	bool warns;		 /* deprecated field, doubtful constant */
	leaf_fn match;		 /* one value against the constants */
	compare_fn compare;	 /* one value against one constant */
	struct str *texts;	 /* the constants as written */
	struct constant *constants;
	uint32_t n_constants;
	union {
		struct set *set;
		struct prefixes *prefixes;
		struct paths *paths;
		struct glob *globs;
		struct needle *needles;
		struct regex **regexes; /* freed by leaf_done() */
	};
};

/*
 * Compile an AST_CHECK.  left, right: its operands where they are known already, else NULL.
 * The leaf lives in the arena and copies what it needs of the tree.  Errors are those of the
 * reference, *ret_at says where.
 */
int leaf_compile(const struct ast *check, struct extractor *left, struct extractor *right,
		 struct arena *a, struct leaf **ret, struct position *ret_at, struct err *e);
void leaf_done(struct leaf *l);

/* Given what the left side (and the right, when there is one) is. */
enum truth leaf_test(const struct leaf *l, enum field_result left, const struct value *v,
		     enum field_result right, const struct value *r);
/* Extract and test. */
enum truth leaf_eval(const struct leaf *l, const struct field_ctx *c);

/* "fd.name startswith /etc"; of a list no more than so many constants. */
void leaf_text(const struct leaf *l, uint32_t max_constants, struct buf *out);

/* Choose l->match and build what it needs.  *ret_bad: the constant that an error is about. */
int leaf_prepare(struct leaf *l, struct arena *a, uint32_t *ret_bad, struct err *e);

enum type_group type_group(enum param_type t);
/* NULL: the operator does not work on such values. */
compare_fn compare_find(enum type_group g, enum operator op);

/*
 * Whether values of type t, where the leaf's operand has no type of its own, are compared with
 * the constants just as those of the constants' type are.
 */
bool leaf_is_same_as(const struct leaf *l, enum param_type t);

/* Warnings about one check that compiled. */
void check_warn(const struct ast *check, const struct leaf *l, struct warnings *w);
/* Whether check_warn() would say anything. */
bool check_is_doubtful(const struct ast *check, const struct leaf *l);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions as text: lexer and parser.  No types are checked here.
 *
 * Grammar and quirks: the field's filter language specification.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* Where something stands in its text, and how to show it. */
struct position {
	uint32_t offset, line, column; /* line and column from 1 */
};

enum ast_kind { AST_AND, AST_OR, AST_NOT, AST_CHECK, AST_MACRO };

enum operator{
#define OPERATOR(id, text, ...) OP_##id,
#include "filter/operators.def"
#undef OPERATOR
	OP_COUNT,
};

/* What may stand behind an operator, besides another field.  Modifiers need RIGHT_TEXT. */
enum operator_right { RIGHT_NOTHING, RIGHT_NUMBER, RIGHT_TEXT, RIGHT_LIST };

enum op_modifier { MOD_NONE, MOD_ONEOF, MOD_ANYOF, MOD_ALLOF, MOD_COUNT };

enum operand_kind {
	OPERAND_FIELD,
	OPERAND_TRANSFORMER,
	OPERAND_TEXT,
	OPERAND_NUMBER,
	OPERAND_LIST
};

/* A field, a transformer with its arguments, or a constant argument of one. */
struct operand {
	enum operand_kind kind;
	struct position at;
	struct str text;     /* field with its argument, transformer's name, or constant */
	struct str selector; /* [x] behind a transformer */
	bool has_selector;
	uint8_t source;	       /* whose fields count: ast_set_source() */
	struct operand **args; /* of a transformer, items of a list */
	uint32_t n_args;
};

struct ast {
	enum ast_kind kind;
	struct position at;
	/* AST_AND, AST_OR: children in order.  AST_NOT: one. */
	struct ast **children;
	uint32_t n_children;
	/* AST_MACRO: the name.  Also set on the root of an expanded macro: which one it was. */
	struct str macro;
	/* Set by whoever joined it to a condition: the exception that this part comes from. */
	struct str exception;
	/* AST_CHECK */
	struct operand *left;
	enum operator op;
	enum op_modifier modifier;
	struct operand *right; /* field or transformer on the right, else NULL */
	struct str *values;    /* constants: one, or the list's */
	struct position *value_at;
	uint32_t n_values;
	bool is_list; /* the values were written as a list */
	struct position op_at;
	/* Set by ast_expand(), of the tree from here down. */
	uint32_t depth, n_nodes;
};

enum {
	CONDITION_MAX = 64 << 20,  /* bytes of one condition */
	OPERAND_DEPTH_MAX = 100,   /* transformers within transformers, in a message */
	EXPANDED_DEPTH_MAX = 4096, /* of a tree with its macros in place */
	EXPANDED_NODES_MAX = 16 << 20,
};

/*
 * max_depth: deepest nesting of brackets accepted; the caller chooses (100 for single filters,
 * 1000 for rules).  The tree and its text live in the arena; text is copied.
 * On an error *ret_at is where in the text.
 */
int ast_parse(struct str text, unsigned max_depth, struct arena *a, struct ast **ret,
	      struct position *ret_at, struct err *e);

/*
 * A field or transformer at the start of text, as messages use them (%toupper(proc.name)).
 * *ret_n: bytes used; on an error, how far the text made sense.  The result points into text.
 */
int operand_parse(struct str text, struct arena *a, struct operand **ret, size_t *ret_n,
		  struct err *e);

/*
 * What stands here is about events of this source (field/eventsource.h), which decides what names
 * of fields mean; about system calls if nobody says otherwise.  Parts that trees share are set in
 * all of them.
 */
void ast_set_source(struct ast *t, unsigned source);
void operand_set_source(struct operand *o, unsigned source);
unsigned ast_source(const struct ast *t);

/* Back to text, fully bracketed, constants quoted where the grammar needs it. */
void ast_print(const struct ast *t, struct buf *out);
void operand_print(const struct operand *o, struct buf *out);

const char *operator_text(enum operator op);
enum operator_right operator_right(enum operator op);
const char *modifier_text(enum op_modifier m); /* "" for MOD_NONE */
/* "contains", "startswith oneof" ...: false when it is no comparison operator. */
bool operator_parse(struct str text, enum operator* ret, enum op_modifier *ret_modifier);

/*
 * Replace macro references.  find: the macro's (already expanded) tree, or NULL; its nodes
 * below the root are shared, so they must live as long as *t.
 * -ENOENT: *e "Undefined macro 'x' used in filter.", *ret_at where.
 * -E2BIG: with the macros in place the tree is beyond the limits above.
 */
int ast_expand(struct ast **t, struct arena *a,
	       const struct ast *(*find)(struct str name, void *arg), void *arg,
	       struct position *ret_at, struct err *e);

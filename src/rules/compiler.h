/* SPDX-License-Identifier: Apache-2.0 */
/* What compiles definitions: private to compile.c, macro.c and blame.c. */
#pragma once

#include "field/eventsource.h"
#include "rules/compile.h"
#include "rules/substitution.h"

enum macro_state { MACRO_PARSED, MACRO_BUSY, MACRO_DONE, MACRO_BAD };

struct macro {
	struct ast *tree;
	enum macro_state state;
	bool used;
	struct str shown; /* its condition, for places; p NULL until one wanted it */
};

struct compiler {
	const struct definitions *d;
	const struct loader_config *cfg;
	struct verdict *v;
	struct substitution *lists;
	struct macro *macros;
	struct arena trees;	      /* of macros */
	struct arena scratch;	      /* of one rule */
	struct buf joined;	      /* its condition and exceptions */
	struct buf text;	      /* and the lists */
	struct shown_condition shown; /* the same, for places */
	struct buf macro_text;	      /* of in_macro_text, which may be NULL */
	const struct macro_def *in_macro_text;
	struct buf message;
	struct message_fields *fields[SOURCES_MAX]; /* of all rules' messages, by source */
	struct str suggested[SOURCES_MAX];	    /* what is appended to every output */
	struct warnings warnings;
	struct program *idle; /* takes the conditions of rules that are not enabled */
	struct ruleset *set;
	uint64_t n_nodes;
	/* While macro references are resolved. */
	uint32_t visible; /* macros that were defined before this item */
	unsigned depth;
	struct str stopped_at; /* the macro that leads back to itself, or too far */
	bool is_loop;
};

/* A place in what is in c->text. */
struct place *compiler_place(struct compiler *c, const struct place *up, const struct position *at);
/* An issue there; as verdict_adds(). */
int compiler_complain(struct compiler *c, enum issue_code code, const struct place *up,
		      const struct position *at, const struct err *e);
/* A condition with its lists in place, into c->text. */
int compiler_put_lists(struct compiler *c, struct str condition);
/* The same, and from there into a tree. */
int compiler_parse(struct compiler *c, struct str condition, const struct place *at,
		   struct arena *a, struct ast **ret);
/*
 * Put the macros into a tree.  visible: only those that were defined before this item.
 * condition: what c->text must hold for the message of an error; it stands at condition_at.
 */
int compiler_resolve(struct compiler *c, struct ast **t, uint32_t visible, struct str condition,
		     const struct place *at, const struct place *condition_at, struct arena *a);
/* All macros, each resolved once. */
void compiler_add_macros(struct compiler *c);
/*
 * Where in a rule's condition a message belongs: in the innermost macro that alone gives it.
 */
const struct place *compiler_blame(struct compiler *c, const struct rule_def *def,
				   const struct ast *t, const struct position *at, struct str text);
/* Whether the fields that are worth it stand behind this rule's output; what does, into c->message.
 */
bool append_suggests(const struct compiler *c, unsigned source, const struct rule *r);
void append_put(struct compiler *c, unsigned source, const struct rule *r);
/* Members of output_fields that are not in it; r->tokens has room for so many more. */
size_t append_count_fields(const struct loader_config *cfg);
int append_fields(struct compiler *c, unsigned source, struct rule *r, struct err *e);

/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of the parser share: operands (operand.c) and conditions (parser.c). */
#pragma once

#include "filter/lexer.h"

/* Children of nodes that are not complete yet, innermost last. */
struct stack {
	void **items;
	size_t n, cap;
};

struct constant {
	struct str text;
	struct position at;
};

struct parser {
	struct lexer lx;
	struct arena *arena;
	unsigned depth, max_depth;
	struct stack open;
	struct constant *constants; /* of the list being read */
	size_t n_constants, cap_constants;
	struct err *e;
};

void parser_init(struct parser *p, struct str text, unsigned max_depth, struct arena *a,
		 struct err *e);
void parser_done(struct parser *p);

void parser_push(struct parser *p, void *item);
/* What was pushed since there were `base` items, as an array in the arena. */
void *parser_pop_to(struct parser *p, size_t base, uint32_t *ret_n);

/* Take the word, or say that it is missing. */
int parser_expect(struct parser *p, const char *word);
/* One level of nesting more; p->depth-- is the way back. */
int parser_descend(struct parser *p);

/* 1: it was there and is in *ret; 0: it was not; negative and *p->e: it was there and is wrong. */
int parse_field(struct parser *p, struct operand **ret);
int parse_transformer(struct parser *p, struct operand **ret);
/* What another field is compared with: val(field) or a transformer. */
int parse_right_operand(struct parser *p, struct operand **ret);

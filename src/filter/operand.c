/* SPDX-License-Identifier: Apache-2.0 */
/* Operands: fields, transformers and their arguments. */
#include "filter/parser.h"

#include "base/alloc.h"

#include <errno.h>
#include <stdlib.h>

static const char *const transformers[] = {
#define TRANSFORMER_NAME(text) text,
#include "filter/transformers.def"
#undef TRANSFORMER_NAME
};

void parser_init(struct parser *p, struct str text, unsigned max_depth, struct arena *a,
		 struct err *e)
{
	*p = (struct parser){.arena = a, .max_depth = max_depth, .e = e};
	lexer_init(&p->lx, text);
}

void parser_done(struct parser *p)
{
	free(p->open.items);
	free(p->constants);
}

void parser_push(struct parser *p, void *item)
{
	struct stack *s = &p->open;

	s->items = xgrow(s->items, &s->cap, s->n + 1, sizeof(*s->items));
	s->items[s->n++] = item;
}

void *parser_pop_to(struct parser *p, size_t base, uint32_t *ret_n)
{
	size_t n = p->open.n - base;
	void **items = arena_alloc(p->arena, n * sizeof(*items));

	if (n)
		memcpy(items, p->open.items + base, n * sizeof(*items));
	p->open.n = base;
	*ret_n = (uint32_t)n;
	return items;
}

int parser_expect(struct parser *p, const char *word)
{
	if (lexer_word(&p->lx, word))
		return 0;
	return err_set(p->e, -EINVAL, "expected a '%s' token", word);
}

int parser_descend(struct parser *p)
{
	if (p->depth == p->max_depth)
		return err_set(p->e, -EINVAL, "exceeded max depth limit of %u", p->max_depth);
	p->depth++;
	return 0;
}

static struct operand *operand_new(struct parser *p, enum operand_kind kind, struct position at)
{
	struct operand *o = arena_calloc(p->arena, 1, sizeof(*o));

	o->kind = kind;
	o->at = at;
	return o;
}

/* [argument] of a field or transformer.  1: it was there, 0: it was not. */
static int parse_argument(struct parser *p, struct str *ret)
{
	int r;

	if (!lexer_word(&p->lx, "["))
		return 0;
	r = lexer_quoted_string(&p->lx, p->arena, ret, p->e);
	if (r < 0)
		return r;
	if (!r && !lexer_bare_argument(&p->lx, ret))
		return err_set(p->e, -EINVAL,
			       "expected a valid field argument: a quoted string or a bare string");
	r = parser_expect(p, "]");
	return r < 0 ? r : 1;
}

/* name[argument] without escapes; quotes stay where brackets or quotes are part of the argument. */
static struct str field_text(struct parser *p, struct str name, struct str arg)
{
	bool plain = arg.n && *arg.p != '"' && *arg.p != '\'' && !memchr(arg.p, ']', arg.n);

	return arena_printf(p->arena, plain ? "%.*s[%.*s]" : "%.*s[\"%.*s\"]", STR_ARG(name),
			    STR_ARG(arg));
}

int parse_field(struct parser *p, struct operand **ret)
{
	struct position at = p->lx.at;
	struct str name, arg;
	struct operand *o;
	int r;

	if (!lexer_field_name(&p->lx, &name))
		return 0;
	r = parse_argument(p, &arg);
	if (r < 0)
		return r;
	o = operand_new(p, OPERAND_FIELD, at);
	o->text = r ? field_text(p, name, arg) : name;
	*ret = o;
	return 1;
}

/* A number or quoted string among a transformer's arguments. */
static int parse_constant_argument(struct parser *p, struct operand **ret)
{
	struct operand *o = operand_new(p, OPERAND_NUMBER, p->lx.at);
	int r = 1;

	if (!lexer_number(&p->lx, &o->text)) {
		o->kind = OPERAND_TEXT;
		r = lexer_quoted_string(&p->lx, p->arena, &o->text, p->e);
	}
	if (r > 0)
		*ret = o;
	return r;
}

/* What may stand in a list and as an argument alike. */
static int parse_simple_argument(struct parser *p, struct operand **ret)
{
	int r = parse_constant_argument(p, ret);

	if (!r)
		r = parse_transformer(p, ret);
	if (!r)
		r = parse_field(p, ret);
	if (!r)
		return err_set(p->e, -EINVAL,
			       "expected a field, a transformer, a number or a quoted string");
	return r;
}

static int parse_argument_list(struct parser *p, struct operand **ret);

static int parse_any_argument(struct parser *p, struct operand **ret)
{
	if (lexer_word(&p->lx, "("))
		return parse_argument_list(p, ret);
	return parse_simple_argument(p, ret);
}

/* Arguments up to and with the closing bracket. */
static int parse_arguments(struct parser *p, struct operand *o,
			   int (*parse)(struct parser *p, struct operand **ret))
{
	size_t base = p->open.n;
	struct operand *arg;
	int r;

	do {
		lexer_blanks(&p->lx);
		r = parse(p, &arg);
		if (r < 0)
			return r;
		parser_push(p, arg);
		lexer_blanks(&p->lx);
	} while (lexer_word(&p->lx, ","));
	o->args = parser_pop_to(p, base, &o->n_args);
	return parser_expect(p, ")");
}

/* Behind the opening bracket. */
static int parse_argument_list(struct parser *p, struct operand **ret)
{
	struct operand *o = operand_new(p, OPERAND_LIST, p->lx.at);
	int r = 0;

	o->at.offset--;
	o->at.column--;
	lexer_blanks(&p->lx);
	if (!lexer_word(&p->lx, ")"))
		r = parse_arguments(p, o, parse_simple_argument);
	*ret = o;
	return r;
}

/* A transformer's name and its opening bracket, with no blank between. */
static bool take_transformer_name(struct parser *p, struct str *ret)
{
	struct lexer before = p->lx;

	if (lexer_identifier(&p->lx, ret) && lexer_word(&p->lx, "("))
		for (size_t i = 0; i < sizeof(transformers) / sizeof(*transformers); i++)
			if (str_is(*ret, transformers[i]))
				return true;
	p->lx = before;
	return false;
}

int parse_transformer(struct parser *p, struct operand **ret)
{
	struct operand *o;
	struct position at = p->lx.at;
	struct str name;
	int r;

	if (!take_transformer_name(p, &name))
		return 0;
	r = parser_descend(p);
	if (r < 0)
		return r;
	o = operand_new(p, OPERAND_TRANSFORMER, at);
	o->text = name;
	r = parse_arguments(p, o, parse_any_argument);
	if (r < 0)
		return r;
	p->depth--;
	r = parse_argument(p, &o->selector);
	if (r < 0)
		return r;
	o->has_selector = r;
	*ret = o;
	return 1;
}

int parse_right_operand(struct parser *p, struct operand **ret)
{
	int r;

	if (!lexer_word(&p->lx, "val("))
		return parse_transformer(p, ret);
	lexer_blanks(&p->lx);
	r = parse_field(p, ret);
	if (!r)
		r = err_set(p->e, -EINVAL, "expected a field within 'val()'");
	if (r < 0)
		return r;
	lexer_blanks(&p->lx);
	r = parser_expect(p, ")");
	return r < 0 ? r : 1;
}

int operand_parse(struct str text, struct arena *a, struct operand **ret, size_t *ret_n,
		  struct err *e)
{
	struct parser p;
	struct operand *o = NULL;
	int r;

	parser_init(&p, text, OPERAND_DEPTH_MAX, a, e);
	r = parse_transformer(&p, &o);
	if (!r)
		r = parse_field(&p, &o);
	if (!r)
		r = err_set(e, -EINVAL, "expected a field or a transformer");
	if (r > 0)
		*ret = o;
	*ret_n = p.lx.at.offset;
	parser_done(&p);
	return r < 0 ? r : 0;
}

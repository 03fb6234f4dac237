/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/lexer.h"

#include "base/alloc.h"

#include <errno.h>
#include <stdlib.h>

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

static const char *const transformers[] = {
#define TRANSFORMER_NAME(text) text,
#include "filter/transformers.def"
#undef TRANSFORMER_NAME
};

/* What a list of names looks like in a message. */
#define TRANSFORMER_NAME(text) ", '" text "'"
static const char right_transformers[] = "'val'"
#include "filter/transformers.def"
	;
#undef TRANSFORMER_NAME

static int parse_chain(struct parser *p, enum ast_kind kind, struct ast **ret);
static int parse_transformer(struct parser *p, struct operand **ret);

static void push(struct stack *s, void *item)
{
	s->items = xgrow(s->items, &s->cap, s->n + 1, sizeof(*s->items));
	s->items[s->n++] = item;
}

/* What was pushed since there were `base` items, as an array in the arena. */
static void *pop_to(struct parser *p, size_t base, uint32_t *ret_n)
{
	size_t n = p->open.n - base;
	void **items = arena_alloc(p->arena, n * sizeof(*items));

	if (n)
		memcpy(items, p->open.items + base, n * sizeof(*items));
	p->open.n = base;
	*ret_n = (uint32_t)n;
	return items;
}

static int expect(struct parser *p, const char *word)
{
	if (lexer_word(&p->lx, word))
		return 0;
	return err_set(p->e, -EINVAL, "expected a '%s' token", word);
}

static int descend(struct parser *p)
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
	r = expect(p, "]");
	return r < 0 ? r : 1;
}

/* name[argument] without escapes; quotes stay where brackets or quotes are part of the argument. */
static struct str field_text(struct parser *p, struct str name, struct str arg)
{
	bool plain = arg.n && *arg.p != '"' && *arg.p != '\'' && !memchr(arg.p, ']', arg.n);

	return arena_printf(p->arena, plain ? "%.*s[%.*s]" : "%.*s[\"%.*s\"]", STR_ARG(name),
			    STR_ARG(arg));
}

/* 1: *ret, 0: no field here. */
static int parse_field(struct parser *p, struct operand **ret)
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
		push(&p->open, arg);
		lexer_blanks(&p->lx);
	} while (lexer_word(&p->lx, ","));
	o->args = pop_to(p, base, &o->n_args);
	return expect(p, ")");
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

/* 1: *ret, 0: no transformer here. */
static int parse_transformer(struct parser *p, struct operand **ret)
{
	struct operand *o;
	struct position at = p->lx.at;
	struct str name;
	int r;

	if (!take_transformer_name(p, &name))
		return 0;
	r = descend(p);
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

/* What compares with another field: val(field) or a transformer.  1: *ret, 0: neither. */
static int parse_right_operand(struct parser *p, struct operand **ret)
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
	r = expect(p, ")");
	return r < 0 ? r : 1;
}

static int fail_value(struct parser *p, const char *what)
{
	return err_set(p->e, -EINVAL, "expected %s value or a field with a valid transformer: %s",
		       what, right_transformers);
}

static void add_constant(struct parser *p, struct str text, struct position at)
{
	p->constants =
		xgrow(p->constants, &p->cap_constants, p->n_constants + 1, sizeof(*p->constants));
	p->constants[p->n_constants++] = (struct constant){text, at};
}

/* Give the check the constants read for it. */
static void keep_constants(struct parser *p, struct ast *check)
{
	size_t n = p->n_constants;

	check->n_values = (uint32_t)n;
	check->values = arena_alloc(p->arena, n * sizeof(*check->values));
	check->value_at = arena_alloc(p->arena, n * sizeof(*check->value_at));
	for (size_t i = 0; i < n; i++) {
		check->values[i] = p->constants[i].text;
		check->value_at[i] = p->constants[i].at;
	}
	p->n_constants = 0;
}

/* 1: a quoted or bare string was added, 0: there is none. */
static int parse_constant(struct parser *p)
{
	struct position at = p->lx.at;
	struct str text;
	int r = lexer_quoted_string(&p->lx, p->arena, &text, p->e);

	if (!r)
		r = lexer_bare_string(&p->lx, &text);
	if (r > 0)
		add_constant(p, text, at);
	return r;
}

/* Items up to and with the closing bracket. */
static int parse_items(struct parser *p)
{
	int r;

	lexer_blanks(&p->lx);
	if (lexer_word(&p->lx, ")"))
		return 0;
	do {
		lexer_blanks(&p->lx);
		r = parse_constant(p);
		if (!r)
			r = err_set(p->e, -EINVAL, "expected a list item: a quoted or bare string");
		if (r < 0)
			return r;
		lexer_blanks(&p->lx);
	} while (lexer_word(&p->lx, ","));
	return expect(p, ")");
}

/* A list in brackets or its name.  1: it was there, 0: it was not. */
static int parse_list(struct parser *p, struct ast *check)
{
	struct position at = p->lx.at;
	struct str name;
	int r = 0;

	if (lexer_word(&p->lx, "("))
		r = parse_items(p);
	else if (lexer_identifier(&p->lx, &name))
		add_constant(p, name, at);
	else
		return 0;
	if (r < 0)
		return r;
	check->is_list = true;
	keep_constants(p, check);
	return 1;
}

static int parse_nothing(struct parser *p, struct ast *check)
{
	return 0;
}

static int parse_number_value(struct parser *p, struct ast *check)
{
	struct position at = p->lx.at;
	struct str text;
	int r = parse_right_operand(p, &check->right);

	if (r)
		return r < 0 ? r : 0;
	if (!lexer_number(&p->lx, &text))
		return fail_value(p, "a number");
	add_constant(p, text, at);
	keep_constants(p, check);
	return 0;
}

static bool is_connective(struct str s)
{
	return str_is(s, "and") || str_is(s, "or") || str_is(s, "not");
}

/*
 * "oneof" and its like are modifiers only in front of a list; elsewhere they are strings:
 * `x.y = oneof and ...`.
 */
static bool take_modifier(struct parser *p, enum op_modifier *ret)
{
	struct lexer before = p->lx, list;
	struct str name;

	*ret = MOD_NONE;
	for (enum op_modifier m = MOD_ONEOF; m < MOD_COUNT; m++) {
		if (!lexer_word_blanks(&p->lx, modifier_text(m)))
			continue;
		list = p->lx;
		if (lexer_word(&list, "(") ||
		    (lexer_identifier(&list, &name) && !is_connective(name))) {
			*ret = m;
			return true;
		}
	}
	p->lx = before;
	return false;
}

static int parse_text_value(struct parser *p, struct ast *check)
{
	int r;

	if (take_modifier(p, &check->modifier)) {
		r = parse_list(p, check);
		return r < 0 ? r : 0;
	}
	r = parse_right_operand(p, &check->right);
	if (r)
		return r < 0 ? r : 0;
	r = parse_constant(p);
	if (r < 0)
		return r;
	if (!r)
		return fail_value(p, "a string");
	keep_constants(p, check);
	return 0;
}

static int parse_list_value(struct parser *p, struct ast *check)
{
	int r = parse_right_operand(p, &check->right);

	if (!r)
		r = parse_list(p, check);
	if (!r)
		return fail_value(p, "a list");
	return r < 0 ? r : 0;
}

static int (*const parse_right[])(struct parser *p, struct ast *check) = {
	[RIGHT_NOTHING] = parse_nothing,
	[RIGHT_NUMBER] = parse_number_value,
	[RIGHT_TEXT] = parse_text_value,
	[RIGHT_LIST] = parse_list_value,
};

/* Words that a string follows need a blank behind them, `in(...)` does not. */
static bool take_operator(struct parser *p, enum operator* ret)
{
	for (unsigned op = 0; op < OP_COUNT; op++) {
		const char *text = operator_text(op);
		bool is_word = operator_right(op) == RIGHT_TEXT && *text >= 'a' && *text <= 'z';

		if (is_word ? lexer_word_blanks(&p->lx, text) : lexer_word(&p->lx, text)) {
			*ret = op;
			return true;
		}
	}
	return false;
}

static int fail_operator(struct parser *p)
{
	struct buf names;
	int r;

	buf_init(&names, 512);
	for (unsigned op = 0; op < OP_COUNT; op++)
		buf_addf(&names, "%s%s'%s'", op ? ", " : "", op == OP_EQ ? "'==', " : "",
			 operator_text(op));
	r = err_set(p->e, -EINVAL, "expected a valid check operator: one of %s", buf_z(&names));
	buf_done(&names);
	return r;
}

static int parse_condition(struct parser *p, struct ast *check)
{
	lexer_blanks(&p->lx);
	check->op_at = p->lx.at;
	if (!take_operator(p, &check->op))
		return fail_operator(p);
	if (check->op == OP_EQ)
		lexer_word(&p->lx, "=");
	if (check->op != OP_EXISTS)
		lexer_blanks(&p->lx);
	return parse_right[operator_right(check->op)](p, check);
}

static struct ast *ast_new(struct parser *p, enum ast_kind kind, struct position at)
{
	struct ast *t = arena_calloc(p->arena, 1, sizeof(*t));

	t->kind = kind;
	t->at = at;
	return t;
}

/* The rest of "(...)", its bracket taken. */
static int parse_bracketed(struct parser *p, struct ast **ret)
{
	int r = descend(p);

	if (r < 0)
		return r;
	lexer_blanks(&p->lx);
	r = parse_chain(p, AST_OR, ret);
	if (r < 0)
		return r;
	p->depth--;
	return expect(p, ")");
}

static int parse_check(struct parser *p, struct ast **ret)
{
	struct ast *t;
	int r;

	if (lexer_word(&p->lx, "("))
		return parse_bracketed(p, ret);
	t = ast_new(p, AST_CHECK, p->lx.at);
	*ret = t;
	r = parse_field(p, &t->left);
	if (!r)
		r = parse_transformer(p, &t->left);
	if (r)
		return r < 0 ? r : parse_condition(p, t);
	if (!lexer_identifier(&p->lx, &t->macro))
		return err_set(p->e, -EINVAL,
			       "expected a '(' token, a field check, or an identifier");
	t->kind = AST_MACRO;
	return 0;
}

/* Any number of "not": two of them cancel. */
static int parse_not(struct parser *p, struct ast **ret)
{
	struct position at = p->lx.at;
	bool negated = false;
	struct ast *t;
	int r;

	while (lexer_word_blanks(&p->lx, "not"))
		negated = !negated;
	if (lexer_word(&p->lx, "not(")) {
		negated = !negated;
		r = parse_bracketed(p, ret);
	} else {
		r = parse_check(p, ret);
	}
	if (r < 0 || !negated)
		return r;
	t = ast_new(p, AST_NOT, at);
	t->children = arena_alloc(p->arena, sizeof(*t->children));
	t->children[0] = *ret;
	t->n_children = 1;
	*ret = t;
	return 0;
}

static int parse_link(struct parser *p, enum ast_kind kind, struct ast **ret)
{
	return kind == AST_OR ? parse_chain(p, AST_AND, ret) : parse_not(p, ret);
}

/* "a or b or c", each of them a chain of "and"; or that, each of them with its "not". */
static int parse_chain(struct parser *p, enum ast_kind kind, struct ast **ret)
{
	const char *word = kind == AST_OR ? "or" : "and";
	struct position at = p->lx.at;
	size_t base = p->open.n;
	int r = parse_link(p, kind, ret);

	while (r >= 0) {
		push(&p->open, *ret);
		lexer_blanks(&p->lx);
		if (!lexer_word(&p->lx, word))
			break;
		if (lexer_blanks(&p->lx))
			r = parse_link(p, kind, ret);
		else if (lexer_word(&p->lx, "("))
			r = parse_bracketed(p, ret);
		else
			r = err_set(p->e, -EINVAL, "expected blank or '(' after '%s'", word);
	}
	if (r < 0)
		return r;
	if (p->open.n == base + 1) {
		p->open.n = base;
		return 0;
	}
	*ret = ast_new(p, kind, at);
	(*ret)->children = pop_to(p, base, &(*ret)->n_children);
	return 0;
}

static int parse_all(struct parser *p, struct ast **ret)
{
	int r;

	lexer_blanks(&p->lx);
	if (lexer_at_end(&p->lx))
		return err_set(p->e, -EINVAL, "filter input string is empty");
	r = parse_chain(p, AST_OR, ret);
	if (r < 0)
		return r;
	if (!lexer_at_end(&p->lx))
		return err_set(p->e, -EINVAL,
			       "unexpected token after '%.*s', expecting 'or', 'and'",
			       (int)(p->lx.last.n < 200 ? p->lx.last.n : 200), p->lx.last.p);
	return 0;
}

static void parser_init(struct parser *p, struct str text, unsigned max_depth, struct arena *a,
			struct err *e)
{
	*p = (struct parser){.arena = a, .max_depth = max_depth, .e = e};
	lexer_init(&p->lx, text);
}

static void parser_done(struct parser *p)
{
	free(p->open.items);
	free(p->constants);
}

int ast_parse(struct str text, unsigned max_depth, struct arena *a, struct ast **ret,
	      struct position *ret_at, struct err *e)
{
	struct parser p;
	struct ast *t;
	int r;

	if (text.n > CONDITION_MAX)
		return err_set(e, -E2BIG, "condition is longer than %u bytes", CONDITION_MAX);
	/* The tree points into its text, so both must live equally long. */
	parser_init(&p, arena_str(a, text), max_depth, a, e);
	r = parse_all(&p, &t);
	if (r < 0)
		*ret_at = p.lx.at;
	else
		*ret = t;
	parser_done(&p);
	return r;
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

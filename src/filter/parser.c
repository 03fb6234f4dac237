/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/parser.h"

#include "base/alloc.h"

#include <errno.h>

/* What a list of names looks like in a message. */
#define TRANSFORMER_NAME(text) ", '" text "'"
static const char right_transformers[] = "'val'"
#include "filter/transformers.def"
	;
#undef TRANSFORMER_NAME

static int parse_chain(struct parser *p, enum ast_kind kind, struct ast **ret);
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
	return parser_expect(p, ")");
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
	int r = parser_descend(p);

	if (r < 0)
		return r;
	lexer_blanks(&p->lx);
	r = parse_chain(p, AST_OR, ret);
	if (r < 0)
		return r;
	p->depth--;
	return parser_expect(p, ")");
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
		parser_push(p, *ret);
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
	(*ret)->children = parser_pop_to(p, base, &(*ret)->n_children);
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

/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/lexer.h"

static const char *const operators[OP_COUNT] = {
#define OPERATOR(id, text, right) [OP_##id] = text,
#include "filter/operators.def"
#undef OPERATOR
};

static const uint8_t rights[OP_COUNT] = {
#define OPERATOR(id, text, right) [OP_##id] = RIGHT_##right,
#include "filter/operators.def"
#undef OPERATOR
};

static const char *const modifiers[MOD_COUNT] = {
	[MOD_NONE] = "",
	[MOD_ONEOF] = "oneof",
	[MOD_ANYOF] = "anyof",
	[MOD_ALLOF] = "allof",
};

const char *operator_text(enum operator op)
{
	return operators[op];
}

enum operator_right operator_right(enum operator op)
{
	return rights[op];
}

const char *modifier_text(enum op_modifier m)
{
	return modifiers[m];
}

static bool find_text(struct str text, const char *const *texts, unsigned n, unsigned *ret)
{
	for (unsigned i = 0; i < n; i++)
		if (str_is(text, texts[i])) {
			*ret = i;
			return true;
		}
	return false;
}

bool operator_parse(struct str text, enum operator* ret, enum op_modifier *ret_modifier)
{
	ptrdiff_t blank;
	struct str word, rest;
	unsigned op, modifier;

	text = str_trim(text);
	blank = str_chr(text, ' ');
	word = blank < 0 ? text : str_head(text, (size_t)blank);
	rest = str_trim(str_from(text, word.n));
	if (str_is(word, "=="))
		word = STR("=");
	if (!find_text(word, operators, OP_COUNT, &op) ||
	    !find_text(rest, modifiers, MOD_COUNT, &modifier) ||
	    (modifier != MOD_NONE && rights[op] != RIGHT_TEXT))
		return false;
	*ret = op;
	*ret_modifier = modifier;
	return true;
}

/* name[argument]: the argument as it must be written to be read back. */
static void print_argument(struct str arg, struct buf *out)
{
	buf_addc(out, '[');
	if (is_bare_argument(arg))
		buf_adds(out, arg);
	else
		quote_string(arg, out);
	buf_addc(out, ']');
}

static void print_field(struct str text, struct buf *out)
{
	ptrdiff_t open = str_chr(text, '[');
	struct str arg;

	if (open < 0) {
		buf_adds(out, text);
		return;
	}
	buf_add(out, text.p, (size_t)open);
	arg = (struct str){text.p + open + 1, text.n - (size_t)open - 2};
	if (*arg.p == '"')
		arg = (struct str){arg.p + 1, arg.n - 2};
	print_argument(arg, out);
}

static void print_operands(const struct operand *o, struct buf *out)
{
	buf_addc(out, '(');
	for (uint32_t i = 0; i < o->n_args; i++) {
		if (i)
			buf_addz(out, ", ");
		operand_print(o->args[i], out);
	}
	buf_addc(out, ')');
}

static void print_transformer(const struct operand *o, struct buf *out)
{
	buf_adds(out, o->text);
	print_operands(o, out);
	if (o->has_selector)
		print_argument(o->selector, out);
}

void operand_print(const struct operand *o, struct buf *out)
{
	switch (o->kind) {
	case OPERAND_FIELD:
		print_field(o->text, out);
		break;
	case OPERAND_TRANSFORMER:
		print_transformer(o, out);
		break;
	case OPERAND_TEXT:
		quote_string(o->text, out);
		break;
	case OPERAND_NUMBER:
		buf_adds(out, o->text);
		break;
	case OPERAND_LIST:
		print_operands(o, out);
		break;
	}
}

static void print_constant(struct str s, struct buf *out)
{
	if (is_bare_string(s))
		buf_adds(out, s);
	else
		quote_string(s, out);
}

static void print_values(const struct ast *t, struct buf *out)
{
	if (t->is_list)
		buf_addc(out, '(');
	for (uint32_t i = 0; i < t->n_values; i++) {
		if (i)
			buf_addz(out, ", ");
		print_constant(t->values[i], out);
	}
	if (t->is_list)
		buf_addc(out, ')');
}

static void print_check(const struct ast *t, struct buf *out)
{
	bool is_field = t->right && t->right->kind == OPERAND_FIELD;

	operand_print(t->left, out);
	buf_addf(out, " %s", operators[t->op]);
	if (t->op == OP_EXISTS)
		return;
	if (t->modifier != MOD_NONE)
		buf_addf(out, " %s", modifiers[t->modifier]);
	buf_addz(out, is_field ? " val(" : " ");
	if (t->right)
		operand_print(t->right, out);
	else
		print_values(t, out);
	if (is_field)
		buf_addc(out, ')');
}

static void print_chain(const struct ast *t, const char *between, struct buf *out)
{
	buf_addc(out, '(');
	for (uint32_t i = 0; i < t->n_children; i++) {
		if (i)
			buf_addz(out, between);
		ast_print(t->children[i], out);
	}
	buf_addc(out, ')');
}

/* Brackets keep a negation of a negation from reading as two that cancel. */
static void print_not(const struct ast *child, struct buf *out)
{
	bool twice = child->kind == AST_NOT;

	buf_addz(out, twice ? "not (" : "not ");
	ast_print(child, out);
	if (twice)
		buf_addc(out, ')');
}

void ast_print(const struct ast *t, struct buf *out)
{
	switch (t->kind) {
	case AST_AND:
		print_chain(t, " and ", out);
		break;
	case AST_OR:
		print_chain(t, " or ", out);
		break;
	case AST_NOT:
		print_not(t->children[0], out);
		break;
	case AST_CHECK:
		print_check(t, out);
		break;
	case AST_MACRO:
		buf_adds(out, t->macro);
		break;
	}
}

void operand_set_source(struct operand *o, unsigned source)
{
	o->source = (uint8_t)source;
	for (uint32_t i = 0; i < o->n_args; i++)
		operand_set_source(o->args[i], source);
}

void ast_set_source(struct ast *t, unsigned source)
{
	for (uint32_t i = 0; i < t->n_children; i++)
		ast_set_source(t->children[i], source);
	if (t->left)
		operand_set_source(t->left, source);
	if (t->right)
		operand_set_source(t->right, source);
}

unsigned ast_source(const struct ast *t)
{
	while (t->n_children)
		t = t->children[0];
	return t->left ? t->left->source : 0;
}

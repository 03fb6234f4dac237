/* SPDX-License-Identifier: Apache-2.0 */
/* What tests/golden/filter cannot say: positions, sizes, macros, parts of conditions. */
#include "filter/ast.h"

#include "base/alloc.h"
#include "base/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static struct arena arena;
static struct position at;
static struct err error;
static struct buf out;

static struct ast *parse_deep(struct str text, unsigned depth)
{
	struct ast *t = NULL;

	arena_done(&arena);
	arena_init(&arena, 0);
	memset(&error, 0, sizeof(error));
	ast_parse(text, depth, &arena, &t, &at, &error);
	return t;
}

static struct ast *parse(const char *text)
{
	return parse_deep(str_of(text), 100);
}

static const char *printed(const struct ast *t)
{
	buf_done(&out);
	buf_init(&out, 1 << 20);
	ast_print(t, &out);
	return buf_z(&out);
}

static const char *place(struct position p)
{
	static char text[64];

	snprintf(text, sizeof(text), "%u %u:%u", p.offset, p.line, p.column);
	return text;
}

TEST(every_part_knows_its_place)
{
	struct ast *t = parse("a or not\n  proc.env[X] startswith oneof (b,\n\"c\n\", d) and e");
	struct ast *and = t->children[1], *not = and->children[0], *check = not ->children[0];

	CHECK_STR(place(t->at), "0 1:1");
	CHECK_STR(place(t->children[0]->at), "0 1:1");
	CHECK_STR(place(not ->at), "5 1:6");
	CHECK_STR(place(check->at), "11 2:3");
	CHECK_STR(place(check->left->at), "11 2:3");
	CHECK_STR(place(check->op_at), "23 2:15");
	CHECK_STR(place(check->value_at[0]), "41 2:33");
	CHECK_STR(place(check->value_at[1]), "44 3:1");
	CHECK_STR(place(check->value_at[2]), "50 4:4");
	CHECK_STR(place(and->children[1]->at), "57 4:11");
}

TEST(operands_know_their_places)
{
	struct ast *t = parse("join( 'x', (a.b, len(c.d)) ) = val( e.f )");
	struct operand *list = t->left->args[1];

	CHECK_STR(place(t->left->at), "0 1:1");
	CHECK_STR(place(t->left->args[0]->at), "6 1:7");
	CHECK_STR(place(list->at), "11 1:12");
	CHECK_STR(place(list->args[1]->args[0]->at), "21 1:22");
	CHECK_STR(place(t->right->at), "36 1:37");
}

TEST(values_are_what_was_meant)
{
	struct ast *t = parse("proc.env[\"a b\"] in (x, \"\\ty\", '')");

	CHECK(t->is_list && t->n_values == 3 && !t->right);
	CHECK(str_is(t->left->text, "proc.env[a b]"));
	CHECK(str_is(t->values[0], "x"));
	CHECK(str_is(t->values[1], "\ty"));
	CHECK(str_is(t->values[2], ""));
}

TEST(nul_bytes_are_in_no_token)
{
	CHECK(!parse_deep(STR("a.b = x\0y"), 100));
	CHECK_STR(place(at), "7 1:8");
	CHECK(!parse_deep(STR("a.b = \"x\0y\""), 100));
	CHECK(!parse_deep(STR("\0"), 100));
}

/* `n` times open, then middle, then `n` times close. */
static struct ast *parse_nested(const char *open, const char *middle, const char *close, size_t n,
				unsigned depth)
{
	struct buf text;
	struct ast *t;

	buf_init(&text, 1 << 26);
	for (size_t i = 0; i < n; i++)
		buf_addz(&text, open);
	buf_addz(&text, middle);
	for (size_t i = 0; i < n; i++)
		buf_addz(&text, close);
	t = parse_deep(buf_str(&text), depth);
	buf_done(&text);
	return t;
}

TEST(nesting_is_accepted_up_to_the_limit)
{
	CHECK(parse_nested("(", "a", ")", 100, 100));
	CHECK(!parse_nested("(", "a", ")", 101, 100));
	CHECK_STR(error.msg, "exceeded max depth limit of 100");
	CHECK_STR(place(at), "101 1:102");
	CHECK(parse_nested("not(b and (", "a", "))", 500, 1000));
	CHECK(parse_nested("a or(", "b", ")", 1000, 1000));
	CHECK(!parse_nested("tolower(", "a.b", ")", 200, 100));
}

TEST(no_depth_overflows_the_stack)
{
	CHECK(parse_nested("(", "a", ")", 10000, 10000));
	CHECK(!parse_nested("(", "a", ")", 1000000, 1000));
	CHECK(!parse_nested("not (", "a", ")", 1000000, 1000));
	CHECK(!parse_nested("tolower(", "a.b", ")", 1000000, 1000));
	/* These do not nest. */
	CHECK(parse_nested("not ", "a", "", 1000000, 1));
	CHECK(parse_nested("a and ", "a", "", 1000000, 1));
}

TEST(long_lists_are_read)
{
	struct buf text;
	struct ast *t;

	buf_init(&text, 1 << 26);
	buf_addz(&text, "proc.name in (x");
	for (int i = 0; i < 1000000; i++)
		buf_addf(&text, i & 1 ? ",%d" : ", \"\\t%d\"", i);
	buf_addc(&text, ')');
	t = parse_deep(buf_str(&text), 1);
	CHECK(t && t->n_values == 1000001);
	CHECK(str_is(t->values[1000000], "999999"));
	buf_done(&text);
}

TEST(conditions_have_a_limit)
{
	size_t n = CONDITION_MAX + 1;
	char *text = xmalloc(n);

	memset(text, ' ', n);
	CHECK(!parse_deep((struct str){text, n}, 1));
	CHECK_INT(error.code, -E2BIG);
	free(text);
}

TEST(operators_are_found_by_text)
{
	enum op_modifier m;
	enum operator op;

	CHECK(operator_parse(STR("contains"), &op, &m) && op == OP_CONTAINS && m == MOD_NONE);
	CHECK(operator_parse(STR(" = "), &op, &m) && op == OP_EQ);
	CHECK(operator_parse(STR("=="), &op, &m) && op == OP_EQ);
	CHECK(operator_parse(STR("startswith  oneof"), &op, &m) && op == OP_STARTSWITH);
	CHECK_INT(m, MOD_ONEOF);
	CHECK(!operator_parse(STR("in anyof"), &op, &m));
	CHECK(!operator_parse(STR("> allof"), &op, &m));
	CHECK(!operator_parse(STR("like"), &op, &m));
	CHECK(!operator_parse(STR(""), &op, &m));
	CHECK_STR(operator_text(OP_BSTARTSWITH), "bstartswith");
	CHECK_STR(modifier_text(MOD_ALLOF), "allof");
	CHECK_INT(operator_right(OP_LE), RIGHT_NUMBER);
}

static const char *operand(const char *text, size_t *ret_n)
{
	struct operand *o;

	arena_done(&arena);
	arena_init(&arena, 0);
	if (operand_parse(str_of(text), &arena, &o, ret_n, &error) < 0)
		return error.msg;
	buf_done(&out);
	buf_init(&out, 4096);
	operand_print(o, &out);
	return buf_z(&out);
}

TEST(operands_are_parsed_from_the_start_of_a_text)
{
	size_t n;

	CHECK_STR(operand("proc.name. Next", &n), "proc.name");
	CHECK_INT(n, 9);
	CHECK_STR(operand("proc.aname[2][3]", &n), "proc.aname[2]");
	CHECK_INT(n, 13);
	CHECK_STR(operand("toupper(proc.name)) x", &n), "toupper(proc.name)");
	CHECK_INT(n, 18);
	CHECK_STR(operand("proc", &n), "expected a field or a transformer");
	CHECK_INT(n, 0);
	CHECK_STR(operand("val(proc.name)", &n), "expected a field or a transformer");
	CHECK_STR(operand("len(proc.name", &n), "expected a ')' token");
	CHECK_INT(n, 13);
}

/* mA is "a.b exists", each later one "m<before> and m<before>"; "again" is one more name of mB. */
static struct ast *macros[26];

static const struct ast *find_macro(struct str name, void *arg)
{
	if (str_is(name, "again"))
		return macros[1];
	return name.n == 2 && name.p[0] == 'm' ? macros[name.p[1] - 'A'] : NULL;
}

static struct ast *expand(const char *text)
{
	struct ast *t = NULL;

	memset(&error, 0, sizeof(error));
	if (ast_parse(str_of(text), 100, &arena, &t, &at, &error) < 0 ||
	    ast_expand(&t, &arena, find_macro, NULL, &at, &error) < 0)
		return NULL;
	return t;
}

static void define_macros(void)
{
	parse("x");
	macros[0] = expand("a.b exists");
	for (int i = 1; i < 26; i++) {
		char text[16];

		snprintf(text, sizeof(text), "m%c and m%c", 'A' + i - 1, 'A' + i - 1);
		macros[i] = expand(text);
	}
}

TEST(macros_are_replaced)
{
	struct ast *t;

	define_macros();
	t = expand("x.y = 1 or not again");
	CHECK_STR(printed(t), "(x.y = 1 or not (a.b exists and a.b exists))");
	CHECK(str_is(t->children[1]->children[0]->macro, "again"));
	CHECK(str_is(t->children[1]->children[0]->children[0]->macro, "mA"));
	CHECK_INT(t->depth, 4);
	CHECK_INT(t->n_nodes, 6);
	/* The macro itself is still what it was. */
	CHECK(!macros[1]->macro.n);
	CHECK_STR(printed(expand("mB")), "(a.b exists and a.b exists)");
}

TEST(unknown_macros_are_named)
{
	define_macros();
	CHECK(!expand("mA and\n (mB or nope)"));
	CHECK_INT(error.code, -ENOENT);
	CHECK_STR(error.msg, "Undefined macro 'nope' used in filter.");
	CHECK_STR(place(at), "15 2:9");
}

TEST(macros_cannot_be_larger_than_the_limits)
{
	define_macros();
	CHECK(macros[23] && macros[23]->n_nodes == EXPANDED_NODES_MAX - 1);
	CHECK(!macros[24]);
	CHECK(!expand("x.y exists or mX and mX"));
	CHECK_INT(error.code, -E2BIG);
	CHECK_STR(error.msg, "condition is too large with its macros in place");
	CHECK_STR(place(at), "14 1:15");
}

TEST(macros_cannot_be_deeper_than_the_limits)
{
	struct ast *t;

	define_macros();
	macros[0]->depth = EXPANDED_DEPTH_MAX - 1;
	t = expand("mA and mA");
	CHECK(t && t->depth == EXPANDED_DEPTH_MAX);
	CHECK(!expand("x.y exists or mA and not mA"));
	CHECK_STR(error.msg, "condition is too deep with its macros in place");
}

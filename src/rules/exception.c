/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions: reading them, checking them, and what they add to a condition. */
#include "field/field.h"
#include "rules/item.h"
#include "rules/substitution.h"

#include <errno.h>

static int bad(const struct item *it, const struct place *at, const char *message)
{
	return verdict_add(it->v, ISSUE_YAML_VALIDATE, at, "%s", message);
}

/* A scalar, or a list of scalars; deep: one whose members may be such lists too. */
static int check_texts(const struct item *it, const struct place *at, const struct yaml *y,
		       bool deep, const char *message)
{
	if (y->kind == YAML_SCALAR)
		return y->text.n ? 0 : bad(it, at, "Value must be non-empty");
	if (y->kind != YAML_LIST)
		return bad(it, at, message);
	for (size_t i = 0; i < y->n; i++) {
		if (y->items[i]->kind == YAML_LIST && !deep)
			return bad(it, at, message);
		if (check_texts(it, at, y->items[i], false, message))
			return -EINVAL;
	}
	return 0;
}

static int read_values(const struct item *it, struct exception_def *x)
{
	const struct yaml *y = yaml_get(it->y, "values");
	const struct place *at;

	if (!y) {
		if (it->appends)
			verdict_add(it->v, ISSUE_APPEND_NO_VALUES, it->at,
				    "Overriding/appending exception with no values");
		return 0;
	}
	at = place_new(it->d->arena, it->at, ITEM_EXCEPTION_VALUES, STR_EMPTY, y);
	if (y->kind != YAML_LIST)
		return bad(it, at, "Rule exception values must be a sequence");
	for (size_t i = 0; i < y->n; i++)
		if (check_texts(it,
				place_new(it->d->arena, at, ITEM_EXCEPTION_VALUE, STR_EMPTY,
					  y->items[i]),
				y->items[i], true,
				"Rule exception value must be a string or a sequence of strings "
				"and sequences of strings"))
			return -EINVAL;
	x->values = (const struct yaml **)y->items;
	x->n_values = x->cap = y->n;
	return 0;
}

static int read_shape(const struct item *it, const char *key, bool required,
		      const struct yaml **ret)
{
	const struct yaml *y = yaml_get(it->y, key);

	if (!y)
		return required ? verdict_add(it->v, ISSUE_YAML_VALIDATE, it->at,
					      "Item has no mapping for key '%s'", key)
				: 0;
	if (y->kind == YAML_NULL && !required)
		return 0;
	if (y->kind != YAML_SCALAR && y->kind != YAML_LIST)
		return verdict_add(it->v, ISSUE_VALIDATE, it->at,
				   "Rule exception must have %s property with a list of %s", key,
				   key);
	if (check_texts(it, it->at, y, false,
			"Rule exception fields and comps must be a string or a sequence of "
			"strings"))
		return -EINVAL;
	*ret = y;
	return 0;
}

static int read_one(struct item *it, const struct place *rule, struct exception_def *x)
{
	if (it->y->kind != YAML_MAP)
		return bad(it, it->at, "Rule exception must be a mapping");
	if (item_text(it, "name", true, &x->name) < 0)
		return -EINVAL;
	x->at = it->at = place_new(it->d->arena, rule, ITEM_EXCEPTION, x->name, it->y);
	if (read_shape(it, "fields", !it->appends, &x->fields) ||
	    read_shape(it, "comps", false, &x->comps))
		return -EINVAL;
	return read_values(it, x);
}

static void warn_same_names(const struct item *it, const struct rule_def *r)
{
	struct strmap names = STRMAP_EMPTY;
	uint32_t at;

	for (size_t i = 0; i < r->n_exceptions; i++) {
		const struct exception_def *x = &r->exceptions[i];

		if (strmap_get(&names, x->name, &at))
			verdict_add(it->v, ISSUE_EXCEPTION_TWICE, x->at,
				    "Multiple definitions of exception '%.*s' in the same rule",
				    STR_ARG(x->name));
		strmap_put(&names, x->name, 0);
	}
	strmap_done(&names);
}

int exceptions_read(const struct item *it, const char *key, struct rule_def *r)
{
	const struct yaml *y = yaml_get(it->y, key);
	const struct place *at;

	if (!y || y->kind == YAML_NULL)
		return 0;
	at = place_new(it->d->arena, it->at, ITEM_EXCEPTIONS, STR_EMPTY, y);
	if (y->kind != YAML_LIST)
		return bad(it, at, "Rule exceptions must be a sequence");
	r->exceptions = arena_calloc(it->d->arena, y->n, sizeof(*r->exceptions));
	for (size_t i = 0; i < y->n; i++) {
		struct item one = *it;

		one.y = y->items[i];
		one.at = place_new(it->d->arena, at, ITEM_EXCEPTION, STR_EMPTY, one.y);
		if (read_one(&one, it->at, &r->exceptions[i]))
			return -EINVAL;
	}
	r->n_exceptions = r->cap_exceptions = y->n;
	warn_same_names(it, r);
	return 1;
}

static const struct yaml *member(const struct yaml *y, size_t i)
{
	return y->kind == YAML_LIST ? y->items[i] : y;
}

static size_t n_members(const struct yaml *y)
{
	return y->kind == YAML_LIST ? y->n : 1;
}

static bool parse_operator(struct str text, bool *ret_takes_list)
{
	enum operator op;
	enum op_modifier modifier;

	if (!operator_parse(text, &op, &modifier))
		return false;
	*ret_takes_list =
		op == OP_IN || op == OP_INTERSECTS || op == OP_PMATCH || modifier != MOD_NONE;
	return true;
}

static int check_operators(const struct exception_def *x, struct verdict *v)
{
	bool one_field = x->fields->kind == YAML_SCALAR, takes_list;

	for (size_t i = 0; x->comps && i < n_members(x->comps); i++) {
		struct str text = member(x->comps, i)->text;

		if (!parse_operator(text, &takes_list))
			return verdict_add(v, ISSUE_VALIDATE, x->at,
					   "'%.*s' is not a supported comparison operator",
					   STR_ARG(text));
		if (one_field && !takes_list)
			return verdict_add(
				v, ISSUE_VALIDATE, x->at,
				"When fields is a single value, comps must be one of (in, pmatch, "
				"intersects) or a modifier operator (e.g. startswith oneof)");
	}
	return 0;
}

/* A field, or a transformer of one. */
static bool is_operand(struct str text, unsigned source, struct arena *scratch)
{
	struct extractor *x;
	struct operand *o;
	struct field *f;
	size_t n;

	if (!field_parse_in(source, text, scratch, &f, &n, NULL))
		return n == text.n;
	if (operand_parse(text, scratch, &o, &n, NULL) || n != text.n)
		return false;
	operand_set_source(o, source);
	return !extractor_compile(o, scratch, &x, NULL);
}

static int check_fields(const struct exception_def *x, unsigned source, struct verdict *v)
{
	struct arena scratch;
	int rc = 0;

	arena_init(&scratch, 4096);
	for (size_t i = 0; i < n_members(x->fields) && !rc; i++) {
		struct str text = member(x->fields, i)->text;

		if (!is_operand(text, source, &scratch))
			rc = verdict_add(v, ISSUE_VALIDATE, x->at,
					 "'%.*s' is not a supported filter field", STR_ARG(text));
		arena_reset(&scratch);
	}
	arena_done(&scratch);
	return rc;
}

int exception_check(const struct exception_def *x, unsigned source, struct verdict *v)
{
	if (x->comps && x->comps->kind != x->fields->kind)
		return verdict_add(v, ISSUE_VALIDATE, x->at,
				   x->fields->kind == YAML_LIST
					   ? "Fields and comps must both be lists"
					   : "Fields and comps must both be strings");
	if (x->comps && n_members(x->comps) != n_members(x->fields))
		return verdict_add(v, ISSUE_VALIDATE, x->at,
				   "Fields and comps lists must have equal length");
	if (check_operators(x, v))
		return -EINVAL;
	return check_fields(x, source, v);
}

static void add_list(const struct yaml *y, struct buf *out)
{
	buf_addc(out, '(');
	for (size_t i = 0; i < y->n; i++) {
		if (i)
			buf_addz(out, ", ");
		condition_add_value(y->items[i]->text, out);
	}
	buf_addc(out, ')');
}

/* What follows the operator; "name" may stand for the list "(name)". */
static void add_operand(const struct yaml *y, bool takes_list, struct buf *out)
{
	bool bracket = takes_list && y->kind == YAML_SCALAR && !str_starts(y->text, STR("("));

	if (y->kind == YAML_LIST) {
		add_list(y, out);
	} else if (takes_list) {
		if (bracket)
			buf_addc(out, '(');
		buf_adds(out, y->text);
		if (bracket)
			buf_addc(out, ')');
	} else {
		condition_add_value(y->text, out);
	}
}

/* (field op value and field op value ...) */
static int add_tuple(const struct exception_def *x, const struct yaml *tuple, struct verdict *v,
		     struct buf *out)
{
	if (tuple->kind != YAML_LIST || tuple->n != x->fields->n)
		return verdict_add(v, ISSUE_VALIDATE, x->at,
				   "Fields and values lists must have equal length");
	buf_addc(out, '(');
	for (size_t i = 0; i < tuple->n; i++) {
		struct str op = x->comps ? x->comps->items[i]->text : STR("=");
		bool takes_list = false;

		parse_operator(op, &takes_list);
		if (i)
			buf_addz(out, " and ");
		buf_adds(out, x->fields->items[i]->text);
		buf_addc(out, ' ');
		buf_adds(out, op);
		buf_addc(out, ' ');
		add_operand(tuple->items[i], takes_list, out);
	}
	buf_addc(out, ')');
	return 0;
}

static int add_tuples(const struct exception_def *x, struct verdict *v, struct buf *out)
{
	for (size_t i = 0; i < x->n_values; i++) {
		if (i)
			buf_addz(out, " or ");
		if (add_tuple(x, x->values[i], v, out))
			return -EINVAL;
	}
	return 0;
}

/* field in (value, value ...) */
static int add_flat(const struct exception_def *x, struct verdict *v, struct buf *out)
{
	buf_adds(out, x->fields->text);
	buf_addc(out, ' ');
	buf_adds(out, x->comps ? x->comps->text : STR("in"));
	buf_addz(out, " (");
	for (size_t i = 0; i < x->n_values; i++) {
		if (x->values[i]->kind != YAML_SCALAR)
			return verdict_add(v, ISSUE_VALIDATE, x->at,
					   "Expected values array to contain a list of strings");
		if (i)
			buf_addz(out, ", ");
		condition_add_value(x->values[i]->text, out);
	}
	buf_addc(out, ')');
	return 0;
}

int exceptions_apply(const struct rule_def *r, struct verdict *v, struct buf *out)
{
	bool any = false;
	int rc = 0;

	for (size_t i = 0; i < r->n_exceptions; i++)
		any |= r->exceptions[i].n_values > 0;
	if (any)
		buf_addc(out, '(');
	buf_adds(out, r->condition.s);
	if (any)
		buf_addc(out, ')');
	for (size_t i = 0; i < r->n_exceptions && !rc; i++) {
		const struct exception_def *x = &r->exceptions[i];

		if (!x->n_values)
			continue;
		buf_addz(out, " and not (");
		rc = x->fields->kind == YAML_LIST ? add_tuples(x, v, out) : add_flat(x, v, out);
		buf_addc(out, ')');
	}
	return rc;
}

/* Values may hold words of the language: a tree of another shape stays without marks. */
void exceptions_mark(const struct rule_def *r, const struct ast *t)
{
	uint32_t at = t->n_children;

	if (t->kind != AST_AND)
		return;
	for (size_t i = r->n_exceptions; i-- > 0;) {
		if (!r->exceptions[i].n_values)
			continue;
		if (at < 2 || t->children[at - 1]->kind != AST_NOT)
			return;
		t->children[--at]->exception = r->exceptions[i].name;
	}
}

static void add_text(struct texts *t, struct arena *a, struct str s)
{
	t->list[t->n++] = arena_str(a, s);
}

void exceptions_describe(const struct rule_def *r, struct arena *a, struct rule_details *ret)
{
	size_t n_fields = 0;

	for (size_t i = 0; i < r->n_exceptions; i++)
		n_fields += n_members(r->exceptions[i].fields);
	ret->exception_names.list = arena_alloc(a, r->n_exceptions * sizeof(struct str));
	ret->exception_fields.list = arena_alloc(a, n_fields * sizeof(struct str));
	ret->exception_operators.list = arena_alloc(a, n_fields * sizeof(struct str));
	for (size_t i = 0; i < r->n_exceptions; i++) {
		const struct exception_def *x = &r->exceptions[i];
		struct str usual = x->fields->kind == YAML_LIST ? STR("=") : STR("in");

		add_text(&ret->exception_names, a, x->name);
		for (size_t k = 0; k < n_members(x->fields); k++) {
			add_text(&ret->exception_fields, a, member(x->fields, k)->text);
			add_text(&ret->exception_operators, a,
				 x->comps ? member(x->comps, k)->text : usual);
		}
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/extractor.h"

#include "filter/redaction.h"
#include "filter/transformer.h"

#include <errno.h>

static int compile(const struct operand *o, struct arena *a, struct extractor **ret,
		   struct position *ret_at, struct err *e);

static int compile_field(struct extractor *x, unsigned source, struct arena *a,
			 struct position *ret_at, struct err *e)
{
	size_t n;
	int r = field_parse_in(source, x->text, a, &x->field, &n, e);

	if (r < 0) {
		ret_at->offset += (uint32_t)n;
		ret_at->column += (uint32_t)n;
		return r;
	}
	if (n != x->text.n)
		return err_set(e, -ENOENT, "filter_check called with nonexistent field %.*s",
			       STR_ARG(x->text));
	x->kind = EXTRACT_FIELD;
	x->type = x->field->type;
	x->format = x->field->info->format;
	x->flags = x->field->flags;
	x->scopes = (uint8_t)(1 << x->field->info->scope);
	x->is_list = x->flags & FF_LIST;
	return 0;
}

static int compile_args(struct extractor *x, const struct operand *o, struct arena *a,
			struct position *ret_at, struct err *e)
{
	x->args = arena_alloc(a, o->n_args * sizeof(*x->args));
	x->n_args = o->n_args;
	for (uint32_t i = 0; i < o->n_args; i++) {
		int r = compile(o->args[i], a, &x->args[i], ret_at, e);

		if (r < 0)
			return r;
		if (!x->flags)
			x->flags = x->args[i]->flags;
		x->scopes |= x->args[i]->scopes;
	}
	*ret_at = o->at;
	return 0;
}

static int compile_transformer(struct extractor *x, const struct operand *o, struct arena *a,
			       struct position *ret_at, struct err *e)
{
	int r;

	x->kind = EXTRACT_TRANSFORM;
	x->how = transformer_find(o->text);
	if (!x->how)
		return err_set(e, -EINVAL, "unknown field transformer '%.*s'", STR_ARG(o->text));
	if (o->n_args < x->how->min_args || o->n_args > x->how->max_args)
		return err_set(e, -EINVAL, "%s() takes %s %u arguments", x->how->name,
			       o->n_args < x->how->min_args ? "at least" : "at most",
			       o->n_args < x->how->min_args ? x->how->min_args : x->how->max_args);
	if (o->has_selector && !x->how->takes_selector)
		return err_set(e, -EINVAL, "%s() does not take an argument in brackets",
			       x->how->name);
	x->has_selector = o->has_selector;
	x->selector = arena_str(a, o->selector.p ? o->selector : STR_EMPTY);
	r = compile_args(x, o, a, ret_at, e);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < x->n_args; i++)
		if (x->args[i]->kind == EXTRACT_FIELD && x->args[i]->flags & FF_NO_TRANSFORMER)
			return err_set(e, -EINVAL, "field '%.*s' does not support transformers",
				       STR_ARG(x->args[i]->text));
	return x->how->check(x, e);
}

static int compile(const struct operand *o, struct arena *a, struct extractor **ret,
		   struct position *ret_at, struct err *e)
{
	struct extractor *x = arena_calloc(a, 1, sizeof(*x));
	struct buf text;
	int r = 0;

	*ret_at = o->at;
	buf_init(&text, CONDITION_MAX);
	operand_print(o, &text);
	x->text = arena_str(a, buf_str(&text));
	buf_done(&text);
	switch (o->kind) {
	case OPERAND_FIELD:
		r = compile_field(x, o->source, a, ret_at, e);
		break;
	case OPERAND_TEXT:
	case OPERAND_NUMBER:
		x->kind = EXTRACT_CONSTANT;
		x->type = PT_CHARBUF;
		x->constant = (struct value){.s = arena_str(a, o->text), .type = PT_CHARBUF};
		break;
	case OPERAND_LIST:
		x->kind = EXTRACT_LIST;
		x->type = PT_CHARBUF;
		x->is_list = true;
		r = compile_args(x, o, a, ret_at, e);
		for (uint32_t i = 0; r == 0 && i < x->n_args; i++)
			if (!type_is_string(x->args[i]->type) || x->args[i]->is_list)
				r = err_set(e, -EINVAL, "'%.*s' in a list is not a text",
					    STR_ARG(x->args[i]->text));
		break;
	case OPERAND_TRANSFORMER:
		r = compile_transformer(x, o, a, ret_at, e);
		break;
	}
	if (r == 0)
		*ret = x;
	return r;
}

int extractor_compile_left(const struct operand *o, struct arena *a, struct extractor **ret,
			   struct position *ret_at, struct err *e)
{
	*ret_at = o->at;
	if (o->kind == OPERAND_TRANSFORMER && str_is(o->text, "val"))
		return err_set(e, -EINVAL, "'val' is only allowed on the right-hand side");
	return compile(o, a, ret, ret_at, e);
}

int extractor_compile(const struct operand *o, struct arena *a, struct extractor **ret,
		      struct err *e)
{
	struct position unused;

	return extractor_compile_left(o, a, ret, &unused, e);
}

int extractor_compile_right(const struct operand *o, struct arena *a, struct extractor **ret,
			    struct position *ret_at, struct err *e)
{
	struct extractor *x = NULL;
	bool is_val = o->kind == OPERAND_TRANSFORMER && str_is(o->text, "val") && o->n_args == 1;
	int r = compile(is_val ? o->args[0] : o, a, &x, ret_at, e);

	if (r < 0)
		return r;
	if (x->kind == EXTRACT_FIELD && x->flags & FF_NO_RHS)
		return err_set(e, -EINVAL, "field '%.*s' can't be used as a right-hand side field",
			       STR_ARG(x->text));
	*ret = x;
	return 0;
}

struct field *extractor_field(const struct extractor *x)
{
	return x->kind == EXTRACT_FIELD ? x->field : NULL;
}

enum param_type extractor_type(const struct extractor *x)
{
	return (enum param_type)x->type;
}

enum print_format extractor_format(const struct extractor *x)
{
	return (enum print_format)x->format;
}

uint32_t extractor_flags(const struct extractor *x)
{
	return x->flags;
}

/* Null when any is null; unknown only when none is. */
static enum field_result get_args(struct extractor *x, const struct field_ctx *c,
				  struct value *values)
{
	enum field_result worst = FIELD_OK;

	for (uint32_t i = 0; i < x->n_args; i++) {
		enum field_result r;

		values[i] = (struct value){.s = STR_EMPTY};
		r = extractor_get(x->args[i], c, &values[i]);
		if (r == FIELD_NULL)
			return r;
		if (r == FIELD_UNKNOWN)
			worst = r;
	}
	return worst;
}

static enum field_result get_field(struct extractor *x, const struct field_ctx *c,
				   struct value *ret)
{
	const struct field *f = x->field;
	enum field_result r = field_get(x->field, c, ret);

	if (__builtin_expect(c->redaction != NULL, 0) && c->printing && r == FIELD_OK)
		redaction_value(c->redaction, ret, (enum param_type)f->type,
				f->has_arg && !f->arg_is_index ? f->arg : STR_EMPTY, c->scratch);
	return r;
}

enum field_result extractor_get(struct extractor *x, const struct field_ctx *c, struct value *ret)
{
	struct value *values;
	enum field_result r;

	if (x->kind == EXTRACT_FIELD)
		return get_field(x, c, ret);
	if (x->kind == EXTRACT_CONSTANT) {
		*ret = x->constant;
		return FIELD_OK;
	}
	values = arena_alloc(c->scratch, x->n_args * sizeof(*values));
	r = get_args(x, c, values);
	if (r != FIELD_OK)
		return r;
	if (x->kind == EXTRACT_TRANSFORM)
		return x->how->apply(x, values, c->scratch, ret);
	*ret = (struct value){.items = values, .n_items = x->n_args, .is_list = true};
	return FIELD_OK;
}

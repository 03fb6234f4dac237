/* SPDX-License-Identifier: Apache-2.0 */
/* Type checks: from a comparison as written to a leaf. */
#include "filter/leaf.h"

#include "field/eventsource.h"

#include <errno.h>

static const char *const group_words[GROUP_COUNT] = {
	[GROUP_SIGNED] = "numeric filters",	 [GROUP_UNSIGNED] = "numeric filters",
	[GROUP_DOUBLE] = "numeric filters",	 [GROUP_BOOL] = "numeric filters",
	[GROUP_STRING] = "string filters",	 [GROUP_BYTES] = "buffer filters",
	[GROUP_IP] = "ip address filters",	 [GROUP_NET] = "ip network filters",
	[GROUP_HOST_NAME] = "host name filters",
};

/* Types that real lists may have. */
static bool is_list_type(enum param_type t)
{
	return t == PT_CHARBUF || t == PT_UINT64 || t == PT_RELTIME || t == PT_ABSTIME ||
	       t == PT_BOOL || t == PT_IPADDR || t == PT_IPNET;
}

static int check_operator(const struct leaf *l, enum param_type t, struct err *e)
{
	enum operator op =(enum operator) l->op;

	if (op == OP_EXISTS && l->group != GROUP_HOST_NAME)
		return 0;
	if (l->is_list) {
		if (!is_list_type(t))
			return err_set(e, -EINVAL,
				       "filter error: list filters are not supported for type '%s'",
				       param_type_name(t));
		if ((op != OP_IN && op != OP_INTERSECTS) || l->modifier != MOD_NONE)
			return err_set(e, -EINVAL,
				       "filter error: '%s' operator not supported list filters",
				       operator_text(op));
		return 0;
	}
	if (compare_find((enum type_group)l->group, op))
		return 0;
	if (l->group == GROUP_NONE)
		return err_set(e, -EINVAL,
			       "filter error: '%s' operator not supported for type '%s'",
			       operator_text(op), param_type_name(t));
	return err_set(e, -EINVAL, "filter error: '%s' operator not supported for %s",
		       operator_text(op), group_words[l->group]);
}

/* Names that evt.type may be compared with. */
static bool is_event_name(struct str name)
{
	for (unsigned i = 0; i < EV_COUNT; i++)
		if (event_table[i].name && str_is(name, event_table[i].name))
			return true;
	for (unsigned i = 0; i < SC_COUNT; i++)
		if (syscall_table[i].name && str_is(name, syscall_table[i].name))
			return true;
	/* Asynchronous events of the reference's standard plugins. */
	return str_is(name, "container") || str_is(name, "container_removed") ||
	       async_name_is(name);
}

static const char *field_name(const struct extractor *x)
{
	return x->kind == EXTRACT_FIELD ? x->field->info->name : "";
}

static int check_constant(const struct leaf *l, struct str text, struct err *e)
{
	const char *name = field_name(l->left);

	if (!strcmp(name, "evt.type") && !is_event_name(text))
		return err_set(e, -ENOENT, "unknown event type %.*s", STR_ARG(text));
	if (!strcmp(name, "evt.around") && l->op != OP_EQ)
		return err_set(e, -EINVAL,
			       "filter error: 'evt.around' supports only '=' comparison operator");
	return 0;
}

static int parse_constant(struct leaf *l, uint32_t i, enum param_type t, struct arena *a,
			  struct err *e)
{
	int r = check_constant(l, l->texts[i], e);

	if (r < 0)
		return r;
	if (l->op == OP_BCONTAINS || l->op == OP_BSTARTSWITH)
		return constant_parse_hex(l->texts[i], a, &l->constants[i], e);
	r = constant_parse(l->texts[i], t, a, &l->constants[i], e);
	if (l->group == GROUP_STRING)
		l->constants[i].s = l->texts[i];
	if (r == 0 && l->group == GROUP_HOST_NAME && field_config.hostnames)
		r = hostnames_add(field_config.hostnames, l->texts[i], &l->constants[i].host, e);
	return r;
}

static int compile_constants(struct leaf *l, const struct ast *check, enum param_type t,
			     struct arena *a, struct position *ret_at, struct err *e)
{
	uint32_t bad = 0;
	int r = 0;

	l->n_constants = check->n_values;
	l->texts = arena_alloc(a, l->n_constants * sizeof(*l->texts));
	l->constants = arena_calloc(a, l->n_constants, sizeof(*l->constants));
	for (uint32_t i = 0; r == 0 && i < l->n_constants; i++) {
		bad = i;
		l->texts[i] = arena_str(a, check->values[i]);
		r = parse_constant(l, i, t, a, e);
	}
	if (r == 0)
		r = leaf_prepare(l, a, &bad, e);
	if (r < 0 && check->value_at && bad < check->n_values)
		*ret_at = check->value_at[bad];
	return r;
}

static int check_right(const struct leaf *l, struct err *e)
{
	const struct extractor *left = l->left, *right = l->right;

	if (l->op == OP_PMATCH || l->op == OP_REGEX || l->group == GROUP_NET || l->op == OP_GLOB ||
	    l->op == OP_IGLOB)
		return err_set(
			e, -EINVAL,
			"filter error: '%s' operator does not support a right-hand side field",
			operator_text((enum operator)l->op));
	if (left->kind == EXTRACT_FIELD && left->flags & FF_NO_RHS)
		return err_set(e, -EINVAL,
			       "field '%.*s' can't be used with a right-hand side field",
			       STR_ARG(left->text));
	if (left->type != right->type || left->is_list != right->is_list)
		return err_set(e, -EINVAL,
			       "field '%.*s' has type '%s' while the right-hand side field '%.*s' "
			       "has incompatible type '%s'",
			       STR_ARG(left->text), param_type_name((enum param_type)left->type),
			       STR_ARG(right->text), param_type_name((enum param_type)right->type));
	return 0;
}

static int compile_right(struct leaf *l, const struct ast *check, struct arena *a,
			 struct position *ret_at, struct err *e)
{
	int r = 0;

	if (!l->right)
		r = extractor_compile_right(check->right, a, &l->right, ret_at, e);
	if (r < 0)
		return r;
	*ret_at = check->right->at;
	return check_right(l, e);
}

/* The set of events is found from the condition's text, so these must stay as they are. */
static int check_event_type(const struct leaf *l, const struct ast *check, struct err *e)
{
	const char *name = field_name(l->left);

	if (check->right && (!strcmp(name, "evt.type") || !strcmp(name, "syscall.type")))
		return err_set(e, -EINVAL,
			       "filter error: '%s' can't be compared with a right-hand side field",
			       name);
	if (l->left->kind == EXTRACT_TRANSFORM && l->left->n_args &&
	    !strcmp(field_name(l->left->args[0]), "evt.type"))
		return err_set(e, -EINVAL,
			       "filter error: 'evt.type' does not support transformers");
	return 0;
}

static int check_left(const struct leaf *l, struct err *e)
{
	if (l->left->kind == EXTRACT_CONSTANT || l->left->kind == EXTRACT_LIST)
		return err_set(e, -EINVAL, "filter error: a field is expected before an operator");
	if (l->left->flags & FF_PRINT_ONLY)
		return err_set(e, -EINVAL, "filter error: '%.*s' is a print only field",
			       STR_ARG(l->left->text));
	return 0;
}

int leaf_compile(const struct ast *check, struct extractor *left, struct extractor *right,
		 struct arena *a, struct leaf **ret, struct position *ret_at, struct err *e)
{
	struct leaf *l = arena_calloc(a, 1, sizeof(*l));
	enum param_type t;
	int r;

	l->left = left;
	l->right = right;
	r = left ? 0 : extractor_compile_left(check->left, a, &l->left, ret_at, e);
	if (r < 0)
		return r;
	*ret_at = check->left->at;
	r = check_left(l, e);
	if (r < 0)
		return r;
	t = (enum param_type)l->left->type;
	l->op = (uint8_t)check->op;
	l->modifier = (uint8_t)check->modifier;
	l->group = l->left->flags & FF_HOST_NAME ? GROUP_HOST_NAME : (uint8_t)type_group(t);
	l->is_list = l->left->is_list;
	*ret_at = check->op_at;
	r = check_operator(l, t, e);
	if (r < 0 || (r = check_event_type(l, check, e)) < 0)
		return r;
	l->compare = compare_find((enum type_group)l->group, check->op);
	*ret_at = check->at;
	r = check->right ? compile_right(l, check, a, ret_at, e)
			 : compile_constants(l, check, t, a, ret_at, e);
	if (r < 0) {
		leaf_done(l);
		return r;
	}
	l->warns = check_is_doubtful(check, l);
	*ret = l;
	return 0;
}

void leaf_text(const struct leaf *l, uint32_t max_constants, struct buf *out)
{
	static const char *const modifiers[] = {"", " oneof", " anyof", " allof"};
	bool list = l->op == OP_IN || l->op == OP_INTERSECTS || l->op == OP_PMATCH ||
		    l->modifier != MOD_NONE;

	buf_adds(out, l->left->text);
	buf_addf(out, " %s%s", operator_text((enum operator)l->op), modifiers[l->modifier]);
	if (l->op == OP_EXISTS)
		return;
	buf_addc(out, ' ');
	if (l->right) {
		buf_addf(out, l->right->kind == EXTRACT_FIELD ? "val(%.*s)" : "%.*s",
			 STR_ARG(l->right->text));
		return;
	}
	if (list)
		buf_addc(out, '(');
	for (uint32_t i = 0; i < l->n_constants; i++) {
		if (i)
			buf_addz(out, ", ");
		if (i == max_constants) {
			buf_addz(out, "...");
			break;
		}
		buf_adds(out, l->texts[i]);
	}
	if (list)
		buf_addc(out, ')');
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/transformer.h"

#include <ctype.h>
#include <errno.h>

/* Type checks. */

static int refuse(const struct extractor *x, const struct extractor *arg, struct err *e)
{
	return err_set(e, -EINVAL,
		       "can't add field transformer: type '%s' is not supported by '%s' "
		       "transformer applied on field '%.*s'",
		       param_type_name((enum param_type)arg->type), x->how->name,
		       STR_ARG(arg->text));
}

/* Texts, also lists of them: the result is like the argument. */
static int check_text(struct extractor *x, struct err *e)
{
	const struct extractor *arg = x->args[0];

	if (!type_is_string((enum param_type)arg->type))
		return refuse(x, arg, e);
	x->type = arg->type;
	x->format = arg->format;
	x->is_list = arg->is_list;
	return 0;
}

static int check_b64(struct extractor *x, struct err *e)
{
	const struct extractor *arg = x->args[0];

	if (arg->type != PT_CHARBUF && arg->type != PT_BYTEBUF)
		return refuse(x, arg, e);
	x->type = arg->type;
	x->is_list = arg->is_list;
	return 0;
}

static int check_len(struct extractor *x, struct err *e)
{
	const struct extractor *arg = x->args[0];

	if (!arg->is_list && !type_is_string((enum param_type)arg->type) && arg->type != PT_BYTEBUF)
		return refuse(x, arg, e);
	x->type = PT_UINT64;
	/* The reference forgets to give the length a format, so that messages show "<NA>". */
	x->format = PF_NA;
	return 0;
}

static int check_join(struct extractor *x, struct err *e)
{
	if (x->args[0]->is_list || !type_is_string((enum param_type)x->args[0]->type))
		return err_set(e, -EINVAL, "join() first argument must be a string");
	if (!x->args[1]->is_list)
		return err_set(e, -EINVAL, "join() second argument must be a list");
	if (!type_is_string((enum param_type)x->args[1]->type))
		return refuse(x, x->args[1], e);
	x->type = PT_CHARBUF;
	return 0;
}

static int check_concat(struct extractor *x, struct err *e)
{
	for (uint32_t i = 0; i < x->n_args; i++) {
		if (x->args[i]->is_list)
			return err_set(e, -EINVAL, "concat() arguments must not be lists");
		if (x->args[i]->type != PT_CHARBUF)
			return refuse(x, x->args[i], e);
	}
	x->type = PT_CHARBUF;
	return 0;
}

static int check_getopt(struct extractor *x, struct err *e)
{
	if (!x->args[0]->is_list)
		return err_set(e, -EINVAL, "getopt() first argument must be a list");
	if (x->args[0]->type != PT_CHARBUF)
		return refuse(x, x->args[0], e);
	if (x->args[1]->is_list || x->args[1]->type != PT_CHARBUF)
		return err_set(e, -EINVAL, "getopt() second argument must be a string");
	if (x->has_selector && x->selector.n != 1)
		return err_set(e, -EINVAL, "getopt() takes one letter in brackets");
	x->type = PT_CHARBUF;
	x->is_list = !x->has_selector;
	return 0;
}

/* Functions of one text, applied to each item of a list. */

typedef bool (*text_fn)(struct str in, struct arena *a, struct str *ret);

static enum field_result apply_text(const struct extractor *x, const struct value *arg, text_fn fn,
				    struct arena *a, struct value *ret)
{
	if (!x->is_list) {
		*ret = (struct value){.type = x->type};
		return fn(arg->s, a, &ret->s) ? FIELD_OK : FIELD_NULL;
	}
	*ret = (struct value){.is_list = true, .n_items = arg->n_items};
	ret->items = arena_calloc(a, arg->n_items, sizeof(*ret->items));
	for (uint32_t i = 0; i < arg->n_items; i++)
		if (!fn(arg->items[i].s, a, &ret->items[i].s))
			return FIELD_NULL;
	return FIELD_OK;
}

static bool text_lower(struct str in, struct arena *a, struct str *ret)
{
	char *p = arena_alloc(a, in.n + 1);

	for (size_t i = 0; i < in.n; i++)
		p[i] = (char)(in.p[i] >= 'A' && in.p[i] <= 'Z' ? in.p[i] | 0x20 : in.p[i]);
	*ret = (struct str){p, in.n};
	return true;
}

static bool text_upper(struct str in, struct arena *a, struct str *ret)
{
	char *p = arena_alloc(a, in.n + 1);

	for (size_t i = 0; i < in.n; i++)
		p[i] = (char)(in.p[i] >= 'a' && in.p[i] <= 'z' ? in.p[i] & ~0x20 : in.p[i]);
	*ret = (struct str){p, in.n};
	return true;
}

static bool text_basename(struct str in, struct arena *a, struct str *ret)
{
	*ret = str_from(in, (size_t)(str_rchr(in, '/') + 1));
	return true;
}

static int b64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool bytes_b64(struct str in, struct arena *a, struct str *ret)
{
	uint8_t *p = arena_alloc(a, in.n / 4 * 3 + 4);
	uint32_t bits = 0;
	size_t n = 0;

	for (unsigned i = 0; i < 2 && in.n && in.p[in.n - 1] == '='; i++)
		in.n--;
	if (in.n % 4 == 1)
		return false;
	for (size_t i = 0; i < in.n; i++) {
		int d = b64_digit(in.p[i]);

		if (d < 0)
			return false;
		bits = bits << 6 | (uint32_t)d;
		if (i % 4)
			p[n++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
	}
	/* Bits that belong to no byte must be 0. */
	if (in.n % 4 && bits & ((1U << (8 - 2 * (in.n % 4))) - 1))
		return false;
	*ret = (struct str){(const char *)p, n};
	return true;
}

static bool text_b64(struct str in, struct arena *a, struct str *ret)
{
	if (!bytes_b64(in, a, ret))
		return false;
	*ret = str_until_nul(*ret);
	return true;
}

static enum field_result apply_lower(const struct extractor *x, const struct value *args,
				     struct arena *a, struct value *ret)
{
	return apply_text(x, args, text_lower, a, ret);
}

static enum field_result apply_upper(const struct extractor *x, const struct value *args,
				     struct arena *a, struct value *ret)
{
	return apply_text(x, args, text_upper, a, ret);
}

static enum field_result apply_basename(const struct extractor *x, const struct value *args,
					struct arena *a, struct value *ret)
{
	return apply_text(x, args, text_basename, a, ret);
}

static enum field_result apply_b64(const struct extractor *x, const struct value *args,
				   struct arena *a, struct value *ret)
{
	return apply_text(x, args, x->type == PT_BYTEBUF ? bytes_b64 : text_b64, a, ret);
}

static enum field_result apply_len(const struct extractor *x, const struct value *args,
				   struct arena *a, struct value *ret)
{
	*ret = (struct value){.u = x->args[0]->is_list ? args->n_items : args->s.n};
	return FIELD_OK;
}

static enum field_result glue(const struct value *items, size_t n, struct str between,
			      struct arena *a, struct value *ret)
{
	size_t total = 0;
	char *p, *at;

	for (size_t i = 0; i < n; i++)
		total += items[i].s.n + (i ? between.n : 0);
	p = at = arena_alloc(a, total + 1);
	for (size_t i = 0; i < n; i++) {
		if (i && between.n)
			at = mempcpy(at, between.p, between.n);
		if (items[i].s.n)
			at = mempcpy(at, items[i].s.p, items[i].s.n);
	}
	*ret = (struct value){.s = {p, total}};
	return FIELD_OK;
}

static enum field_result apply_join(const struct extractor *x, const struct value *args,
				    struct arena *a, struct value *ret)
{
	return glue(args[1].items, args[1].n_items, args[0].s, a, ret);
}

static enum field_result apply_concat(const struct extractor *x, const struct value *args,
				      struct arena *a, struct value *ret)
{
	return glue(args, x->n_args, STR_EMPTY, a, ret);
}

/* One option of a command line. */
struct option {
	struct str letter; /* "?" when unknown */
	struct str value;
	bool has_value; /* takes one; the value is empty when it is missing */
};

struct option_scan {
	const struct value *args;
	struct str spec; /* as getopt(3): letters, ':' behind those with a value */
	struct str rest; /* of the token at hand */
	uint32_t at;
};

static bool scan_next(struct option_scan *s, struct option *ret)
{
	ptrdiff_t known;

	while (!s->rest.n) {
		struct str token;

		if (s->at >= s->args->n_items)
			return false;
		token = s->args->items[s->at].s;
		if (token.n < 2 || token.p[0] != '-' || str_is(token, "--"))
			return false;
		s->at++;
		if (token.p[1] != '-')
			s->rest = str_from(token, 1);
	}
	*ret = (struct option){str_head(s->rest, 1), STR_EMPTY, false};
	s->rest = str_from(s->rest, 1);
	known = ret->letter.p[0] == ':' ? -1 : str_chr(s->spec, ret->letter.p[0]);
	if (known < 0) {
		ret->letter = STR("?");
		return true;
	}
	ret->has_value = (size_t)known + 1 < s->spec.n && s->spec.p[known + 1] == ':';
	if (!ret->has_value)
		return true;
	if (s->rest.n)
		ret->value = s->rest;
	else if (s->at < s->args->n_items)
		ret->value = s->args->items[s->at++].s;
	s->rest = STR_EMPTY;
	return true;
}

static enum field_result apply_getopt(const struct extractor *x, const struct value *args,
				      struct arena *a, struct value *ret)
{
	struct option_scan s = {&args[0], args[1].s, STR_EMPTY, 0};
	struct option o;
	bool found = false;
	size_t letters = 0;

	if (x->has_selector) {
		while (scan_next(&s, &o)) {
			if (!str_eq(o.letter, x->selector))
				continue;
			found = true;
			*ret = (struct value){.s = o.has_value ? o.value : o.letter};
		}
		return found ? FIELD_OK : FIELD_NULL;
	}
	for (uint32_t i = 0; i < args[0].n_items; i++)
		letters += args[0].items[i].s.n;
	*ret = (struct value){.is_list = true};
	ret->items = arena_calloc(a, 2 * letters + 1, sizeof(*ret->items));
	while (scan_next(&s, &o)) {
		ret->items[ret->n_items++].s = o.letter;
		if (o.has_value)
			ret->items[ret->n_items++].s = o.value;
	}
	return FIELD_OK;
}

static const struct transformer transformers[] = {
	{"tolower", 1, 1, false, check_text, apply_lower},
	{"toupper", 1, 1, false, check_text, apply_upper},
	{"b64", 1, 1, false, check_b64, apply_b64},
	{"basename", 1, 1, false, check_text, apply_basename},
	{"len", 1, 1, false, check_len, apply_len},
	{"join", 2, 2, false, check_join, apply_join},
	{"concat", 2, TRANSFORMER_MAX_ARGS, false, check_concat, apply_concat},
	{"getopt", 2, 2, true, check_getopt, apply_getopt},
};

const struct transformer *transformer_find(struct str name)
{
	for (size_t i = 0; i < sizeof(transformers) / sizeof(transformers[0]); i++)
		if (str_is(name, transformers[i].name))
			return &transformers[i];
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Warnings: comparisons that compile but hardly mean what they say. */
#include "filter/leaf.h"

#include "base/alloc.h"
#include "filter/transformer.h"

#include <stdarg.h>
#include <stdio.h>

static void warn(struct warnings *w, struct position at, bool deprecated, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void warn(struct warnings *w, struct position at, bool deprecated, const char *fmt, ...)
{
	char text[768];
	va_list ap;
	struct str s;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	s = str_of(text);
	/* One use of a deprecated field says enough. */
	for (size_t i = 0; deprecated && i < w->n; i++)
		if (str_eq(w->list[i].text, s))
			return;
	if (w->n == WARNINGS_MAX) {
		w->n_more++;
		return;
	}
	w->list = xgrow(w->list, &w->cap, w->n + 1, sizeof(*w->list));
	w->list[w->n++] = (struct warning){at, arena_str(w->arena, s), deprecated};
}

static bool has_blank(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == ' ' || (s.p[i] >= '\t' && s.p[i] <= '\r'))
			return true;
	return false;
}

static struct str without_blanks(struct str s, char out[CONSTANT_MAX_TEXT + 1])
{
	size_t n = 0;

	if (s.n > CONSTANT_MAX_TEXT || !has_blank(s))
		return s;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != ' ' && !(s.p[i] >= '\t' && s.p[i] <= '\r'))
			out[n++] = s.p[i];
	return (struct str){out, n};
}

/* Cheap enough for every constant of every rule: a field's name starts with a known word. */
static bool starts_like_field(struct str s)
{
	static const char *const words[] = {"evt", "proc",    "thread", "user",	  "group",
					    "fd",  "fs",      "util",	"fdlist", "container",
					    "k8s", "k8smeta", "syscall"};
	ptrdiff_t dot = str_chr(s, '.');

	for (size_t i = 0; dot > 1 && i < sizeof(words) / sizeof(words[0]); i++)
		if (str_is(str_head(s, (size_t)dot), words[i]))
			return true;
	return false;
}

static bool is_field(struct str s, unsigned source)
{
	struct arena a;
	struct field *f;
	size_t n;
	bool ok;

	if (!starts_like_field(s))
		return false;
	arena_init(&a, 1024);
	ok = field_parse_in(source, s, &a, &f, &n, NULL) == 0 && n == s.n;
	arena_done(&a);
	return ok;
}

static bool is_transformer(struct str s)
{
	ptrdiff_t bracket = str_chr(s, '(');
	struct str name;

	if (bracket <= 0)
		return false;
	name = str_head(s, (size_t)bracket);
	return str_is(name, "val") || transformer_find(name);
}

/* "^abc$", "abc.*", ".*abc": nothing that plain comparisons could not do. */
static bool is_simple_regex(struct str s)
{
	if (str_starts(s, STR("^")))
		s = str_from(s, 1);
	if (str_ends(s, STR("$")))
		s = str_head(s, s.n - 1);
	if (str_starts(s, STR(".*")))
		s = str_from(s, 2);
	if (str_ends(s, STR(".*")))
		s = str_head(s, s.n - 2);
	for (size_t i = 0; i < s.n; i++)
		if (memchr(".[]{}()\\*+?|^$", s.p[i], 14))
			return false;
	return true;
}

static bool is_doubtful_constant(struct str text, unsigned source)
{
	char space[CONSTANT_MAX_TEXT + 1];
	struct str s = without_blanks(text, space);

	return is_transformer(s) || is_field(s, source);
}

bool check_is_doubtful(const struct ast *check, const struct leaf *l)
{
	if (l->left->flags & FF_DEPRECATED || (l->right && l->right->flags & FF_DEPRECATED))
		return true;
	for (uint32_t i = 0; i < check->n_values; i++)
		if (is_doubtful_constant(check->values[i], check->left->source) ||
		    (check->op == OP_REGEX && is_simple_regex(check->values[i])))
			return true;
	return false;
}

static void warn_deprecated(const struct extractor *x, struct position at, struct warnings *w)
{
	if (str_starts(x->text, STR("evt.dir")))
		warn(w, at, true,
		     "due to the drop of enter events, 'evt.dir = <' always evaluates to true, and "
		     "'evt.dir = >' always evaluates to false. The rule expression can be "
		     "simplified "
		     "by removing the condition on 'evt.dir'");
	else
		warn(w, at, true, "field '%.*s' is deprecated", STR_ARG(x->text));
}

static void warn_constant(const struct ast *check, struct str text, struct position at,
			  struct warnings *w)
{
	char space[CONSTANT_MAX_TEXT + 1];
	struct str s = without_blanks(text, space);

	if (is_field(s, check->left->source))
		warn(w, at, false, "'%.*s' may be a valid field misused as a const string value",
		     STR_ARG(text));
	if (is_transformer(s))
		warn(w, at, false,
		     "'%.*s' may be a valid field transformer misused as a const string value",
		     STR_ARG(text));
	if (check->op == OP_REGEX && is_simple_regex(text))
		warn(w, at, false,
		     "regex check with '%.*s' may be optimized with simpler operators such as '=', "
		     "'contains', 'startswith', 'endswith'",
		     STR_ARG(text));
}

void check_warn(const struct ast *check, const struct leaf *l, struct warnings *w)
{
	if (l->left->flags & FF_DEPRECATED)
		warn_deprecated(l->left, check->at, w);
	if (l->right && l->right->flags & FF_DEPRECATED)
		warn_deprecated(l->right, check->at, w);
	for (uint32_t i = 0; i < check->n_values; i++)
		warn_constant(check, check->values[i],
			      check->value_at ? check->value_at[i] : check->at, w);
}

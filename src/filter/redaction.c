/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/redaction.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "filter/regex.h"

#include <stdlib.h>

enum { TEXT_MAX = 64 << 20 };

struct redaction {
	struct regex **patterns;
	size_t n;
	struct buf blank; /* a text without its NULs */
	uint64_t count;
};

int redaction_new(const struct str *patterns, size_t n, struct redaction **ret, struct err *e)
{
	struct redaction *r = xcalloc(1, sizeof(*r));

	r->patterns = xcalloc(n + 1, sizeof(struct regex *));
	buf_init(&r->blank, TEXT_MAX);
	for (; r->n < n; r->n++) {
		struct str p = patterns[r->n];

		if (regex_compile_bytes(p.p, p.n, &r->patterns[r->n], e) < 0) {
			redaction_free(r);
			return err_prepend(e, "'%.*s': ", STR_ARG(p));
		}
	}
	*ret = r;
	return 0;
}

void redaction_free(struct redaction *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++)
		regex_free(r->patterns[i]);
	free(r->patterns);
	buf_done(&r->blank);
	free(r);
}

/* With blanks for NULs; the text itself where it has none. */
static const char *without_nuls(struct redaction *r, const char *text, size_t n)
{
	if (!n || !memchr(text, '\0', n))
		return text;
	buf_reset(&r->blank);
	buf_add(&r->blank, text, n);
	for (size_t i = 0; i < r->blank.n; i++)
		if (!r->blank.p[i])
			r->blank.p[i] = ' ';
	return r->blank.p;
}

static void overwrite(char *text, size_t begin, size_t end)
{
	for (; begin < end; begin++)
		if (text[begin])
			text[begin] = '*';
}

static bool apply_one(struct redaction *r, const struct regex *p, char *text, size_t n)
{
	const char *found_in = without_nuls(r, text, n);
	size_t at = 0, begin, end, next;
	bool any = false;

	while (at <= n && regex_search(p, found_in, n, at, &begin, &end, &next)) {
		if (end > begin) {
			overwrite(text, begin, end);
			r->count++;
			any = true;
		}
		at = next > at ? next : at + 1;
	}
	return any;
}

bool redaction_apply(struct redaction *r, char *text, size_t n)
{
	bool any = false;

	for (size_t i = 0; r && i < r->n; i++)
		any |= apply_one(r, r->patterns[i], text, n);
	return any;
}

static bool has_any(struct redaction *r, struct str s)
{
	const char *text = without_nuls(r, s.p, s.n);
	size_t begin, end, next;

	for (size_t i = 0; i < r->n; i++)
		if (regex_search(r->patterns[i], text, s.n, 0, &begin, &end, &next))
			return true;
	return false;
}

struct str redaction_text(struct redaction *r, struct str s, struct arena *a)
{
	char *copy;

	if (!r || !s.n || s.n > TEXT_MAX || !has_any(r, s))
		return s;
	copy = arena_alloc(a, s.n + 1);
	memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	redaction_apply(r, copy, s.n);
	return (struct str){copy, s.n};
}

static struct str redact_named(struct redaction *r, struct str name, struct str s, struct arena *a)
{
	struct str whole = arena_printf(a, "%.*s=%.*s", STR_ARG(name), STR_ARG(s));

	return str_from(redaction_text(r, whole, a), name.n + 1);
}

static void redact_item(struct redaction *r, struct value *v, enum param_type t, struct str name,
			struct arena *a)
{
	if (!type_has_text(t) || type_is_ip(t) || type_is_ipnet(t) || !v->s.n)
		return;
	v->s = redaction_text(r, v->s, a);
	if (name.n && !memchr(v->s.p, '\0', v->s.n))
		v->s = redact_named(r, name, v->s, a);
}

void redaction_value(struct redaction *r, struct value *v, enum param_type t, struct str name,
		     struct arena *a)
{
	struct value *items;

	if (!r)
		return;
	if (!v->is_list) {
		redact_item(r, v, v->type ? (enum param_type)v->type : t, name, a);
		return;
	}
	items = arena_alloc(a, v->n_items * sizeof(*items));
	memcpy(items, v->items, v->n_items * sizeof(*items));
	for (uint32_t i = 0; i < v->n_items; i++)
		redact_item(r, &items[i], t, name, a);
	v->items = items;
}

uint64_t redaction_count(const struct redaction *r)
{
	return r ? r->count : 0;
}

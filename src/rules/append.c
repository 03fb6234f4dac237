/* SPDX-License-Identifier: Apache-2.0 */
/* What a configuration has put behind outputs, and beside them. */
#include "rules/compiler.h"

#include <errno.h>

static bool applies(const struct append_output *a, const struct rule *r)
{
	bool all = (!a->source.n || str_eq(a->source, r->source)) &&
		   (!a->rule.n || str_eq(a->rule, r->name));

	for (size_t i = 0; i < a->n_tags && all; i++)
		all = rule_has_tag(r, a->tags[i]);
	return all;
}

bool append_suggests(const struct compiler *c, unsigned source, const struct rule *r)
{
	bool suggests = c->cfg->suggested_output;

	for (size_t i = 0; i < c->cfg->n_appends && !suggests; i++)
		suggests = c->cfg->appends[i].suggested && applies(&c->cfg->appends[i], r);
	return suggests && c->suggested[source].n;
}

void append_put(struct compiler *c, unsigned source, const struct rule *r)
{
	for (size_t i = 0; i < c->cfg->n_appends; i++) {
		const struct append_output *a = &c->cfg->appends[i];

		if (!a->text.n || !applies(a, r))
			continue;
		buf_addc(&c->message, ' ');
		buf_adds(&c->message, a->text);
	}
	if (append_suggests(c, source, r))
		buf_adds(&c->message, c->suggested[source]);
}

static bool has_token(const struct rule *r, struct str text)
{
	for (size_t i = 0; i < r->n_tokens; i++)
		if (str_eq(r->tokens[i].text, text))
			return true;
	return false;
}

/* The value of one field is a token like those of the message. */
static int add_field(struct compiler *c, unsigned source, struct rule *r,
		     const struct append_field *f, struct err *e)
{
	struct arena *a = &c->set->arena;
	const struct message_token *tokens;
	struct message *m;
	size_t n;

	buf_reset(&c->text);
	buf_addc(&c->text, '%');
	buf_adds(&c->text, f->name);
	if (message_compile(buf_str(&c->text), c->fields[source], a, &m, NULL, e) < 0)
		return -EINVAL;
	tokens = message_tokens(m, &n);
	if (n != 1 || !str_eq(tokens[0].text, f->name))
		return err_set(e, -EINVAL, "extra field '%.*s' is not the name of one field",
			       STR_ARG(f->name));
	if (!has_token(r, f->name))
		r->tokens[r->n_tokens++] = tokens[0];
	return 0;
}

static int add_extra(struct compiler *c, unsigned source, struct rule *r,
		     const struct append_field *f, struct err *e)
{
	struct rule_extra *x = &r->extras[r->n_extras];

	if (!f->format.n)
		return add_field(c, source, r, f, e);
	x->name = arena_str(&c->set->arena, f->name);
	if (message_compile(f->format, c->fields[source], &c->set->arena, &x->message, NULL, e) < 0)
		return err_prepend(e, "extra field '%.*s': ", STR_ARG(f->name));
	r->n_extras++;
	return 0;
}

/* A name that is given twice has what was said last. */
static void drop_same_extras(struct rule *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_extras; i++) {
		size_t k = i + 1;

		while (k < r->n_extras && !str_eq(r->extras[i].name, r->extras[k].name))
			k++;
		if (k == r->n_extras)
			r->extras[n++] = r->extras[i];
	}
	r->n_extras = n;
}

size_t append_count_fields(const struct loader_config *cfg)
{
	size_t n = 0;

	for (size_t i = 0; i < cfg->n_appends; i++)
		n += cfg->appends[i].n_fields;
	return n;
}

int append_fields(struct compiler *c, unsigned source, struct rule *r, struct err *e)
{
	size_t n = append_count_fields(c->cfg);

	r->extras = arena_alloc(&c->set->arena, n * sizeof(*r->extras));
	for (size_t i = 0; i < c->cfg->n_appends; i++) {
		const struct append_output *a = &c->cfg->appends[i];

		for (size_t k = 0; k < a->n_fields && applies(a, r); k++)
			if (add_extra(c, source, r, &a->fields[k], e) < 0)
				return -EINVAL;
	}
	drop_same_extras(r);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/definitions.h"

#include "base/alloc.h"
#include "field/eventsource.h"

#include <errno.h>
#include <stdlib.h>

#define FEW_EXCEPTIONS 16 /* up to here a linear search is fine */

void *arena_grow(struct arena *a, void *p, size_t *cap, size_t n, size_t item_size)
{
	void *bigger;

	if (n <= *cap)
		return p;
	*cap = *cap * 2 > n ? *cap * 2 : n;
	bigger = arena_alloc(a, *cap * item_size);
	/* The caller holds n - 1 items at the most, and all of them count. */
	if (p)
		memcpy(bigger, p, (n - 1) * item_size);
	return bigger;
}

void growing_append(struct growing *g, struct arena *a, struct str more)
{
	size_t n = g->s.n + 1 + more.n;
	char *p = (char *)g->s.p;

	if (n > g->cap) {
		g->cap = 2 * n;
		p = arena_alloc(a, g->cap);
		memcpy(p, g->s.p, g->s.n);
	}
	p[g->s.n] = ' ';
	memcpy(p + g->s.n + 1, more.p, more.n);
	g->s = (struct str){p, n};
}

void definitions_init(struct definitions *d, struct arena *a)
{
	*d = (struct definitions){.arena = a};
}

void definitions_done(struct definitions *d)
{
	for (size_t i = 0; i < d->n_rules; i++)
		strmap_done(&d->rules[i].exception_names);
	strmap_done(&d->list_names);
	strmap_done(&d->macro_names);
	strmap_done(&d->rule_names);
	free(d->lists);
	free(d->macros);
	free(d->rules);
}

struct list_def *definitions_list(const struct definitions *d, struct str name)
{
	uint32_t i;

	return strmap_get(&d->list_names, name, &i) ? &d->lists[i] : NULL;
}

struct macro_def *definitions_macro(const struct definitions *d, struct str name)
{
	uint32_t i;

	return strmap_get(&d->macro_names, name, &i) ? &d->macros[i] : NULL;
}

struct rule_def *definitions_rule(const struct definitions *d, struct str name)
{
	uint32_t i;

	return strmap_get(&d->rule_names, name, &i) ? &d->rules[i] : NULL;
}

/*
 * What an item changes does not exist.  Once the file has errors that may be only because the
 * item that defines it is one of them, so nothing more is said.
 */
static int no_previous(struct verdict *v, const struct place *at, const char *message)
{
	if (!v->n_errors)
		verdict_add(v, ISSUE_VALIDATE, at, "%s", message);
	return -EINVAL;
}

static struct history fresh(struct definitions *d)
{
	uint32_t now = d->n_items++;

	return (struct history){now, now};
}

int list_define(struct definitions *d, const struct list_def *l)
{
	struct list_def *old = definitions_list(d, l->name);
	struct history h = fresh(d);

	if (old) {
		h.defined = old->history.defined;
	} else {
		if (d->n_lists == d->cap_lists)
			d->lists = xgrow(d->lists, &d->cap_lists, d->n_lists + 1, sizeof(*l));
		strmap_put(&d->list_names, l->name, (uint32_t)d->n_lists);
		old = &d->lists[d->n_lists++];
	}
	*old = *l;
	old->history = h;
	return 0;
}

int list_append(struct definitions *d, const struct list_def *l, struct verdict *v)
{
	struct list_def *old = definitions_list(d, l->name);

	if (!old)
		return no_previous(v, l->at,
				   "List uses 'append' or 'override.items: append' but no list by "
				   "that name already exists");
	for (size_t i = 0; i < l->n; i++) {
		old->items = arena_grow(d->arena, old->items, &old->cap, old->n + 1,
					sizeof(*old->items));
		old->items[old->n++] = l->items[i];
	}
	old->history.changed = d->n_items++;
	return 0;
}

int macro_define(struct definitions *d, const struct macro_def *m)
{
	struct macro_def *old = definitions_macro(d, m->name);
	struct history h = fresh(d);

	if (old) {
		h.defined = old->history.defined;
	} else {
		if (d->n_macros == d->cap_macros)
			d->macros = xgrow(d->macros, &d->cap_macros, d->n_macros + 1, sizeof(*m));
		strmap_put(&d->macro_names, m->name, (uint32_t)d->n_macros);
		old = &d->macros[d->n_macros++];
	}
	*old = *m;
	old->history = h;
	return 0;
}

int macro_append(struct definitions *d, const struct macro_def *m, struct verdict *v)
{
	struct macro_def *old = definitions_macro(d, m->name);

	if (!old)
		return no_previous(v, m->at,
				   "Macro uses 'append' or 'override.condition: append' but no "
				   "macro by that name already exists");
	growing_append(&old->condition, d->arena, m->condition.s);
	old->history.changed = d->n_items++;
	return 0;
}

static int check_exceptions(const struct rule_def *r, unsigned source, struct verdict *v)
{
	for (size_t i = 0; i < r->n_exceptions; i++)
		if (exception_check(&r->exceptions[i], source, v))
			return -EINVAL;
	return 0;
}

/* The source is known or the rule will be left out, and its exceptions are in order. */
static int check_rule(struct rule_def *r, struct verdict *v)
{
	int source = event_source_find(r->source);

	r->unknown_source = source < 0;
	r->source_number = r->unknown_source ? SOURCE_SYSCALL : (uint8_t)source;
	if (!r->unknown_source)
		return check_exceptions(r, r->source_number, v);
	verdict_add(v, ISSUE_UNKNOWN_SOURCE, r->at, "Unknown source %.*s, skipping",
		    STR_ARG(r->source));
	return 0;
}

int rule_define(struct definitions *d, const struct rule_def *r, struct verdict *v)
{
	struct rule_def *old = definitions_rule(d, r->name), new = *r;
	struct history h = fresh(d);

	if (old && !(new.keys &KEY_SOURCE))
		new.source = old->source;
	if (old && !str_eq(new.source, old->source))
		return verdict_add(v, ISSUE_VALIDATE, r->at,
				   "Rule has been re-defined with a different source");
	if (check_rule(&new, v))
		return -EINVAL;
	if (old) {
		h.defined = old->history.defined;
		strmap_done(&old->exception_names);
	} else {
		if (d->n_rules == d->cap_rules)
			d->rules = xgrow(d->rules, &d->cap_rules, d->n_rules + 1, sizeof(*r));
		strmap_put(&d->rule_names, r->name, (uint32_t)d->n_rules);
		old = &d->rules[d->n_rules++];
	}
	*old = new;
	old->history = h;
	return 0;
}

/* Of several with one name the first counts. */
static void index_exceptions(struct rule_def *r)
{
	uint32_t at;

	for (size_t i = 0; i < r->n_exceptions; i++)
		if (!strmap_get(&r->exception_names, r->exceptions[i].name, &at))
			strmap_put(&r->exception_names, r->exceptions[i].name, (uint32_t)i);
}

static struct exception_def *exception_find(struct rule_def *r, struct str name)
{
	uint32_t at;

	if (r->n_exceptions > FEW_EXCEPTIONS) {
		if (!r->exception_names.n)
			index_exceptions(r);
		return strmap_get(&r->exception_names, name, &at) ? &r->exceptions[at] : NULL;
	}
	for (size_t i = 0; i < r->n_exceptions; i++)
		if (str_eq(r->exceptions[i].name, name))
			return &r->exceptions[i];
	return NULL;
}

static int exception_add(struct definitions *d, struct rule_def *r, const struct exception_def *x,
			 struct verdict *v)
{
	if (!x->fields)
		return verdict_add(
			v, ISSUE_VALIDATE, x->at,
			"Rule exception must have fields property with a list of fields");
	if (!x->n_values)
		return verdict_add(
			v, ISSUE_VALIDATE, x->at,
			"Rule exception must have values property with a list of values");
	if (!r->unknown_source && exception_check(x, r->source_number, v))
		return -EINVAL;
	r->exceptions = arena_grow(d->arena, r->exceptions, &r->cap_exceptions, r->n_exceptions + 1,
				   sizeof(*x));
	r->exceptions[r->n_exceptions] = *x;
	if (r->exception_names.n)
		strmap_put(&r->exception_names, x->name, (uint32_t)r->n_exceptions);
	r->n_exceptions++;
	return 0;
}

static int exception_append(struct definitions *d, struct rule_def *r,
			    const struct exception_def *x, struct verdict *v)
{
	struct exception_def *old = exception_find(r, x->name);

	if (!old)
		return exception_add(d, r, x, v);
	if (x->fields || x->comps)
		return verdict_add(v, ISSUE_VALIDATE, x->at,
				   "Can not append exception %s to existing exception, only values",
				   x->fields ? "fields" : "comps");
	for (size_t i = 0; i < x->n_values; i++) {
		old->values = arena_grow(d->arena, old->values, &old->cap, old->n_values + 1,
					 sizeof(*old->values));
		old->values[old->n_values++] = x->values[i];
	}
	return 0;
}

static void append_tags(struct definitions *d, struct rule_def *old, const struct rule_def *r)
{
	for (size_t i = 0; i < r->n_tags; i++) {
		old->tags = arena_grow(d->arena, old->tags, &old->cap_tags, old->n_tags + 1,
				       sizeof(*old->tags));
		old->tags[old->n_tags++] = r->tags[i];
	}
}

int rule_append(struct definitions *d, const struct rule_def *r, struct verdict *v)
{
	struct rule_def *old = definitions_rule(d, r->name);

	if (!old)
		return no_previous(v, r->at,
				   "Rule uses 'append' or 'override.<key>: append' but no rule by "
				   "that name already exists");
	if (!r->keys)
		return verdict_add(v, ISSUE_VALIDATE, r->at,
				   "Appended rule must have exceptions or condition property");
	if (r->keys & KEY_CONDITION)
		growing_append(&old->condition, d->arena, r->condition.s);
	if (r->keys & KEY_OUTPUT)
		growing_append(&old->output, d->arena, r->output.s);
	if (r->keys & KEY_DESC)
		growing_append(&old->desc, d->arena, r->desc.s);
	append_tags(d, old, r);
	for (size_t i = 0; i < r->n_exceptions; i++)
		if (exception_append(d, old, &r->exceptions[i], v))
			return -EINVAL;
	old->history.changed = d->n_items++;
	return 0;
}

/* A message about a condition should point at the item that it came from last. */
static void replace_texts(struct rule_def *old, const struct rule_def *r)
{
	if (r->keys & KEY_CONDITION) {
		old->condition = r->condition;
		old->condition_at = r->condition_at;
	}
	if (r->keys & KEY_OUTPUT) {
		old->output = r->output;
		old->output_at = r->output_at;
	}
	if (r->keys & KEY_DESC)
		old->desc = r->desc;
}

static void replace_values(struct rule_def *old, const struct rule_def *r)
{
	if (r->keys & KEY_PRIORITY)
		old->priority = r->priority;
	if (r->keys & KEY_ENABLED)
		old->enabled = r->enabled;
	if (r->keys & KEY_WARN_EVTTYPES)
		old->warn_evttypes = r->warn_evttypes;
	if (r->keys & KEY_SKIP_UNKNOWN)
		old->skip_unknown = r->skip_unknown;
	if (r->keys & KEY_CAPTURE)
		old->capture = r->capture;
	if (r->keys & KEY_CAPTURE_DURATION)
		old->capture_duration_ms = r->capture_duration_ms;
	if (r->keys & KEY_TAGS) {
		old->tags = r->tags;
		old->n_tags = r->n_tags;
		old->cap_tags = r->cap_tags;
	}
}

int rule_replace(struct definitions *d, const struct rule_def *r, struct verdict *v)
{
	struct rule_def *old = definitions_rule(d, r->name);

	if (!old)
		return no_previous(v, r->at,
				   "An 'override.<key>: replace' to a rule was requested but no "
				   "rule by that name already exists");
	if ((r->keys & KEY_EXCEPTIONS) && !old->unknown_source &&
	    check_exceptions(r, old->source_number, v))
		return -EINVAL;
	replace_texts(old, r);
	replace_values(old, r);
	if (r->keys & KEY_EXCEPTIONS) {
		strmap_done(&old->exception_names);
		old->exceptions = r->exceptions;
		old->n_exceptions = r->n_exceptions;
		old->cap_exceptions = r->cap_exceptions;
	}
	old->history.changed = d->n_items++;
	return 0;
}

int rule_enable(struct definitions *d, const struct rule_def *r, struct verdict *v)
{
	struct rule_def *old = definitions_rule(d, r->name);

	if (!old)
		return no_previous(
			v, r->at, "Rule has 'enabled' key but no rule by that name already exists");
	old->enabled = r->enabled;
	d->n_items++;
	return 0;
}

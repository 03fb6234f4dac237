/* SPDX-License-Identifier: Apache-2.0 */
#include "app/describe.h"

#include "app/types.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/strmap.h"

#include <stdlib.h>

enum { DEPTH_MAX = 1000 };

/* Distinct texts. */
struct names {
	struct str *list;
	size_t n, cap;
};

/* What a condition mentions itself, not through its macros. */
struct mentions {
	struct names macros, lists, fields, operators;
	struct strmap known_macros, known_lists;
	struct arena arena; /* the tree */
};

static void names_add(struct names *names, struct str one)
{
	for (size_t i = 0; i < names->n; i++) {
		if (str_eq(names->list[i], one))
			return;
	}
	names->list = xgrow(names->list, &names->cap, names->n + 1, sizeof(*names->list));
	names->list[names->n++] = one;
}

static void mention_known(struct names *names, const struct strmap *known, struct str name)
{
	uint32_t unused;

	if (strmap_get(known, name, &unused))
		names_add(names, name);
}

static void walk_operand(struct mentions *m, const struct operand *o)
{
	if (o->kind == OPERAND_FIELD)
		names_add(&m->fields, o->text);
	for (uint32_t i = 0; i < o->n_args; i++)
		walk_operand(m, o->args[i]);
}

static void walk(struct mentions *m, const struct ast *t)
{
	for (uint32_t i = 0; i < t->n_children; i++)
		walk(m, t->children[i]);
	if (t->kind == AST_MACRO)
		mention_known(&m->macros, &m->known_macros, t->macro);
	if (t->kind != AST_CHECK)
		return;
	walk_operand(m, t->left);
	names_add(&m->operators, str_of(operator_text(t->op)));
	if (t->right)
		walk_operand(m, t->right);
	for (uint32_t i = 0; i < t->n_values; i++)
		mention_known(&m->lists, &m->known_lists, t->values[i]);
}

static void mentions_init(struct mentions *m, const struct ruleset *set, struct str condition)
{
	struct position at;
	struct ast *t;

	*m = (struct mentions){.known_macros = STRMAP_EMPTY, .known_lists = STRMAP_EMPTY};
	for (size_t i = 0; i < set->n_macros; i++)
		strmap_put(&m->known_macros, set->macros[i].name, 0);
	for (size_t i = 0; i < set->n_lists; i++)
		strmap_put(&m->known_lists, set->lists[i].name, 0);
	arena_init(&m->arena, 0);
	/* It may be right only with its lists in place: then nothing is known of it. */
	if (ast_parse(condition, DEPTH_MAX, &m->arena, &t, &at, NULL) == 0)
		walk(m, t);
}

static void mentions_done(struct mentions *m)
{
	free(m->macros.list);
	free(m->lists.list);
	free(m->fields.list);
	free(m->operators.list);
	strmap_done(&m->known_macros);
	strmap_done(&m->known_lists);
	arena_done(&m->arena);
}

/* ---- members ---- */

static void add_name(const char *name, struct buf *out)
{
	char last = out->n ? out->p[out->n - 1] : '{';

	buf_addf(out, "%s\"%s\":", last == '{' ? "" : ",", name);
}

static void add_text(const char *name, struct str text, struct buf *out)
{
	add_name(name, out);
	json_add_string(out, text);
}

static void add_bool(const char *name, bool v, struct buf *out)
{
	add_name(name, out);
	json_add_bool(out, v);
}

static void add_texts(const char *name, const struct str *list, size_t n, struct buf *out)
{
	add_name(name, out);
	buf_addc(out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addc(out, ',');
		json_add_string(out, list[i]);
	}
	buf_addc(out, ']');
}

static int by_text(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void add_sorted(const char *name, struct str *list, size_t n, struct buf *out)
{
	if (n)
		qsort(list, n, sizeof(*list), by_text);
	add_texts(name, list, n, out);
}

static void add_distinct(const char *name, const struct str *list, size_t n, struct buf *out)
{
	struct names names = {.list = NULL};

	for (size_t i = 0; i < n; i++)
		names_add(&names, list[i]);
	add_sorted(name, names.list, names.n, out);
	free(names.list);
}

static void add_condition(const struct ruleset *set, struct str condition,
			  const struct event_set *events, struct buf *out)
{
	struct mentions m;
	struct str *types;
	size_t n = event_types(events, &types);

	mentions_init(&m, set, condition);
	add_sorted("macros", m.macros.list, m.macros.n, out);
	add_sorted("lists", m.lists.list, m.lists.n, out);
	add_sorted("condition_operators", m.operators.list, m.operators.n, out);
	add_sorted("condition_fields", m.fields.list, m.fields.n, out);
	add_sorted("events", types, n, out);
	mentions_done(&m);
	free(types);
}

static void add_output_fields(const struct rule *r, struct buf *out)
{
	struct names names = {.list = NULL};
	const struct message_token *tokens = NULL;
	struct message *m;
	struct arena a;
	size_t n = 0;

	arena_init(&a, 0);
	if (message_compile(r->output, NULL, &a, &m, NULL, NULL) == 0)
		tokens = message_tokens(m, &n);
	for (size_t i = 0; i < n; i++)
		names_add(&names, tokens[i].text);
	add_sorted("output_fields", names.list, names.n, out);
	free(names.list);
	arena_done(&a);
}

void describe_rule(const struct ruleset *set, const struct rule *r, struct buf *out)
{
	const struct rule_details *d = r->details;

	buf_addz(out, "{\"info\":{");
	add_text("name", r->name, out);
	add_text("condition", r->condition, out);
	add_text("priority", str_of(priority_text(r->priority)), out);
	add_text("output", r->output, out);
	add_text("description", r->desc, out);
	add_bool("enabled", r->enabled, out);
	add_text("source", r->source, out);
	add_bool("capture", r->capture, out);
	buf_addf(out, ",\"capture_duration\":%u", r->capture_duration_ms);
	add_texts("tags", r->tags, r->n_tags, out);
	buf_addz(out, "},\"details\":{");
	add_condition(set, r->condition, &r->events, out);
	add_output_fields(r, out);
	add_distinct("exception_names", d->exception_names.list, d->exception_names.n, out);
	add_distinct("exception_fields", d->exception_fields.list, d->exception_fields.n, out);
	add_distinct("exception_operators", d->exception_operators.list, d->exception_operators.n,
		     out);
	add_text("condition_compiled", d->condition_compiled, out);
	add_text("output_compiled", d->output_compiled, out);
	buf_addz(out, ",\"plugins\":[]}}");
}

void describe_macro(const struct ruleset *set, const struct macro_info *m, struct buf *out)
{
	buf_addz(out, "{\"info\":{");
	add_text("name", m->name, out);
	add_text("condition", m->condition, out);
	buf_addz(out, "},\"details\":{");
	add_bool("used", m->used, out);
	add_condition(set, m->condition, &m->events, out);
	add_text("condition_compiled", m->condition_compiled, out);
	buf_addz(out, ",\"plugins\":[]}}");
}

void describe_list(const struct ruleset *set, const struct list_info *l, struct buf *out)
{
	struct names lists = {.list = NULL};

	for (size_t i = 0; i < l->n_items; i++)
		for (size_t k = 0; k < set->n_lists; k++)
			if (str_eq(set->lists[k].name, l->items[i]))
				names_add(&lists, l->items[i]);
	buf_addz(out, "{\"info\":{");
	add_text("name", l->name, out);
	add_texts("items", l->items, l->n_items, out);
	buf_addz(out, "},\"details\":{");
	add_bool("used", l->used, out);
	add_sorted("lists", lists.list, lists.n, out);
	add_texts("items_compiled", l->compiled, l->n_compiled, out);
	buf_addz(out, ",\"plugins\":[]}}");
	free(lists.list);
}

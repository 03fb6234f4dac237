/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of conditions into trees, and macros into those. */
#include "rules/compiler.h"

#include "base/alloc.h"

#include <errno.h>

#define MAX_DEPTH 1000 /* of brackets in a condition */
#define MAX_AHEAD 32   /* macros that use later ones that use later ones ... */

/* A place in what is in c->text. */
struct place *compiler_place(struct compiler *c, const struct place *up, const struct position *at)
{
	return place_in_condition(c->d->arena, up, &c->shown, at);
}

int compiler_complain(struct compiler *c, enum issue_code code, const struct place *up,
		      const struct position *at, const struct err *e)
{
	return verdict_adds(c->v, code,
			    verdict_has_room(c->v, code) ? compiler_place(c, up, at) : NULL,
			    str_of(e->msg));
}

/* A condition with its lists in place, into c->text. */
int compiler_put_lists(struct compiler *c, struct str condition)
{
	int r = substitution_apply(c->lists, condition, &c->text);

	c->shown = (struct shown_condition){.text = buf_str(&c->text)};
	return r;
}

/* Condition text into c->text, and from there into a tree. */
int compiler_parse(struct compiler *c, struct str condition, const struct place *at,
		   struct arena *a, struct ast **ret)
{
	struct position where;
	struct err e = {0};

	if (compiler_put_lists(c, condition))
		return verdict_add(c->v, ISSUE_COMPILE_CONDITION, at,
				   "condition is too long with its lists in place");
	if (ast_parse(buf_str(&c->text), MAX_DEPTH, a, ret, &where, &e))
		return compiler_complain(c, ISSUE_COMPILE_CONDITION, at, &where, &e);
	return 0;
}

static void resolve_macro(struct compiler *c, size_t i);

/* The macro's tree, for ast_expand(). */
static const struct ast *find_macro(struct str name, void *arg)
{
	struct compiler *c = arg;
	const struct macro_def *def = definitions_macro(c->d, name);
	struct macro *m;

	if (!def || def->history.defined >= c->visible)
		return NULL;
	m = &c->macros[def - c->d->macros];
	m->used = true;
	if (m->state == MACRO_PARSED && c->depth < MAX_AHEAD)
		resolve_macro(c, (size_t)(m - c->macros));
	if (m->state == MACRO_DONE || m->state == MACRO_BAD)
		return m->tree;
	c->stopped_at = name;
	c->is_loop = m->state == MACRO_BUSY;
	return NULL;
}

/*
 * Put the macros into a tree.  `visible`: only those that were defined before this item.
 * condition: what c->text must hold for the message of an error; it stands at condition_at.
 */
int compiler_resolve(struct compiler *c, struct ast **t, uint32_t visible, struct str condition,
		     const struct place *at, const struct place *condition_at, struct arena *a)
{
	struct place *p = NULL;
	uint32_t outer = c->visible;
	struct position where;
	struct err e = {0};
	int rc;

	c->visible = visible;
	c->depth++;
	rc = ast_expand(t, a, find_macro, c, &where, &e);
	c->depth--;
	c->visible = outer;
	if (!rc)
		return 0;
	compiler_put_lists(c, condition);
	if (c->stopped_at.n)
		err_set(&e, -EINVAL,
			c->is_loop ? "reference loop in macro '%.*s'"
				   : "too many macros use later ones, down to '%.*s'",
			STR_ARG(c->stopped_at));
	c->stopped_at = STR_EMPTY;
	if (verdict_has_room(c->v, ISSUE_VALIDATE)) {
		p = compiler_place(c, at, &where);
		p->shown = compiler_place(c, condition_at, &where);
	}
	return verdict_adds(c->v, ISSUE_VALIDATE, p, str_of(e.msg));
}

/* What stands for a macro with an error, so that it is told only once. */
static struct ast *stand_in(struct compiler *c)
{
	struct position where;
	struct ast *t = NULL;

	ast_parse(STR("evt.num exists"), MAX_DEPTH, &c->trees, &t, &where, NULL);
	ast_expand(&t, &c->trees, find_macro, c, &where, NULL);
	return t;
}

static void resolve_macro(struct compiler *c, size_t i)
{
	const struct macro_def *def = &c->d->macros[i];
	struct macro *m = &c->macros[i];

	m->state = MACRO_BUSY;
	if (compiler_resolve(c, &m->tree, def->history.changed, def->condition.s, def->at,
			     def->condition_at, &c->trees)) {
		m->tree = stand_in(c);
		m->state = MACRO_BAD;
		return;
	}
	m->state = MACRO_DONE;
}

void compiler_add_macros(struct compiler *c)
{
	size_t n = c->d->n_macros;

	c->macros = xcalloc(n + 1, sizeof(*c->macros));
	for (size_t i = 0; i < n; i++) {
		const struct macro_def *def = &c->d->macros[i];

		if (compiler_parse(c, def->condition.s, def->condition_at, &c->trees,
				   &c->macros[i].tree)) {
			c->macros[i].tree = stand_in(c);
			c->macros[i].state = MACRO_BAD;
		}
	}
	for (size_t i = 0; i < n; i++)
		if (c->macros[i].state == MACRO_PARSED)
			resolve_macro(c, i);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Which macro a message about a condition is due to. */
#include "rules/compiler.h"

#include <stdlib.h>

#define MAX_BLAMED 10000 /* nodes and constants of one whose macros are searched for an error */

/* Does the tree give this error or warning? */
static bool gives(struct compiler *c, const struct ast *t, struct str text)
{
	struct arena texts;
	struct warnings w = {.arena = &texts};
	struct position where;
	struct err e = {0};
	bool found;

	arena_init(&texts, 0);
	found = program_add(c->idle, t, NULL, &w, &where, &e) < 0 && str_is(text, e.msg);
	for (size_t i = 0; i < w.n && !found; i++)
		found = str_eq(w.list[i].text, text);
	free(w.list);
	arena_done(&texts);
	return found;
}

/* The innermost macro in the tree that gives the message all by itself, or NULL. */
static const struct ast *blame(struct compiler *c, const struct ast *t, struct str text)
{
	const struct ast *inner = NULL;

	if (t->macro.n && !gives(c, t, text))
		return NULL;
	for (uint32_t i = 0; i < t->n_children && !inner; i++)
		inner = blame(c, t->children[i], text);
	return inner ? inner : t->macro.n ? t : NULL;
}

/* Nodes and constants; past MAX_BLAMED it does not matter how many. */
static uint32_t weight(const struct ast *t)
{
	uint32_t n = 1 + t->n_values;

	for (uint32_t i = 0; i < t->n_children && n <= MAX_BLAMED; i++)
		n += weight(t->children[i]);
	return n;
}

/* A macro's condition with its lists in place; the text of the last one is still there. */
static void show_macro(struct compiler *c, const struct macro_def *def, struct shown_condition *ret)
{
	if (c->in_macro_text != def)
		substitution_apply(c->lists, def->condition.s, &c->macro_text);
	c->in_macro_text = def;
	ret->text = buf_str(&c->macro_text);
	ret->copy = c->macros[def - c->d->macros].shown;
}

/*
 * Where in a rule's condition a message belongs.  Positions count in the text that the node
 * was parsed from, and that may be a macro's.
 */
const struct place *compiler_blame(struct compiler *c, const struct rule_def *def,
				   const struct ast *t, const struct position *at, struct str text)
{
	const struct ast *m = weight(t) <= MAX_BLAMED ? blame(c, t, text) : NULL;
	const struct macro_def *macro = m ? definitions_macro(c->d, m->macro) : NULL;
	struct shown_condition shown;
	struct place *p;

	if (!macro)
		return compiler_place(c, def->condition_at, at);
	show_macro(c, macro, &shown);
	p = place_in_condition(c->d->arena, def->condition_at, &shown, at);
	p->shown = place_in_condition(c->d->arena, macro->condition_at, &shown, at);
	c->macros[macro - c->d->macros].shown = shown.copy;
	return p;
}

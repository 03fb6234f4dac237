/* SPDX-License-Identifier: Apache-2.0 */
#include "app/condition.h"

#include "app/report.h"
#include "app/rulefiles.h"

enum { CONDITION_DEPTH = 100 };

static const struct ast *no_macros(struct str name, void *arg)
{
	return NULL;
}

static bool add_alone(struct program *into, struct str text)
{
	struct position at = {0, 1, 1};
	struct err e = {0};
	struct arena a;
	struct ast *tree;

	arena_init(&a, 0);
	if (ast_parse(text, CONDITION_DEPTH, &a, &tree, &at, &e) < 0 ||
	    ast_expand(&tree, &a, no_macros, NULL, &at, &e) < 0 ||
	    program_add(into, tree, NULL, NULL, &at, &e) < 0)
		report_at("filter", text, at, &e);
	arena_done(&a);
	return !e.code;
}

struct program *condition_compile(struct str text, const struct option_texts *rules)
{
	struct program *p = program_new();

	if (rules->n ? rulefiles_condition(rules, text, p) : add_alone(p, text)) {
		program_seal(p);
		return p;
	}
	program_free(p);
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "app/condition.h"

#include "app/report.h"
#include "app/rulefiles.h"
#include "field/eventsource.h"

enum { CONDITION_DEPTH = 100 };

static const struct ast *no_macros(struct str name, void *arg)
{
	return NULL;
}

/* Of events of this source. */
static bool add_alone(struct program *into, struct str text, unsigned source, bool tell)
{
	struct position at = {0, 1, 1};
	struct err e = {0};
	struct arena a;
	struct ast *tree;
	int r;

	arena_init(&a, 0);
	r = ast_parse(text, CONDITION_DEPTH, &a, &tree, &at, &e);
	if (!r)
		r = ast_expand(&tree, &a, no_macros, NULL, &at, &e);
	if (!r) {
		ast_set_source(tree, source);
		r = program_add(into, tree, NULL, NULL, &at, &e);
	}
	if (r < 0 && tell)
		report_at("filter", text, at, &e);
	arena_done(&a);
	return r >= 0;
}

static bool compiles(struct str text, unsigned source)
{
	struct program *p = program_new();
	bool ok = add_alone(p, text, source, false);

	program_free(p);
	return ok;
}

/* Of the events of every source that has all of its fields. */
static bool add_to_all(struct program *into, struct str text)
{
	bool any = false;

	for (unsigned i = SOURCE_SYSCALL + 1; i < event_source_count(); i++)
		any |= compiles(text, i) && add_alone(into, text, i, true);
	if (any && !compiles(text, SOURCE_SYSCALL))
		return true;
	return add_alone(into, text, SOURCE_SYSCALL, true);
}

struct program *condition_compile(struct str text, const struct option_texts *rules)
{
	struct program *p = program_new();

	if (rules->n ? rulefiles_condition(rules, text, p) : add_to_all(p, text)) {
		program_seal(p);
		return p;
	}
	program_free(p);
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/verdict.h"

#include <errno.h>
#include <stdio.h>

static const struct {
	const char *code, *meaning;
	bool is_error;
} issues[ISSUE_COUNT] = {
#define ISSUE(id, code_, is_error_, meaning_)                                                      \
	[ISSUE_##id] = {.code = code_, .meaning = meaning_, .is_error = is_error_},
#include "rules/issues.def"
#undef ISSUE
};

static const char *const item_types[ITEM_COUNT] = {
	[ITEM_VALUE_FOR] = "value for",
	[ITEM_EXCEPTIONS] = "exceptions",
	[ITEM_EXCEPTION] = "exception",
	[ITEM_EXCEPTION_VALUES] = "exception values",
	[ITEM_EXCEPTION_VALUE] = "exception value",
	[ITEM_RULES_CONTENT] = "rules content",
	[ITEM_RULES_CONTENT_ITEM] = "rules content item",
	[ITEM_ENGINE_VERSION] = "required_engine_version",
	[ITEM_PLUGIN_VERSIONS] = "required plugin versions",
	[ITEM_PLUGIN_VERSION_ENTRY] = "required plugin versions entry",
	[ITEM_PLUGIN_VERSION_ALTERNATIVE] = "required plugin versions alternative",
	[ITEM_LIST] = "list",
	[ITEM_LIST_ITEM] = "list item",
	[ITEM_MACRO] = "macro",
	[ITEM_MACRO_CONDITION] = "macro condition",
	[ITEM_RULE] = "rule",
	[ITEM_RULE_CONDITION] = "rule condition",
	[ITEM_CONDITION] = "condition expression",
	[ITEM_RULE_OUTPUT] = "rule output",
	[ITEM_RULE_PRIORITY] = "rule priority",
	[ITEM_OVERRIDES] = "overrides",
};

bool issue_is_error(enum issue_code code)
{
	return issues[code].is_error;
}

const char *issue_code_text(enum issue_code code)
{
	return issues[code].code;
}

const char *issue_meaning(enum issue_code code)
{
	return issues[code].meaning;
}

const char *item_type_text(enum item_type type)
{
	return item_types[type];
}

struct place *place_new(struct arena *a, const struct place *up, enum item_type type,
			struct str name, const struct yaml *y)
{
	struct place *p = arena_calloc(a, 1, sizeof(*p));

	p->up = up;
	p->file = up ? up->file : NULL;
	p->type = type;
	p->name = name;
	if (y) {
		p->at = y->at;
		p->end = y->end;
	}
	return p;
}

enum {
	BEGINNING_BYTES = 32, /* what a long condition is called by */
	AROUND_BYTES = 1024,  /* before and behind: more than is shown of a line */
};

static void cut_condition(struct place *p, struct arena *a, struct str text, uint32_t offset)
{
	uint32_t before = offset > AROUND_BYTES ? offset - AROUND_BYTES : 0;
	size_t n = (size_t)(offset - before) + AROUND_BYTES;

	p->is_cut = true;
	p->cut_before = before < text.n ? before : (uint32_t)text.n;
	p->condition = arena_str(a, str_head(str_from(text, before), n));
	p->beginning = arena_str(a, str_head(text, BEGINNING_BYTES));
}

struct place *place_in_condition(struct arena *a, const struct place *up,
				 struct shown_condition *condition, const struct position *at)
{
	struct place *p = place_new(a, up, ITEM_CONDITION, STR_EMPTY, NULL);

	if (condition->text.n > CONDITION_KEPT_BYTES) {
		cut_condition(p, a, condition->text, at->offset);
	} else {
		if (!condition->copy.p)
			condition->copy = arena_str(a, condition->text);
		p->condition = p->beginning = condition->copy;
	}
	p->at = (struct yaml_mark){at->offset, at->line, at->column};
	return p;
}

void verdict_init(struct verdict *v, struct arena *a, const struct rule_file *file)
{
	*v = (struct verdict){.arena = a, .file = file};
	v->end = v->compiled = &v->first;
	v->schema_end = &v->schema_first;
}

static struct issue *issue_new(struct verdict *v, struct str message)
{
	struct issue *i = arena_calloc(v->arena, 1, sizeof(*i));

	i->message = arena_str(v->arena, message);
	return i;
}

bool verdict_has_room(const struct verdict *v, enum issue_code code)
{
	return issues[code].is_error ? v->n_errors < VERDICT_MAX_ERRORS
				     : v->n_warnings < VERDICT_MAX_WARNINGS;
}

void verdict_count_warnings(struct verdict *v, size_t n)
{
	v->n_warnings += (unsigned)n;
}

int verdict_adds(struct verdict *v, enum issue_code code, const struct place *at,
		 struct str message)
{
	bool is_kept = verdict_has_room(v, code);

	(*(issues[code].is_error ? &v->n_errors : &v->n_warnings))++;
	if (is_kept) {
		struct issue *i = issue_new(v, message);

		i->code = code;
		i->at = at;
		*v->end = i;
		v->end = &i->next;
	}
	return -EINVAL;
}

int verdict_add(struct verdict *v, enum issue_code code, const struct place *at, const char *fmt,
		...)
{
	char text[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(text))
		n = sizeof(text) - 1;
	return verdict_adds(v, code, at, (struct str){text, n < 0 ? 0 : (size_t)n});
}

void verdict_compile(struct verdict *v, const struct verdict *earlier)
{
	v->compiled = v->end;
	for (const struct issue *i = earlier ? *earlier->compiled : NULL; i; i = i->next)
		verdict_adds(v, i->code, i->at, i->message);
}

void verdict_add_schema(struct verdict *v, const struct yaml *at, struct str message)
{
	if (v->n_schema++ < VERDICT_MAX_WARNINGS) {
		struct issue *i = issue_new(v, message);
		struct place *p = place_new(v->arena, NULL, ITEM_RULES_CONTENT, STR_EMPTY, at);

		p->file = v->file;
		i->at = p;
		*v->schema_end = i;
		v->schema_end = &i->next;
	}
}

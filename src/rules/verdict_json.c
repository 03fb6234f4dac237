/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "filter/caret.h"
#include "rules/verdict.h"

#define SNIPPET_WIDTH 160
#define CONDITION_SHOWN 20 /* longer conditions are cut in positions' names */

/* A condition stands for itself, by its beginning. */
static void add_condition_name(struct str condition, struct buf *out)
{
	struct buf b;

	buf_init(&b, 64);
	buf_addc(&b, '"');
	if (condition.n > CONDITION_SHOWN) {
		buf_adds(&b, str_head(condition, CONDITION_SHOWN - 3));
		buf_addz(&b, "...");
	} else {
		buf_adds(&b, condition);
	}
	buf_addc(&b, '"');
	json_add_string(out, buf_str(&b));
	buf_done(&b);
}

static void add_location(const struct place *p, struct buf *out)
{
	if (p->up) {
		add_location(p->up, out);
		buf_addc(out, ',');
	}
	buf_addz(out, "{\"item_name\":");
	json_add_string(out, p->name);
	buf_addz(out, ",\"item_type\":");
	json_add_string(out, str_of(item_type_text(p->type)));
	buf_addf(out, ",\"position\":{\"column\":%u,\"line\":%u,\"name\":", p->at.column,
		 p->at.line);
	if (p->type == ITEM_CONDITION)
		add_condition_name(p->beginning, out);
	else
		json_add_string(out, p->file->name);
	buf_addf(out, ",\"offset\":%u}}", p->at.offset);
}

static void add_snippet(const struct place *p, struct buf *out)
{
	struct str text = p->type == ITEM_CONDITION ? p->condition : p->file->text;
	struct str line;
	struct buf b;
	size_t column;

	if (!text.n) {
		buf_addz(out, "\"<No context available>\"");
		return;
	}
	line = caret_line(text, p->at.offset - p->cut_before, &column);
	buf_init(&b, 4096);
	caret_add(line, column, SNIPPET_WIDTH, &b);
	json_add_string(out, buf_str(&b));
	buf_done(&b);
}

static void add_issue(const struct issue *i, struct buf *out)
{
	buf_addz(out, "{\"code\":");
	json_add_string(out, str_of(issue_code_text(i->code)));
	buf_addz(out, ",\"codedesc\":");
	json_add_string(out, str_of(issue_meaning(i->code)));
	buf_addz(out, ",\"context\":{\"locations\":[");
	add_location(i->at, out);
	buf_addz(out, "],\"snippet\":");
	add_snippet(i->at, out);
	buf_addz(out, "},\"message\":");
	json_add_string(out, i->message);
	buf_addc(out, '}');
}

/* Errors (the first one) or the warnings before it. */
static void add_issues(const struct verdict *v, bool errors, struct buf *out)
{
	bool comma = false;

	buf_addc(out, '[');
	for (const struct issue *i = v->first; i; i = i->next) {
		bool is_error = issue_is_error(i->code);

		if (is_error == errors) {
			if (comma)
				buf_addc(out, ',');
			comma = true;
			add_issue(i, out);
		}
		if (is_error)
			break;
	}
	buf_addc(out, ']');
}

static void add_schema(const struct verdict *v, struct buf *out)
{
	struct buf b;

	buf_addz(out, ",\"schema_valid\":");
	json_add_bool(out, !v->n_schema);
	buf_addz(out, ",\"schema_warnings\":[");
	buf_init(&b, 1024);
	for (const struct issue *i = v->schema_first; i; i = i->next) {
		buf_reset(&b);
		buf_addf(&b, "%u:%u: ", i->at->at.line + 1, i->at->at.column + 1);
		buf_adds(&b, i->message);
		json_add_string(out, buf_str(&b));
		if (i->next)
			buf_addc(out, ',');
	}
	buf_done(&b);
	buf_addc(out, ']');
}

void verdict_json(const struct verdict *v, struct buf *out)
{
	buf_addz(out, "{\"errors\":");
	add_issues(v, true, out);
	buf_addz(out, ",\"name\":");
	json_add_string(out, v->file->name);
	if (v->schema_checked)
		add_schema(v, out);
	buf_addz(out, ",\"successful\":");
	json_add_bool(out, !v->n_errors);
	buf_addz(out, ",\"warnings\":");
	add_issues(v, false, out);
	buf_addc(out, '}');
}

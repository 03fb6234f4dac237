/* SPDX-License-Identifier: Apache-2.0 */
#include "app/reason.h"

#include "app/report.h"
#include "base/json.h"

static const char *const results[] = {
	[STEP_FALSE] = "false", [STEP_TRUE] = "true", [STEP_UNKNOWN] = "unknown"};

static void add_safe(struct buf *out, const char *z)
{
	text_add_safe(out, str_of(z));
}

/* What is around the text: sentences say of the text itself whether it is true. */
static void add_subject(const struct explain_step *step, struct buf *out)
{
	bool is_exception = step->exception && step->negated;

	if (is_exception) {
		buf_addz(out,
			 step->result == STEP_TRUE ? "excluded by exception '" : "exception '");
		add_safe(out, step->exception);
		buf_addz(out, "' (");
	} else if (step->negated) {
		buf_addz(out, "not (");
	} else if (step->kind == STEP_NONE_OF) {
		buf_addz(out, "no part of (");
	}
	add_safe(out, step->text);
	if (step->negated || step->kind == STEP_NONE_OF)
		buf_addc(out, ')');
}

static void add_macro(const struct explain_step *step, struct buf *out)
{
	if (!step->macro)
		return;
	buf_addz(out, " (macro ");
	add_safe(out, step->macro);
	buf_addc(out, ')');
}

static void add_value(const struct explain_step *step, const char *before, const char *it_was,
		      const char *behind, struct buf *out)
{
	if (!step->has_value)
		return;
	buf_addz(out, before);
	if (step->value.p) {
		buf_addf(out, "%s\"", it_was);
		text_add_safe(out, step->value);
		buf_addc(out, '"');
	} else {
		buf_addz(out, "it has no value");
	}
	buf_addz(out, behind);
}

void reason_text(const struct explain_step *step, struct buf *out)
{
	bool excluded = step->exception && step->negated && step->result == STEP_TRUE;

	add_subject(step, out);
	if (step->kind == STEP_MORE)
		return;
	if (step->negated && !excluded) {
		buf_addf(out, ": it is %s", results[step->result]);
		add_value(step, " (", "", ")", out);
	} else {
		if (step->kind == STEP_NONE_OF && step->result == STEP_FALSE)
			buf_addz(out, " is true");
		else if (!excluded)
			buf_addf(out, " is %s", results[step->result]);
		add_value(step, "; ", "it was ", "", out);
	}
	add_macro(step, out);
}

void reason_end_text(const struct explain_step *step, struct buf *out)
{
	if (!step->exception || !step->negated)
		buf_addz(out, "ended at ");
	add_subject(step, out);
	if (step->result == STEP_UNKNOWN)
		buf_addz(out, ", unknown");
	add_macro(step, out);
}

static void add_member(struct buf *out, const char *name, const char *text)
{
	buf_addf(out, ",\"%s\":", name);
	if (text)
		json_add_string(out, str_of(text));
	else
		buf_addz(out, "null");
}

void reason_json(const struct explain_step *step, struct buf *out)
{
	buf_addf(out, "\"depth\":%u", step->depth);
	add_member(out, "text", step->text);
	add_member(out, "macro", step->macro);
	add_member(out, "exception", step->exception);
	buf_addz(out, ",\"negated\":");
	json_add_bool(out, step->negated);
	if (step->kind != STEP_MORE)
		buf_addf(out, ",\"result\":\"%s\"", results[step->result]);
	if (step->has_value) {
		buf_addz(out, ",\"value\":");
		if (step->value.p)
			json_add_string(out, step->value);
		else
			buf_addz(out, "null");
	}
}

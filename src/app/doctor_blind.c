/* SPDX-License-Identifier: Apache-2.0 */
#include "app/doctor.h"

#include "app/report.h"
#include "base/alloc.h"
#include "base/json.h"
#include "filter/events.h"

#include <stdlib.h>

enum { RULES_SHOWN = 3 };

enum sight { SEES_ALL, SEES_LESS, SEES_NOTHING };

static void blind_init(struct blind *b, const struct ruleset *rules)
{
	*b = (struct blind){.list = xcalloc(rules->n_rules + 1, sizeof(const struct rule *))};
}

void blind_all(const struct ruleset *rules, struct blind *ret)
{
	blind_init(ret, rules);
	for (size_t i = 0; i < rules->n_rules; i++)
		ret->list[ret->n_whole++] = &rules->rules[i];
}

static enum sight without_syscalls(const struct rule *r, const uint64_t lost[SYSCALL_WORDS])
{
	bool any = false, other = false;

	for (unsigned code = SC_UNKNOWN + 1; code < SC_COUNT; code++) {
		if (!base_syscalls_want(&r->events, code))
			continue;
		any |= event_set_has(lost, code);
		other |= !event_set_has(lost, code);
	}
	return !any ? SEES_ALL : other ? SEES_LESS : SEES_NOTHING;
}

void blind_by_syscalls(const struct ruleset *rules, const uint64_t lost[SYSCALL_WORDS],
		       struct blind *ret)
{
	blind_init(ret, rules);
	for (enum sight sight = SEES_NOTHING; sight > SEES_ALL; sight--) {
		for (size_t i = 0; i < rules->n_rules; i++) {
			const struct rule *r = &rules->rules[i];

			if (without_syscalls(r, lost) != sight)
				continue;
			ret->list[ret->n_whole + ret->n_part] = r;
			*(sight == SEES_NOTHING ? &ret->n_whole : &ret->n_part) += 1;
		}
	}
}

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
}

/* Whether a field's name that begins so stands in the text. */
static bool mentions(struct str text, struct str field)
{
	for (ptrdiff_t at; (at = str_find(text, field)) >= 0;) {
		if (!at || !is_name_byte(text.p[at - 1]))
			return true;
		text = str_from(text, (size_t)at + field.n);
	}
	return false;
}

static bool mentions_any(struct str text, const char *fields)
{
	while (*fields) {
		size_t n = strcspn(fields, " ");

		if (mentions(text, (struct str){fields, n}))
			return true;
		fields += n + (fields[n] == ' ');
	}
	return false;
}

static bool decides_by(const struct rule *r, const char *fields)
{
	return mentions_any(r->details->condition_compiled, fields);
}

static bool prints(const struct rule *r, const char *fields)
{
	return mentions_any(r->details->output_compiled, fields);
}

void blind_by_fields(const struct ruleset *rules, const char *fields, struct blind *ret)
{
	blind_init(ret, rules);
	for (size_t i = 0; i < rules->n_rules; i++) {
		const struct rule *r = &rules->rules[i];

		if (decides_by(r, fields) || prints(r, fields))
			ret->list[ret->n_part++] = r;
	}
}

void blind_by_metadata(const struct ruleset *rules, const char *fields, struct blind *ret)
{
	blind_init(ret, rules);
	for (size_t i = 0; i < rules->n_rules; i++) {
		if (decides_by(&rules->rules[i], fields))
			ret->list[ret->n_part++] = &rules->rules[i];
	}
	for (size_t i = 0; i < rules->n_rules; i++) {
		const struct rule *r = &rules->rules[i];

		if (!decides_by(r, fields) && prints(r, fields))
			ret->list[ret->n_part + ret->n_mute++] = r;
	}
}

void blind_done(struct blind *b)
{
	free(b->list);
}

static void add_line(const char *label, const struct rule *const *list, size_t n, struct buf *out)
{
	if (!n)
		return;
	buf_addf(out, "         %-6s %zu rules: ", label, n);
	for (size_t i = 0; i < n && i < RULES_SHOWN; i++) {
		buf_addz(out, i ? "; " : "");
		text_add_safe(out, list[i]->name);
	}
	if (n > RULES_SHOWN)
		buf_addf(out, "; and %zu more", n - RULES_SHOWN);
	buf_addc(out, '\n');
}

void blind_text(const struct blind *b, struct buf *out)
{
	add_line("blind", b->list, b->n_whole, out);
	add_line("weak", b->list + b->n_whole, b->n_part, out);
	add_line("mute", b->list + b->n_whole + b->n_part, b->n_mute, out);
}

static void add_member(const char *name, const struct rule *const *list, size_t n, struct buf *out)
{
	buf_addf(out, ",\"%s\":[", name);
	for (size_t i = 0; i < n; i++) {
		buf_addz(out, i ? "," : "");
		json_add_string(out, list[i]->name);
	}
	buf_addc(out, ']');
}

void blind_json(const struct blind *b, struct buf *out)
{
	add_member("blind_rules", b->list, b->n_whole, out);
	add_member("weak_rules", b->list + b->n_whole, b->n_part, out);
	if (b->n_mute)
		add_member("mute_rules", b->list + b->n_whole + b->n_part, b->n_mute, out);
}

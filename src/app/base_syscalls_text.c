/* SPDX-License-Identifier: Apache-2.0 */
#include "app/base_syscalls.h"

#include "app/report.h"
#include "base/json.h"
#include "filter/events.h"

enum { RULES_SHOWN = 3 };

static const struct {
	enum syscall_reason reason;
	const char *name;
} reasons[] = {
	{REASON_STATE, "state"},
	{REASON_REPAIR, "repair"},
	{REASON_CUSTOM, "custom"},
	{REASON_ALWAYS, "always"},
};

enum { N_REASONS = sizeof(reasons) / sizeof(reasons[0]) };

static bool is_shown(const struct base_syscalls *b, unsigned code)
{
	return event_set_has(b->watched, code) || event_set_has(b->left_out, code);
}

static void add_reasons(const struct base_syscalls *b, unsigned code, struct buf *out)
{
	const char *before = "";

	for (unsigned i = 0; i < N_REASONS; i++) {
		if (!(b->why[code] & reasons[i].reason))
			continue;
		buf_addf(out, "%s%s", before, reasons[i].name);
		before = ", ";
	}
	if (b->why[code] & REASON_RULES)
		buf_addf(out, "%srules: ", before);
}

static void add_rules(const struct ruleset *rules, unsigned code, struct buf *out)
{
	size_t n = 0;

	for (size_t i = 0; i < rules->n_rules; i++) {
		if (!base_syscalls_want(&rules->rules[i].events, code) || n++ >= RULES_SHOWN)
			continue;
		buf_addz(out, n > 1 ? "; " : "");
		text_add_safe(out, rules->rules[i].name);
	}
	if (n > RULES_SHOWN)
		buf_addf(out, "; and %zu more", n - RULES_SHOWN);
}

void base_syscalls_text(const struct base_syscalls *b, const struct ruleset *rules, struct buf *out)
{
	for (unsigned code = SC_UNKNOWN + 1; code < SC_COUNT; code++) {
		if (!is_shown(b, code))
			continue;
		buf_addf(out, "%-24s %s", syscall_table[code].name,
			 event_set_has(b->left_out, code) ? "LEFT OUT  " : "");
		add_reasons(b, code, out);
		add_rules(rules, code, out);
		buf_addc(out, '\n');
	}
}

static void add_reasons_json(const struct base_syscalls *b, unsigned code, struct buf *out)
{
	const char *before = "";

	for (unsigned i = 0; i < N_REASONS; i++) {
		if (!(b->why[code] & reasons[i].reason))
			continue;
		buf_addf(out, "%s\"%s\"", before, reasons[i].name);
		before = ",";
	}
}

static void add_rules_json(const struct ruleset *rules, unsigned code, struct buf *out)
{
	const char *before = "";

	for (size_t i = 0; i < rules->n_rules; i++) {
		if (!base_syscalls_want(&rules->rules[i].events, code))
			continue;
		buf_addz(out, before);
		json_add_string(out, rules->rules[i].name);
		before = ",";
	}
}

void base_syscalls_json(const struct base_syscalls *b, const struct ruleset *rules, struct buf *out)
{
	const char *before = "{\"syscalls\":[";

	for (unsigned code = SC_UNKNOWN + 1; code < SC_COUNT; code++) {
		if (!is_shown(b, code))
			continue;
		buf_addf(out, "%s{\"name\":\"%s\",\"watched\":", before, syscall_table[code].name);
		json_add_bool(out, event_set_has(b->watched, code));
		buf_addz(out, ",\"why\":[");
		add_reasons_json(b, code, out);
		buf_addz(out, "],\"rules\":[");
		add_rules_json(rules, code, out);
		buf_addz(out, "]}");
		before = ",";
	}
	buf_addz(out, "]}\n");
}

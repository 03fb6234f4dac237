/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include "app/doctor.h"

static const char text[] =
	"- {rule: Opens, desc: d, condition: 'evt.type in (open, openat)', "
	"output: o, priority: INFO}\n"
	"- {rule: Traces, desc: d, condition: evt.type = ptrace, output: "
	"'%proc.env', priority: INFO}\n"
	"- {rule: Both, desc: d, condition: 'evt.type in (ptrace, kill)', output: "
	"o, priority: INFO}\n";

static struct ruleset *load(void)
{
	struct loader_config cfg = {.min_priority = PRIORITY_DEBUG, .describe = true};
	struct loader *l = loader_new(&cfg);
	struct ruleset *r;

	CHECK(!loader_add_text(l, "rules", str_of(text)));
	r = loader_take(l);
	loader_free(l);
	return r;
}

#define CHECK_TEXT(b, wanted)                                                                      \
	do {                                                                                       \
		struct buf out;                                                                    \
		buf_init(&out, 4096);                                                              \
		blind_text(b, &out);                                                               \
		CHECK_STR(buf_z(&out), wanted);                                                    \
		buf_done(&out);                                                                    \
		blind_done(b);                                                                     \
	} while (0)

TEST(a_rule_is_blind_when_nothing_is_left_of_its_events)
{
	uint64_t lost[SYSCALL_WORDS] = {0};
	struct ruleset *rules = load();
	struct blind b;

	blind_by_syscalls(rules, lost, &b);
	CHECK_TEXT(&b, "");
	lost[SC_PTRACE / 64] |= (uint64_t)1 << SC_PTRACE % 64;
	blind_by_syscalls(rules, lost, &b);
	CHECK_TEXT(&b, "         blind  1 rules: Traces\n         weak   1 rules: Both\n");
	lost[SC_OPENAT / 64] |= (uint64_t)1 << SC_OPENAT % 64;
	blind_by_syscalls(rules, lost, &b);
	CHECK_TEXT(&b, "         blind  1 rules: Traces\n         weak   2 rules: Opens; Both\n");
	ruleset_free(rules);
}

TEST(a_rule_sees_less_without_a_field_that_it_reads_or_prints)
{
	struct ruleset *rules = load();
	struct blind b;

	blind_by_fields(rules, "fd. proc.env", &b);
	CHECK_TEXT(&b, "         weak   1 rules: Traces\n");
	blind_by_fields(rules, "vt.type roc.", &b); /* names are whole */
	CHECK_TEXT(&b, "");
	ruleset_free(rules);
}

TEST(who_decides_by_metadata_and_who_only_prints_it_are_told_apart)
{
	struct ruleset *rules = load();
	struct blind b;

	blind_by_metadata(rules, "evt.type", &b);
	CHECK_TEXT(&b, "         weak   3 rules: Opens; Traces; Both\n");
	blind_by_metadata(rules, "proc.env", &b);
	CHECK_TEXT(&b, "         mute   1 rules: Traces\n");
	ruleset_free(rules);
}

TEST(without_any_event_all_are_blind)
{
	struct ruleset *rules = load();
	struct buf out;
	struct blind b;

	blind_all(rules, &b);
	buf_init(&out, 4096);
	blind_json(&b, &out);
	CHECK_STR(buf_z(&out),
		  ",\"blind_rules\":[\"Opens\",\"Traces\",\"Both\"],\"weak_rules\":[]");
	buf_done(&out);
	blind_done(&b);
	ruleset_free(rules);
}

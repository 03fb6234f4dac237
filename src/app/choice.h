/* SPDX-License-Identifier: Apache-2.0 */
/* Which rules are evaluated: what every subcommand that gives alerts takes on its command line. */
#pragma once

#include "app/command.h"
#include "rules/ruleset.h"

struct choice_options {
	struct option_texts rules, tags, disable;
	const char *priority;
};

#define CHOICE_ROW(type, member, name, letter, kind, field, value, help)                           \
	OPTION_ROW(type, name, letter, kind, member.field, value, help)
#define CHOICE_ROWS(type, member)                                                                  \
	CHOICE_ROW(type, member, "rules", 'r', TEXTS, rules, "FILE",                               \
		   "rules to evaluate, in order; else the bundled ones"),                          \
		CHOICE_ROW(type, member, "priority", 0, TEXT, priority, "P",                       \
			   "no alerts less urgent than this"),                                     \
		CHOICE_ROW(type, member, "tags", 't', TEXTS, tags, "T",                            \
			   "only rules with one of these tags"),                                   \
		CHOICE_ROW(type, member, "disable", 'D', TEXTS, disable, "PATTERN",                \
			   "no rules of this name; '*' is any text")

#define CHOICE_ARGUMENTS "[--rules FILE]... [--priority P] [--tags T]... [--disable PATTERN]..."

/* EXIT_DONE and the rules; else what is wrong has been reported. */
enum exit_status choice_load(const struct choice_options *o, struct ruleset **ret);

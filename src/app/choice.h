/* SPDX-License-Identifier: Apache-2.0 */
/* Which rules are evaluated: what every subcommand that gives alerts takes on its command line. */
#pragma once

#include "app/command.h"
#include "rules/ruleset.h"

struct choice_options {
	struct option_texts rules, tags, disable;
	const char *priority, *format;
	bool no_suggested;
};

#define CHOICE_ROW(type, member, name, letter, kind, field, value, help)                           \
	OPTION_ROW(type, name, letter, kind, member.field, value, help)
#define CHOICE_ROWS(type, member)                                                                  \
	CHOICE_ROW(type, member, "rules", 'r', TEXTS, rules, "FILE",                               \
		   "rules to evaluate, in order; else the configuration's, or the bundled ones"),  \
		CHOICE_ROW(type, member, "priority", 0, TEXT, priority, "P",                       \
			   "no alerts less urgent than this"),                                     \
		CHOICE_ROW(type, member, "tags", 't', TEXTS, tags, "T",                            \
			   "only rules with one of these tags"),                                   \
		CHOICE_ROW(type, member, "disable", 'D', TEXTS, disable, "PATTERN",                \
			   "no rules of this name; '*' is any text"),                              \
		CHOICE_ROW(type, member, "format", 'p', TEXT, format, "TEXT",                      \
			   "what to put behind each output, with %field in it; c or k: details "   \
			   "of container, or pod, unless they are there already"),                 \
		CHOICE_ROW(type, member, "no-suggested-output", 0, FLAG, no_suggested, NULL,       \
			   "no container_id= and the like behind each output")

#define CHOICE_ARGUMENTS                                                                           \
	"[--rules FILE]... [--priority P] [--tags T]... [--disable PATTERN]... [--format TEXT] "   \
	"[--no-suggested-output]"

/* hashes: of the files, for whoever tells them.  EXIT_DONE and the rules; else what is wrong has
 * been reported. */
enum exit_status choice_load(const struct choice_options *o, bool hashes, struct ruleset **ret);

/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration as the command line asks for it, and what is wrong with it reported. */
#pragma once

#include "app/command.h"
#include "config/config.h"

struct settings_options {
	const char *path;
	struct option_texts set;
};

#define SETTINGS_ROWS(type, member)                                                                \
	OPTION_ROW(type, "config", 'c', TEXT, member.path, "FILE",                                 \
		   "a configuration, as falco.yaml; what the command line says wins"),             \
		OPTION_ROW(type, "option", 'o', TEXTS, member.set, "KEY=VALUE",                    \
			   "one value of it, such as json_output=true")
#define SETTINGS_ARGUMENTS "[--config FILE] [--option KEY=VALUE]..."

/* EXIT_DONE and a configuration, which without options is all defaults. */
enum exit_status settings_load(const struct settings_options *o, struct config **ret);

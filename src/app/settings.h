/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration of this run of the program, as the command line asks for it, with what is wrong
 * in it reported.  Each part of the program asks for the keys that it reads (keys.def says which);
 * an option of the command line that says the same wins.
 */
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

/* Before anybody asks. */
enum exit_status settings_begin(const struct settings_options *o);
/* What the configuration says of what is reported, from here on. */
void settings_log(void);
/* All defaults where nobody has begun.  Lives until the program ends. */
const struct config *settings(void);
/* What an option says; where it is not given (NULL, 0), the configuration.  NULL: neither. */
const char *settings_text(const char *option, enum config_id id);
uint64_t settings_number(uint64_t option, enum config_id id);
void settings_end(void);

/* The same once more, aside.  NULL when there are errors, which have been reported. */
struct config *settings_load(const struct settings_options *o);
/* Of the calling thread settings() are these, borrowed; NULL: those of the run again. */
void settings_use(const struct config *c);
